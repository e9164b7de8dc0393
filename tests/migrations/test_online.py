"""Upgrades beside running work: interrupted, started twice, waiting for locks."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from portal.core.roles import OWNER_ROLE
from portal.ops import evolve
from portal.ops.evolve import retry


class Killed(BaseException):
    """Stands for the process dying: nothing may catch it."""


def connect(database) -> psycopg.Connection:
    return psycopg.connect(host=str(database.server.socket), user=OWNER_ROLE, dbname=database.name, autocommit=True)


def statements_of(database, action) -> int:
    """Run ``action`` and return how many statements it sent."""
    sent = []
    listener = lambda *arguments: sent.append(arguments[2])  # noqa: E731
    sa.event.listen(database.engine(), "before_cursor_execute", listener)
    action()
    sa.event.remove(database.engine(), "before_cursor_execute", listener)
    return len(sent)


def die_before(database, number: int, action) -> None:
    """Run ``action``, dying before its statement ``number`` is sent."""
    left = iter(range(number))

    def count(connection, *_arguments):
        if next(left, None) is None:
            connection.connection.driver_connection.close()
            raise Killed

    sa.event.listen(database.engine(), "before_cursor_execute", count)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the closed connection raises its own way
        action()
    sa.event.remove(database.engine(), "before_cursor_execute", count)


PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_an_upgrade_killed_anywhere_is_finished_by_the_next(legacy, current, part):
    total = 1150
    current.execute("SELECT 1")
    die_before(legacy, 20 + total * part // PARTS, lambda: legacy.upgrade(orphans="quarantine"))
    legacy.upgrade(orphans="quarantine")
