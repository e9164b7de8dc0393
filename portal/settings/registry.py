"""What a clinic may set: each setting defined once, with its kind, its default and the words for its page.

A module defines its own at import::

    SIGNOFF = define(Definition("offers.signoff_required", Flag(), False, _l("..."), section=Section.OFFERS))
    if get_setting(SIGNOFF): ...
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
import structlog
from flask_babel import LazyString

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clinics import Clinic
from portal.core.database import current_session, require_scope
from portal.core.scope import ClinicScope
from portal.settings.kinds import Kind
from portal.settings.models import Setting

T = TypeVar("T")
log = structlog.get_logger("portal.settings")


class Section(StrEnum):
    """The parts of the settings, in the order of their pages."""

    CLINIC = "clinic"
    LANGUAGES = "languages"
    MONEY = "money"
    HOURS = "hours"
    NUMBERS = "numbers"
    OFFERS = "offers"
    LINKS = "links"
    NOTIFICATIONS = "notifications"
    RETENTION = "retention"


@dataclass(frozen=True)
class Definition(Generic[T]):
    """One setting: its key in the table, what it may hold, and what holds where the clinic says nothing.

    ``column`` names the column of ``clinics`` in which a value of that name is kept, instead of the table.
    """

    key: str
    kind: Kind[T]
    default: T
    label: str | LazyString
    help: str | LazyString = ""
    section: Section | None = None  # None: it is set on a page of its own
    column: str | None = None
    required: bool = False  # a text that may not be empty; it has no default to go back to


_definitions: dict[str, Definition[Any]] = {}


def define(definition: Definition[T]) -> Definition[T]:
    """Add a setting; raises ValueError where its key is taken by another."""
    if _definitions.setdefault(definition.key, definition) is not definition:
        raise ValueError(f"There are two settings named {definition.key}.")
    return definition


def list_definitions(section: Section | None = None) -> list[Definition[Any]]:
    """Return the settings of a section, or all, in the order in which they were defined."""
    return [row for row in _definitions.values() if section is None or row.section == section]


def get_setting(definition: Definition[T]) -> T:
    """Return what the clinic set, or the default; also where an older release stored what this one cannot read."""
    text = find_stored([definition]).get(definition.key)
    return definition.default if text is None else read_stored(definition, text)


def find_stored(definitions: Iterable[Definition[Any]]) -> dict[str, str]:
    """Return key -> stored text of those settings that the clinic has set, or whose column is not as it began."""
    rows = list(definitions)
    statement = sa.select(Setting.key, Setting.value).where(Setting.key.in_([row.key for row in rows]))
    found = {row.key: row.value for row in current_session().execute(statement)}
    kept_there = [row for row in rows if row.column]
    if kept_there:
        clinic = own_clinic()
        found |= {
            row.key: row.kind.write(value)
            for row in kept_there
            if (value := getattr(clinic, row.column or "")) != row.default
        }
    return found


def own_clinic(*, lock: bool = False) -> Clinic:
    """Return the pinned clinic's row; ``lock`` lets nobody else change its settings until the transaction ends."""
    scope = require_scope(current_session())
    assert isinstance(scope, ClinicScope)
    return current_session().get_one(Clinic, scope.clinic_id, with_for_update=lock, populate_existing=lock)


def read_stored(definition: Definition[T], text: str) -> T:
    """Return the value of a stored text, the default where it is none; that is logged without the text."""
    try:
        return definition.kind.read(text)
    except ValueError:
        log.warning("setting.unreadable", key=definition.key)
        return definition.default


def set_setting(actor: Actor, definition: Definition[T], value: T) -> None:
    """Keep a value; raises ValueError for one that the setting cannot hold."""
    text = definition.kind.write(value)
    definition.kind.read(text)
    if definition.column:
        _set_column(actor, definition, value)
        return
    row = _find_row(definition)
    if row is None and value == definition.default:
        return
    before = row.value if row else None
    if before == text:
        return
    if row is None:
        row = Setting(key=definition.key, value=text)
        current_session().add(row)
    row.value = text
    current_session().flush()
    audit.record(actor, "setting.changed", row, changes={definition.key: [before, text]})


def reset_setting(actor: Actor, definition: Definition[Any]) -> None:
    """Let the default hold again, also where it changes with a later release."""
    if definition.column:
        _set_column(actor, definition, definition.default)
        return
    row = _find_row(definition)
    if row is not None:
        audit.record(actor, "setting.reset", row, changes={definition.key: [row.value, None]})
        current_session().delete(row)


def _set_column(actor: Actor, definition: Definition[Any], value: Any) -> None:
    clinic, column = own_clinic(), definition.column or ""
    before = getattr(clinic, column)
    if before != value:
        setattr(clinic, column, value)
        told = [definition.kind.write(before), definition.kind.write(value)]
        audit.record(actor, "setting.changed", Setting, changes={definition.key: told})


def _find_row(definition: Definition[Any]) -> Setting | None:
    return current_session().scalars(sa.select(Setting).where(Setting.key == definition.key)).one_or_none()
