"""The portal's commands."""

from __future__ import annotations

from flask import Flask
from flask_migrate.cli import db as db_group

from portal.catalog.cli import rates
from portal.ops.cli import demo, roles, seed, worker
from portal.ops.commands import backups, checks, moving, planning, status
from portal.ops.commands.keys import keys


def configure_commands(app: Flask) -> None:
    """Register the portal's own commands, and more in Flask-Migrate's own group `flask db`."""
    for command in (worker, demo, rates, keys):
        app.cli.add_command(command)
    for command in (
        seed,
        roles,
        *status.COMMANDS,
        *planning.COMMANDS,
        *moving.COMMANDS,
        *checks.COMMANDS,
        *backups.COMMANDS,
    ):
        db_group.add_command(command)  # one group for the whole process; adding again replaces
