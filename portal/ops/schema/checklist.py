"""The guide's checklists: filled where a machine can know, signed by name where a person must."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa
from flask import Flask
from uuid_utils.compat import uuid7

from portal.core.settings import settings
from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.checks.after import MACHINE, READS, judge_after
from portal.ops.schema.checks.after import SIGNABLE as SIGNABLE_AFTER
from portal.ops.schema.checks.before import SIGNABLE as SIGNABLE_BEFORE
from portal.ops.schema.checks.before import judge_before
from portal.ops.schema.checks.items import Checklist, Facts, Item, ItemState, signed
from portal.ops.schema.checks.reads import measure_reads
from portal.ops.schema.place import Place
from portal.ops.schema.state import read_state
from portal.ops.schema.tables import Signature, ensure_tables, has_tables

__all__ = ["Checklist", "Item", "ItemState", "after", "before", "keep_reads", "sign"]

SIGNABLE = {Checklist.BEFORE: SIGNABLE_BEFORE, Checklist.AFTER: SIGNABLE_AFTER}


def before(place: Place, vault_list: Collection[str] | None = None) -> list[Item]:
    """Return the checklist before the pending revisions; needs an application context.

    ``vault_list`` names the backups' files where they are not in the configured folder.
    """
    with place.engine.connect() as connection:
        facts = _facts(place, connection, vault_list)
        return signed(facts, Checklist.BEFORE, facts.target, judge_before(facts), SIGNABLE_BEFORE)


def after(place: Place, app: Flask, vault_list: Collection[str] | None = None) -> list[Item]:
    """Return the checklist after the newest run; asks ``app`` for two of its pages. Needs an application context."""
    with place.engine.connect() as connection:
        facts = _facts(place, connection, vault_list)
        return signed(facts, Checklist.AFTER, facts.current, judge_after(facts, app), SIGNABLE_AFTER)


def sign(place: Place, checklist: Checklist, item: str, name: str, note: str | None = None) -> None:
    """Note that ``name`` vouches for an item, for the revision the checklist is about and no other.

    Raises EvolveError for an item that nobody can vouch for, and without a name.
    """
    signable = SIGNABLE[checklist]
    if item not in signable:
        raise EvolveError(f"{item!r} cannot be signed; a person vouches for {', '.join(signable)} only.")
    if not name.strip():
        raise EvolveError("A signature needs a name.")
    _keep(place, checklist, item, name.strip(), note)


def keep_reads(place: Place) -> dict[str, float]:
    """Measure the portal's typical reads and keep the figures for the comparison after the upgrade; milliseconds."""
    with place.engine.connect() as connection:
        reads = measure_reads(connection)
    _keep(place, Checklist.BEFORE, READS, MACHINE, json.dumps(reads))
    return reads


def _keep(place: Place, checklist: Checklist, item: str, name: str, note: str | None) -> None:
    with place.engine.connect() as connection:
        missing = not has_tables(connection)
    if missing:
        with place.locked() as connection:
            ensure_tables(connection)
    with place.engine.begin() as connection:
        state = read_state(connection, place.revisions())
        heads = state.heads if checklist is Checklist.BEFORE else state.current
        connection.execute(
            sa.insert(Signature).values(
                id=uuid7(), checklist=checklist, item=item, heads=", ".join(heads), signed_by=name, note=note
            )
        )


def _facts(place: Place, connection: sa.Connection, files: Collection[str] | None) -> Facts:
    return Facts(connection, read_state(connection, place.revisions()), settings().backups.folder, files)
