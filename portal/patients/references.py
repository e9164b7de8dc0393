"""Every row that hangs on a patient, found from the tables themselves, so that tables to come are found as well."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.core.audit import Audited
from portal.core.database import Base, current_session

# Rows that stay with the duplicate when patients are joined.
STAYS = {
    "patients": "a duplicate's own duplicates lead to it, and on from there",
    "patient_terms": "words that find a patient are made anew",
    "patient_merges": "what was joined, and by whom, is history",
    "patient_access_log": "who read which record is history, and nobody may change it",
    "erasures": "a proof names whom it is about",
}
# Where both patients have a row of these, nobody but a person can say how the two become one.
NEVER_JOINED: dict[str, LazyString] = {
    "patient_medical": _l(
        "Both have a medical record. Records are never joined by the portal: a dentist has to bring them together in"
        " that of the patient who is kept, and to empty the other one first."
    ),
}
# Tells of such a table whether what the duplicate has is empty and may stay with her; modules above add theirs.
EMPTY: dict[str, Callable[[UUID], bool]] = {}
_NOT_COMPARED = frozenset({"updated_at", "key_id"})


@dataclass(frozen=True)
class Reference:
    """A column of a table that names a patient."""

    model: Any
    column: str

    @property
    def table(self) -> str:
        """The table's name."""
        return str(self.model.__tablename__)

    @property
    def key(self) -> str:
        """Table and column, as merges note them."""
        return f"{self.table}.{self.column}"

    def is_about(self, patient_id: UUID) -> sa.ColumnElement[bool]:
        """Return the condition that a row names a patient."""
        condition: sa.ColumnElement[bool] = getattr(self.model, self.column) == patient_id
        return condition


@cache
def patient_references() -> tuple[Reference, ...]:
    """Return every column of the portal that names a patient, tables in order of their names."""
    found = [
        Reference(mapper.class_, next(element.parent.name for element in key.elements if element.column.name == "id"))
        for mapper in Base.registry.mappers
        for key in getattr(mapper.local_table, "foreign_key_constraints", ())
        if key.referred_table.name == "patients"
    ]
    return tuple(sorted(found, key=lambda reference: reference.key))


def keeps_apart(reference: Reference, kept_id: UUID, merged_id: UUID) -> bool:
    """Tell whether rows of a table that is never joined keep two patients apart."""
    if reference.table not in NEVER_JOINED or not colliding_ids(reference, kept_id, merged_id):
        return False
    is_empty = EMPTY.get(reference.table)
    return is_empty is None or not is_empty(merged_id)


def moving_references() -> list[Reference]:
    """Return the references whose rows change hands when two patients are joined."""
    return [reference for reference in patient_references() if reference.table not in STAYS]


def find_by_key(key: str) -> Reference | None:
    """Return the reference a merge noted as ``key``, None where there is no such column any more."""
    return next((reference for reference in patient_references() if reference.key == key), None)


def ids_of(reference: Reference, patient_id: UUID, *, lock: bool = False) -> list[UUID]:
    """Return the ids of the rows that name a patient."""
    statement = sa.select(reference.model.id).where(reference.is_about(patient_id)).order_by(reference.model.id)
    return list(current_session().scalars(statement.with_for_update() if lock else statement))


def colliding_ids(reference: Reference, kept_id: UUID, merged_id: UUID) -> set[UUID]:
    """Return the duplicate's rows that cannot change hands: the one who is kept has their like, and may have one."""
    found: set[UUID] = set()
    for names in _unique_with(reference):
        columns = [getattr(reference.model, name) for name in names]
        statement = sa.select(reference.model.id, getattr(reference.model, reference.column), *columns)
        either = sa.or_(reference.is_about(kept_id), reference.is_about(merged_id))
        rows = current_session().execute(statement.where(either)).all()
        taken = {tuple(row[2:]) for row in rows if row[1] == kept_id and None not in row[2:]}
        found |= {row[0] for row in rows if row[1] == merged_id and tuple(row[2:]) in taken}
    return found


def fingerprints(reference: Reference, ids: Sequence[UUID]) -> dict[str, str]:
    """Return a hash of each row as it stands; what reading alone changes is left out."""
    skipped = _NOT_COMPARED | (
        reference.model.audit_skipped if issubclass(reference.model, Audited) else frozenset()
    )  # fmt: skip
    columns = [
        attribute
        for name, attribute in sa.inspect(reference.model).columns.items()
        if name not in skipped and not isinstance(attribute.type, sa.LargeBinary)
    ]
    mapped = [getattr(reference.model, column.key) for column in columns]
    rows = current_session().execute(sa.select(reference.model.id, *mapped).where(reference.model.id.in_(ids)))
    return {str(row[0]): hashlib.sha256(repr(tuple(row[1:])).encode()).hexdigest()[:16] for row in rows}


def give(reference: Reference, ids: Sequence[UUID], patient_id: UUID) -> None:
    """Let rows name another patient; nothing else of them changes, not even when they were last changed."""
    values: dict[str, Any] = {reference.column: patient_id}
    if hasattr(reference.model, "updated_at"):
        values["updated_at"] = reference.model.updated_at
    if ids:
        current_session().execute(
            sa.update(reference.model).where(reference.model.id.in_(ids)).values(values),
            execution_options={"synchronize_session": False},
        )


def _unique_with(reference: Reference) -> list[list[str]]:
    """Return the other columns of each uniqueness that the reference takes part in."""
    table = sa.inspect(reference.model).local_table
    rules: list[Any] = [rule for rule in table.constraints if isinstance(rule, sa.UniqueConstraint)]
    rules += [index for index in table.indexes if index.unique]
    named = [[column.name for column in rule.columns] for rule in rules]
    return [
        [name for name in names if name not in ("clinic_id", reference.column)]
        for names in named
        if reference.column in names
    ]
