"""Saving a section of the settings, safe where two people do at once; and what was set by whom."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects.postgresql import array

from portal.core.activity import LIMIT, Entry, write_entry
from portal.core.audit import ActivityLog, Actor
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.settings.models import Setting
from portal.settings.registry import (
    Definition,
    Section,
    find_stored,
    list_definitions,
    own_clinic,
    read_stored,
    reset_setting,
    set_setting,
)
from portal.settings.words import describe, describe_text

ACTIONS = {"setting.changed": _l("changed the settings"), "setting.reset": _l("went back to the default")}


def section_values(definitions: Sequence[Definition[Any]], stored: Mapping[str, str]) -> dict[str, Any]:
    """Return key -> value of settings: what is stored, else the default."""
    return {
        row.key: read_stored(row, stored[row.key]) if row.key in stored else row.default for row in definitions
    }  # fmt: skip


def fingerprint(stored: Mapping[str, str]) -> str:
    """Return what tells one state of a section from another."""
    return hashlib.sha256(repr(sorted(stored.items())).encode()).hexdigest()[:16]


def save_section(actor: Actor, section: Section, *, values: Mapping[str, Any], seen: str) -> None:
    """Keep the values by key; raises StaleVersionError where the section is no longer as ``seen``."""
    definitions = list_definitions(section)
    own_clinic(lock=True)
    if fingerprint(find_stored(definitions)) != seen:
        raise StaleVersionError
    for row in definitions:
        set_setting(actor, row, values[row.key])


def reset_to_default(actor: Actor, key: str) -> Definition[Any] | None:
    """Let the default of a setting of the pages hold again; None where there is no such setting."""
    found = next((row for row in list_definitions() if row.key == key and row.section and not row.required), None)
    if found is not None:
        own_clinic(lock=True)
        reset_setting(actor, found)
    return found


def list_changes(section: Section | None = None) -> list[Entry]:
    """Return who set what, of one section or of all, newest first, at most LIMIT entries."""
    definitions = {row.key: row for row in list_definitions(section)}
    statement = (
        sa.select(ActivityLog.at, ActivityLog.actor_name, ActivityLog.action, ActivityLog.changes)
        .where(
            ActivityLog.object_type == Setting.__tablename__,
            ActivityLog.changes.has_any(array(list(definitions))),
        )
        .order_by(ActivityLog.id.desc())
        .limit(sa.literal_column(str(LIMIT)))
    )
    return [_entry(row, definitions) for row in current_session().execute(statement)]


def _entry(row: Any, definitions: Mapping[str, Definition[Any]]) -> Entry:
    """Return a line of the history; what was or became unset is told as the default it meant."""
    entry = write_entry(row, actions=ACTIONS, fields={})
    changes: list[tuple[str, str | None, str | None]] = []
    for key, pair in row.changes.items():
        if key in definitions:
            before, after = (_in_words(definitions[key], text) for text in pair or (None, None))
            changes.append((str(definitions[key].label), before, after))
    return replace(entry, changes=changes)


def _in_words(definition: Definition[Any], text: str | None) -> str:
    if text is None:
        return _("%(value)s (default)", value=describe(definition, definition.default))
    return describe_text(definition, text)
