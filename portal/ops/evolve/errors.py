"""What stops a migration, with the exit code the command reports."""

from __future__ import annotations

from typing import ClassVar

from alembic.util import CommandError


class EvolveError(CommandError):
    """A migration that stopped on purpose; nothing it had not finished is left behind."""

    exit_code: ClassVar[int] = 1


class MissingRolesError(EvolveError):
    """The database roles do not exist yet."""


class MigrationLockedError(EvolveError):
    """Another upgrade holds the lock and did not finish in time."""

    exit_code: ClassVar[int] = 14


class MigrationDataError(EvolveError):
    """Rows in the way of a migration; the message lists them."""

    exit_code: ClassVar[int] = 16
