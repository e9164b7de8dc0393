"""Joining a duplicate to the patient who is kept, and parting them again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError, RuleError, StaleVersionError
from portal.core.text import sort_key
from portal.patients import references
from portal.patients.duplicates import get_merge
from portal.patients.models import Patient, PatientMerge
from portal.patients.services import index_patient, unindex_patient

# What one chooses between; a phone goes as typed and as dialled, an emergency contact and an insurer as one.
CHOSEN: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in (
        "first_name", "last_name", "email", "birth_date", "gender", "nationality", "residence_country", "locale",
        "city", "address", "instagram", "facebook", "linkedin", "x_handle", "referral_source_id", "coordinator_id",
        "doctor_id", "notes", "is_active",
    )},
    "phone_raw": ("phone_raw", "phone_e164"),
    "emergency_name": ("emergency_name", "emergency_relation", "emergency_phone"),
    "insurer": ("insurer", "insurance_no"),
}  # fmt: skip


def merge_problems(kept: Patient, merged: Patient) -> list[str]:
    """Return why two patients cannot be joined; nothing where they can."""
    if kept.id == merged.id:
        return [_("This is one and the same patient.")]
    if kept.merged_into_id or merged.merged_into_id:
        return [_("One of the two has been joined to somebody already.")]
    if kept.anonymised_at or merged.anonymised_at:
        return [_("An anonymised patient is joined to nobody.")]
    return [
        str(references.NEVER_JOINED[reference.table])
        for reference in references.moving_references()
        if references.keeps_apart(reference, kept.id, merged.id)
    ]


def merge_patients(
    actor: Actor, *, kept_id: UUID, merged_id: UUID, versions: tuple[int, int], taken: frozenset[str]
) -> PatientMerge:
    """Join a duplicate to the patient who is kept: all that hangs on it, and the values in ``taken``.

    Raises RuleError where they cannot be joined, StaleVersionError where ``versions`` of the two are not the stored.
    """
    kept, merged = _locked(kept_id, merged_id)
    if problems := merge_problems(kept, merged):
        raise RuleError(" ".join(problems))
    if (kept.version, merged.version) != versions:
        raise StaleVersionError
    moved = {reference.key: _move(reference, kept, merged) for reference in references.moving_references()}
    values = _values(kept, merged, taken)
    before = {"kept": {name: _plain(getattr(kept, name)) for name in values}, "set": _plain_all(values)}
    _apply(kept, values)
    merged.merged_into_id = kept.id
    merge = PatientMerge(
        kept_id=kept.id, merged_id=merged.id, moved={key: rows for key, rows in moved.items() if rows}, before=before,
        actor_id=actor.id,
    )  # fmt: skip
    current_session().add(merge)
    told = {"merged": [None, merged.patient_no], **audit.changes_of(kept)}
    audit.record(actor, "patient.merged", kept, changes=told)
    audit.record(actor, "patient.merged_away", merged, changes={"merged_into": [None, kept.patient_no]})
    current_session().flush()
    unindex_patient(merged)
    index_patient(kept)
    return merge


def undo_problems(merge: PatientMerge, kept: Patient, merged: Patient) -> list[str]:
    """Return why two patients cannot be parted again; nothing where they can."""
    if kept.merged_into_id:
        return [_("The patient who was kept has been joined to another one since. Undo that first.")]
    if kept.anonymised_at or merged.anonymised_at:
        return [_("The patient has been anonymised since.")]
    problems = []
    if any(_plain(getattr(kept, name)) != value for name, value in merge.before["set"].items()):
        problems.append(_("The patient's own data was changed since."))
    changed = sum(map(_changed, merge.moved, merge.moved.values()))
    if changed:
        problems.append(
            ngettext(
                "%(num)d entry that came from the duplicate was changed or removed since.",
                "%(num)d entries that came from the duplicate were changed or removed since.",
                changed,
            )
        )
    return problems


def undo_merge(actor: Actor, merge_id: UUID) -> PatientMerge:
    """Part two patients again: exactly what changed hands goes back. Raises RuleError where rows changed since."""
    merge = get_merge(merge_id, lock=True)
    if merge.undone_at is not None:
        return merge
    kept, merged = _locked(merge.kept_id, merge.merged_id)
    if problems := undo_problems(merge, kept, merged):
        raise RuleError(" ".join(problems))
    for key, rows in merge.moved.items():
        reference = references.find_by_key(key)
        assert reference is not None  # else undo_problems has told
        references.give(reference, list(map(UUID, rows)), merged.id)
    merged.merged_into_id, merge.undone_at = None, now()
    _apply(kept, {name: _stored(name, value) for name, value in merge.before["kept"].items()})
    told = {"merged": [merged.patient_no, None], **audit.changes_of(kept)}
    audit.record(actor, "patient.parted", kept, changes=told)
    audit.record(actor, "patient.parted_away", merged, changes={"merged_into": [kept.patient_no, None]})
    current_session().flush()
    index_patient(kept)
    index_patient(merged)
    return merge


def _locked(kept_id: UUID, merged_id: UUID) -> tuple[Patient, Patient]:
    """Return both rows, locked in the order of their ids, so that of two people one waits for the other."""
    statement = sa.select(Patient).where(Patient.id.in_((kept_id, merged_id))).order_by(Patient.id)
    locked = statement.with_for_update().execution_options(populate_existing=True)
    found = {patient.id: patient for patient in current_session().scalars(locked)}
    if not {kept_id, merged_id} <= set(found):
        raise NotFoundError
    return found[kept_id], found[merged_id]


def _move(reference: references.Reference, kept: Patient, merged: Patient) -> dict[str, str]:
    """Give the duplicate's rows to the kept one and return them with their hashes; a colliding row stays."""
    ids = references.ids_of(reference, merged.id, lock=True)
    staying = references.colliding_ids(reference, kept.id, merged.id) if ids else set()
    going = [row_id for row_id in ids if row_id not in staying]
    references.give(reference, going, kept.id)
    return references.fingerprints(reference, going) if going else {}


def _changed(key: str, rows: Mapping[str, str]) -> int:
    """Return how many of the rows that changed hands are no longer as they were then."""
    reference = references.find_by_key(key)
    if reference is None:
        return len(rows)
    standing = references.fingerprints(reference, list(map(UUID, rows)))
    return sum(standing.get(row_id) != mark for row_id, mark in rows.items())


def _values(kept: Patient, merged: Patient, taken: frozenset[str]) -> dict[str, Any]:
    """Return the columns of the kept patient that change: those chosen, and what protects her from either."""
    values = {name: getattr(merged, name) for field in taken & set(CHOSEN) for name in CHOSEN[field]}
    if merged.do_not_contact:
        values["do_not_contact"] = True
    if merged.hold_until and (kept.hold_until is None or merged.hold_until > kept.hold_until):
        values |= {"hold_until": merged.hold_until, "hold_reason": merged.hold_reason}
    return {name: value for name, value in values.items() if value != getattr(kept, name)}


def _apply(patient: Patient, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(patient, name, value)
    patient.name_key = sort_key(patient.full_name)


def _plain_all(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _stored(name: str, value: Any) -> Any:
    """Return a noted value as its column holds it."""
    kind = sa.inspect(Patient).columns[name].type.python_type
    if value is None or kind in (bool, str):
        return value
    return date.fromisoformat(value) if kind is date else UUID(value)
