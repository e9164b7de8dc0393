"""Tables that come and go."""

from __future__ import annotations

import sqlalchemy as sa

from portal.ops.evolve.generate.code import Code
from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.sql import plain, table_sql
from portal.ops.evolve.generate.steps import Change, Phase, Rank, Slot, Step, sql

_REVISION = Code("revision")
WORK = "SELECT, INSERT, UPDATE, DELETE"


def create_table(table: sa.Table, found: Difference) -> list[Change]:
    """Return the change that makes ``table``, with its rights and, for a clinic's rows, its policies."""
    found.key(table.name)
    name, tenant = table.name, "clinic_id" in table.columns
    constant = f"TABLE_{name.upper()}"
    rights = _protect(name, WORK) if tenant else [_grant(name, WORK)]
    change = Change(
        Phase.EXPAND,
        f"creates {name}",
        up=[*_made(constant, name), *rights],
        down=[_keep_table(name)],
        keeps=f"{name} with all its rows",
        blocks={constant: table_sql(table)},
    )
    if not tenant:
        change.warnings.append(
            f"{name} holds no clinic's rows, so only the platform's role may touch it; if the clinics' pages read it, "
            "grant that to the application's role here."
        )
    return [change]


def drop_table(table: sa.Table, found: Difference) -> list[Change]:
    """Return the change that keeps ``table`` aside; the way back makes it as it was found in the database."""
    found.key(table.name)
    name = table.name
    constant = f"TABLE_{name.upper()}"
    rights: list[Step] = []
    if "clinic_id" in table.columns:
        rights = _protect(name, found.app_rights(name) or "SELECT")
    elif may := found.app_rights(name):
        rights = [sql(Slot.CREATE, Rank.TABLE, f"GRANT {may} ON {name} TO clinikoop_app")]
    if platform := found.platform_rights(name):
        rights.append(_grant(name, platform))
    change = Change(
        Phase.CONTRACT,
        f"drops {name}; its rows are kept",
        up=[_keep_table(name)],
        down=[*_made(constant, name), *rights],
        warnings=[f"The release before this one can no longer read {name}."],
        keeps=f"{name} comes back with its rows",
        blocks={constant: table_sql(table)},
    )
    if others := found.other_policies(name):
        change.warnings.append(f"The downgrade does not make the policies {others} of {name} again: add them.")
    return [change]


def comment_on(table: str, comment: str | None, before: str | None) -> list[Change]:
    """Return the change of a table's comment."""
    return [
        Change(
            Phase.EXPAND,
            f"says what {table} is for",
            up=[sql(Slot.FINISH, Rank.DEFAULT, comment_sql(f"TABLE {table}", comment))],
            down=[sql(Slot.FINISH, Rank.DEFAULT, comment_sql(f"TABLE {table}", before))],
        )
    ]


def comment_sql(what: str, text: str | None) -> str:
    """Return COMMENT ON."""
    written = "NULL" if text is None else "'" + text.replace("'", "''") + "'"
    return plain(f"COMMENT ON {what} IS {written}")


def _made(constant: str, name: str) -> list[Step]:
    return [
        Step(Slot.CREATE, Rank.TABLE, "evolve.run", (Code(constant),)),
        Step(Slot.CREATE, Rank.TABLE, "evolve.restore_table", (_REVISION, name)),
    ]


def _protect(name: str, rights: str) -> list[Step]:
    return [Step(Slot.CREATE, Rank.TABLE, "evolve.protect_table", (name, rights))]


def _grant(name: str, rights: str) -> Step:
    return Step(Slot.CREATE, Rank.TABLE, "evolve.grant_platform", (name, rights))


def _keep_table(name: str) -> Step:
    return Step(Slot.REMOVE, Rank.DROP_TABLE, "evolve.keep_table", (_REVISION, name))
