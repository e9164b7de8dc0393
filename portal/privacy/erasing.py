"""Making a patient anonymous: nothing stays that tells who she was, and the figures stay.

Refused while an offer is open, while a legal hold lasts, and while the law wants her medical record kept. What is
emptied is decided in portal.privacy.inventory; what was done is proven by a row with a hash over it. Backups hold the
data until they are pruned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.jobs import enqueue
from portal.core.outbox import OutboxMail
from portal.core.text import fold, words
from portal.patients.duplicates import merged_ids
from portal.patients.models import Patient
from portal.privacy.inventory import DELETED, EMPTIED, count_rows, rows_about, tables_about_patients
from portal.privacy.models import Erasure
from portal.settings.kinds import Whole
from portal.settings.registry import Definition, Section, define, get_setting

RETENTION_YEARS = define(
    Definition(
        "privacy.retention_years", Whole(0, 40), 20, _l("Years for which medical records are kept"),
        _l("Private health institutions in Turkey keep them for 20 years. No treated patient is anonymised before."),
        Section.RETENTION,
    )
)  # fmt: skip
_OPEN_KINDS = ("draft", "sent", "viewed", "negotiating")
_UNSYNCHRONISED = {"synchronize_session": False}


@dataclass(frozen=True)
class Preview:
    """What anonymising would do, and what keeps it from being done."""

    problems: Sequence[str]
    emptied: dict[str, int]
    deleted: dict[str, int]


def preview_erasure(patient: Patient) -> Preview:
    """Return what anonymising a patient would do; nothing is changed."""
    patient_ids = merged_ids(patient.id)
    counts = count_rows(patient_ids)
    return Preview(
        erasure_problems(patient, patient_ids),
        {name: count for name, count in counts.items() if EMPTIED.get(name)},
        {name: counts[name] for name in DELETED if name in counts and not name.endswith("_terms")},
    )


def erasure_problems(patient: Patient, patient_ids: Sequence[UUID]) -> list[str]:
    """Return why a patient cannot be anonymised now; nothing where she can."""
    if patient.anonymised_at:
        return [_("This patient is anonymous already.")]
    problems = []
    if patient.hold_until and patient.hold_until >= now().date():
        problems.append(_("A legal hold lasts until %(day)s.", day=format_date(patient.hold_until)))
    if waiting := _count_open_offers(patient_ids):
        problems.append(
            ngettext(
                "%(num)d offer is still open. Close it first.",
                "%(num)d offers are still open. Close them first.",
                waiting,
            )
        )
    kept_until = _kept_until(patient_ids)
    if kept_until is not None:
        problems.append(_("Her medical record has to be kept until %(day)s.", day=format_date(kept_until)))
    return problems


def erase_patient(actor: Actor, patient: Patient, *, reason: str, request_id: UUID | None = None) -> Erasure:
    """Make a patient and the duplicates joined to her anonymous, and return the proof.

    Raises RuleError where something keeps it from being done.
    """
    patient_ids = merged_ids(patient.id)
    locked = sa.select(Patient).where(Patient.id.in_(patient_ids)).order_by(Patient.id).with_for_update()
    rows = current_session().scalars(locked.execution_options(populate_existing=True)).all()
    if problems := erasure_problems(patient, patient_ids):
        raise RuleError(" ".join(problems))
    done = {"outbox_mails": _delete_mails(patient_ids, [row.email for row in rows if row.email])}
    done |= _empty(patient_ids)
    done |= _delete(patient_ids)
    enqueue(
        "records.remove_orphans", timestamp=int(now().timestamp())
    )  # the bytes of her files, once no row names them
    proof = Erasure(
        patient_id=patient.id, actor_id=actor.id, request_id=request_id, reason=reason, at=now(),
        emptied={name: count for name, count in sorted(done.items()) if count}, sha256="",
    )  # fmt: skip
    proof.sha256 = proof_hash(proof)
    current_session().add(proof)
    audit.record(actor, "patient.anonymised", Patient, subject_id=patient.id)
    current_session().flush()
    current_session().expire_all()
    return proof


def proof_hash(proof: Erasure) -> str:
    """Return the hash over all that a proof says; a stored proof whose hash differs was changed."""
    said = {
        "patient": str(proof.patient_id), "actor": str(proof.actor_id), "request": str(proof.request_id),
        "reason": proof.reason, "at": proof.at.timestamp(), "emptied": proof.emptied,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def find_proof(patient_id: UUID) -> Erasure | None:
    """Return the proof that a patient was anonymised, None where she was not."""
    statement = sa.select(Erasure).where(Erasure.patient_id == patient_id).order_by(Erasure.id.desc())
    return current_session().scalars(statement).first()


def hold_patient(actor: Actor, patient: Patient, *, until: date | None, reason: str | None) -> None:
    """Keep a patient from being anonymised until a day, for a lawsuit for example; without a day the hold ends."""
    if (patient.hold_until, patient.hold_reason) != (until, reason if until else None):
        patient.hold_until, patient.hold_reason = until, reason if until else None
        audit.record(actor, "patient.held" if until else "patient.released", patient)


def _empty(patient_ids: Sequence[UUID]) -> dict[str, int]:
    """Empty the personal columns of the rows that stay."""
    models, conditions, done = tables_about_patients(), rows_about(patient_ids), {}
    # Children first: whose a row is, is told by rows that still say so.
    for name in reversed(list(models)):
        model, values = models[name], dict(EMPTIED.get(name, {}))
        if not values:
            continue
        if name == "patients":
            values |= {
                "anonymised_at": now(), "do_not_contact": True, "is_active": False,
                "archived_at": sa.func.coalesce(Patient.archived_at, sa.func.now()),
            }  # fmt: skip
        if name == "reminders":
            values["status"] = sa.case((model.status == "open", "cancelled"), else_=model.status)
        if hasattr(model, "version"):
            values["version"] = model.version + 1  # so that a form left open finds that she has changed
        statement = sa.update(model).where(conditions[name]).values(values)
        done[name] = current_session().execute(statement, execution_options=_UNSYNCHRONISED).rowcount  # type: ignore[attr-defined]
    return done


def _delete(patient_ids: Sequence[UUID]) -> dict[str, int]:
    """Delete the rows that go as a whole; an offer is found by its number still."""
    models, conditions, done = tables_about_patients(), rows_about(patient_ids), {}
    for name in DELETED:
        condition = conditions[name]
        if name == "offer_terms":
            numbers = current_session().scalars(sa.select(models["offers"].offer_no).where(conditions["offers"])).all()
            kept = {fold(word) for number in numbers for word in _number_words(number)}
            condition = sa.and_(condition, models[name].term.not_in(kept))
        statement = sa.delete(models[name]).where(condition)
        done[name] = current_session().execute(statement, execution_options=_UNSYNCHRONISED).rowcount  # type: ignore[attr-defined]
    return done


def _delete_mails(patient_ids: Sequence[UUID], addresses: Sequence[str]) -> int:
    models, conditions = tables_about_patients(), rows_about(patient_ids)
    about = [
        OutboxMail.about_id.in_(sa.select(models[name].id).where(conditions[name]))
        for name in ("patient_offers", "offers")
    ]
    to_her = sa.func.lower(OutboxMail.to_address).in_([address.lower() for address in addresses])
    statement = sa.delete(OutboxMail).where(sa.or_(OutboxMail.about_id.in_(patient_ids), to_her, *about))
    return int(current_session().execute(statement, execution_options=_UNSYNCHRONISED).rowcount)  # type: ignore[attr-defined]


def _count_open_offers(patient_ids: Sequence[UUID]) -> int:
    models, conditions = tables_about_patients(), rows_about(patient_ids)
    offer, status = models["offers"], _statuses()
    open_ids = sa.select(status.id).where(status.kind.in_(_OPEN_KINDS))
    return _count(offer, conditions["offers"], offer.status_id.in_(open_ids), offer.superseded_at.is_(None))


def _kept_until(patient_ids: Sequence[UUID]) -> date | None:
    """Return until when the law keeps what was noted of her health; None where nothing was, or that day is over."""
    models, conditions = tables_about_patients(), rows_about(patient_ids)
    offer, status, session = models["offers"], _statuses(), current_session()
    accepted = offer.status_id.in_(sa.select(status.id).where(status.kind == "accepted"))
    moments: list[datetime | None] = [
        session.execute(sa.select(sa.func.max(models["patient_medical"].updated_at)).where(conditions["patient_medical"]))
        .scalar_one(),
        session.execute(sa.select(sa.func.max(models["patient_files"].created_at)).where(conditions["patient_files"]))
        .scalar_one(),
        session.execute(sa.select(sa.func.max(offer.decided_at)).where(conditions["offers"], accepted)).scalar_one(),
    ]  # fmt: skip
    latest = max((moment for moment in moments if moment is not None), default=None)
    if latest is None:
        return None
    until = latest.date() + timedelta(days=round(365.25 * get_setting(RETENTION_YEARS)))
    return until if until > now().date() else None


def _statuses() -> Any:
    return sa.inspect(tables_about_patients()["offers"]).relationships["status"].mapper.class_


def _number_words(number: str) -> list[str]:
    return [number, number.partition("-")[2].lstrip("0"), *words(number)]


def _count(model: Any, *conditions: Any) -> int:
    statement = sa.select(sa.func.count()).select_from(model).where(*conditions)
    return int(current_session().execute(statement).scalar_one())
