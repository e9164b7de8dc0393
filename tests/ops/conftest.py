"""A database of this folder's own, with the demonstration in it: commands commit, so nothing can be undone."""

from __future__ import annotations

import os
from collections.abc import Iterator

import flask_migrate
import psycopg
import pytest
from flask import Flask

from portal.app import create_app
from portal.core.bootstrap import conninfo, prepare_embedded
from portal.core.database import db
from portal.core.embedded import EmbeddedServer
from portal.core.jobs import configure_jobs
from portal.ops.demo.load import load_demo
from tests.support.data import settings_for


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
