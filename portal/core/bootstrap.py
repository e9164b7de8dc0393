"""Where the portal finds its database: named by the environment, or an embedded server it starts itself."""

from __future__ import annotations

import atexit

import psycopg
from flask import Flask
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url

from config import DatabaseUrls, Settings
from portal.core.audit import install_audit_check
from portal.core.database import OWNER_BIND, PLATFORM_BIND, db
from portal.core.embedded import EmbeddedServer
from portal.core.guard import install_guard
from portal.core.roles import (
    APP_ROLE,
    BACKUP_ROLE,
    OWNER_ROLE,
    PLATFORM_ROLE,
    ensure_database,
    ensure_roles,
    guard_engine,
)

EMBEDDED_DATABASE = "clinikoop"

# A custom plan each time: a generic one turns a selective search from 0.8 into 50 ms. Reading out of order costs
# little from memory or flash; with the old default of 4 a search took twice as long.
_OPTIONS = (
    "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s "
    "-c plan_cache_mode=force_custom_plan -c random_page_cost=1.1 -c timezone=UTC"
)


def configure_database(app: Flask, settings: Settings) -> None:
    """Set up one engine a role, the scope guard and the audit check."""
    urls = app.extensions["database_urls"] = settings.databases or start_embedded(settings)
    engine = {
        "pool_pre_ping": True,
        "pool_timeout": 10,
        "hide_parameters": True,  # errors are logged; patients' data is not
        "connect_args": {"options": _OPTIONS, "connect_timeout": 5, "application_name": "clinikoop"},
    }
    app.config["SQLALCHEMY_DATABASE_URI"] = urls.app
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine
    app.config["SQLALCHEMY_BINDS"] = {PLATFORM_BIND: {"url": urls.platform, **engine}}
    if urls.owner:
        # Migrations set their own limits; a statement of theirs may run for long.
        connect = {"connect_timeout": 5, "application_name": "clinikoop-owner"}
        owner = {"url": urls.owner, "pool_pre_ping": True, "connect_args": connect}
        app.config["SQLALCHEMY_BINDS"][OWNER_BIND] = owner
    db.init_app(app)
    install_guard()
    install_audit_check()
    with app.app_context():
        guard_engine(db.engine)
        guard_engine(db.engines[PLATFORM_BIND])


def start_embedded(settings: Settings) -> DatabaseUrls:
    """Start the embedded server with its roles and database; it stops with the last process that uses it.

    Raises EmbeddedError where it cannot be started.
    """
    server = EmbeddedServer(settings.instance / "postgres")
    server.start()
    atexit.register(server.release)
    return prepare_embedded(server, EMBEDDED_DATABASE)


def prepare_embedded(server: EmbeddedServer, database: str) -> DatabaseUrls:
    """Create the roles and ``database`` on a running embedded server and return its URLs."""
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        ensure_roles(connection)
        ensure_database(connection, database)
    return DatabaseUrls(
        app=server.url(database, APP_ROLE),
        platform=server.url(database, PLATFORM_ROLE),
        owner=server.url(database, OWNER_ROLE),
        backup=server.url(database, BACKUP_ROLE),
    )


def conninfo(url: str | URL) -> str:
    """Return a SQLAlchemy URL as a libpq connection string, whatever characters its path holds."""
    parsed = make_url(url)
    arguments = {**parsed.translate_connect_args(username="user", database="dbname"), **parsed.query}
    return str(make_conninfo("", **arguments))
