"""What stops a migration, with the exit code the command reports."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import ClassVar

import psycopg
from alembic.util import CommandError

_QUOTED = re.compile(r'"[^"]*"')


class ExitCode(IntEnum):
    """What every `flask db` command of ours ends with; never 2, which is click's own for a wrong call."""

    OK = 0
    ERROR = 1
    PENDING = 10
    FAILED = 11
    DIVERGED = 12
    DRIFT = 13
    LOCKED = 14
    DANGEROUS = 15
    DATA = 16
    BACKUP = 17


class EvolveError(CommandError):
    """A migration that stopped on purpose; nothing it had not finished is left behind."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR


class MissingRolesError(EvolveError):
    """The database roles do not exist yet."""


class FailedRunError(EvolveError):
    """A migration failed or was interrupted, and its last word is not that it was resolved."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED


class DivergedError(EvolveError):
    """Database and revision files do not belong together: unknown revision, edited file, several heads."""

    exit_code: ClassVar[ExitCode] = ExitCode.DIVERGED


class DriftError(EvolveError):
    """The database's schema is not the one the revisions make."""

    exit_code: ClassVar[ExitCode] = ExitCode.DRIFT


class MigrationLockedError(EvolveError):
    """Another upgrade holds the lock and did not finish in time."""

    exit_code: ClassVar[ExitCode] = ExitCode.LOCKED


class DangerousError(EvolveError):
    """A pending revision does something dangerous and does not say why."""

    exit_code: ClassVar[ExitCode] = ExitCode.DANGEROUS


class MigrationDataError(EvolveError):
    """Rows in the way of a migration, or rows that are not as they should be; the message lists them."""

    exit_code: ClassVar[ExitCode] = ExitCode.DATA


class BackupError(EvolveError):
    """A backup or a rehearsal is missing, damaged or failed."""

    exit_code: ClassVar[ExitCode] = ExitCode.BACKUP


def without_values(error: psycopg.Error) -> str:
    """Return what the database complains about without the values of rows, which may be a person's."""
    said = error.diag.message_primary or str(error).partition("\n")[0]
    # What is wrong with a value quotes it: invalid input syntax for type integer: "Ayşe".
    return _QUOTED.sub('"..."', said) if isinstance(error, psycopg.DataError) else said
