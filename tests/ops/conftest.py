"""A database of this folder's own, with the demonstration in it: commands commit, so nothing can be undone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import flask_migrate
import psycopg
import pytest
from flask import Flask

from portal.app import create_app
from portal.core.bootstrap import conninfo, prepare_embedded
from portal.core.database import db
from portal.core.embedded import EmbeddedServer
from portal.core.jobs import configure_jobs, portal_app
from portal.ops.demo.load import load_demo
from tests.conftest import TEMPLATE
from tests.support.data import settings_for
from tests.support.history import Add, written
from tests.support.people import Person


@pytest.fixture(scope="session")
def world(app: Flask, server: EmbeddedServer) -> Iterator[Flask]:
    """The portal over a database with the demonstration clinics; what a test does to it stays."""
    name = f"world_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
    world = create_app(settings_for(prepare_embedded(server, name)))
    configure_jobs(app)  # jobs of other tests work for their own portal
    with world.app_context():
        flask_migrate.upgrade()
    load_demo(world)
    yield world
    with world.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def committed(server: EmbeddedServer, worker_id: str) -> Iterator[Flask]:
    """The portal over a copy of the template database where what is done stays done, gone after the test."""
    name = f"worker_{worker_id}"
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER clinikoop_owner")
    before = portal_app()
    app = create_app(settings_for(prepare_embedded(server, name)))
    yield app
    configure_jobs(before)
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def write(portal: Flask) -> Iterator[Add]:
    """Write rows of the operators' history, gone after the test."""
    with written(portal) as add:
        yield add


@pytest.fixture
def ops(sign_in: Callable[..., Person]) -> Person:
    """Somebody of the platform's operators, signed in."""
    return sign_in("ops", "admin")
