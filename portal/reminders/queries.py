"""Reading reminders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.auth.models import User
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.pagination import Order, Page, every_row, keyset_page
from portal.core.search import Word, begins, query_words
from portal.offers.models import Offer, OfferTerm, PatientOffer
from portal.patients.models import Patient, PatientTerm
from portal.reminders.models import Reminder, ReminderKind, ReminderStatus

MOST = 300  # rows of a calendar's month, of a feed and of today's list


class When(StrEnum):
    """Which reminders a list shows, by their time; DONE also holds the dropped ones."""

    OPEN = "open"
    OVERDUE = "overdue"
    TODAY = "today"
    UPCOMING = "upcoming"
    DONE = "done"


@dataclass(frozen=True)
class Whose:
    """Whose reminders are wanted: of everybody (None), or of one person, with those for anybody or without."""

    user_id: UUID | None = None
    with_unassigned: bool = True


EVERYBODYS = Whose()


@dataclass(frozen=True)
class ReminderFilter:
    """What a list of reminders is limited to; ``now`` and ``tonight`` are the clinic's moments."""

    now: datetime
    tonight: datetime
    when: When = When.OPEN
    kind: ReminderKind | None = None
    whose: Whose = EVERYBODYS
    query: str = ""


_assignee = aliased(User)
_ROWS = (
    sa.select(
        Reminder.id, Reminder.title, Reminder.due_at, Reminder.kind, Reminder.priority, Reminder.status,
        Reminder.is_pinned, Reminder.is_all_day, Reminder.outcome, Reminder.completed_at, Reminder.patient_id,
        Reminder.offer_id, Reminder.rule_id, Reminder.snooze_count, Reminder.assigned_to_id,
        _assignee.name.label("assignee_name"), Patient.first_name, Patient.last_name, Patient.patient_no,
        Offer.offer_no, Offer.valid_until, Patient.id.label("subject_id"),
    )
    .outerjoin(_assignee, sa.and_(_assignee.clinic_id == Reminder.clinic_id, _assignee.id == Reminder.assigned_to_id))
    .outerjoin(Offer, sa.and_(Offer.clinic_id == Reminder.clinic_id, Offer.id == Reminder.offer_id))
    .outerjoin(
        Patient,
        sa.and_(
            Patient.clinic_id == Reminder.clinic_id,
            Patient.id == sa.func.coalesce(Reminder.patient_id, Offer.primary_patient_id),
        ),
    )
)  # fmt: skip
_SOONEST = Order((Reminder.due_at, Reminder.id))
_LATEST = Order((Reminder.due_at, Reminder.id), descending=True)
_OPEN = Reminder.status == ReminderStatus.OPEN


def list_reminders(wanted: ReminderFilter, cursor: str | None) -> Page[Any]:
    """Return one page: what waits by when it is due, what is done the other way round."""
    return keyset_page(_ROWS.where(*_conditions(wanted)), _order(wanted), cursor)


def all_reminders(wanted: ReminderFilter) -> Iterator[Any]:
    """Return every reminder of a list, in its order."""
    return every_row(_ROWS.where(*_conditions(wanted)), _order(wanted))


def get_reminder(reminder_id: UUID) -> Reminder:
    """Return one reminder; raises NotFoundError."""
    found = current_session().scalars(sa.select(Reminder).where(Reminder.id == reminder_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def find_by_form_key(form_key: UUID | None) -> Reminder | None:
    """Return the reminder which this very form has already made, or None."""
    if form_key is None:
        return None
    return current_session().scalars(sa.select(Reminder).where(Reminder.form_key == form_key)).one_or_none()


def list_for_patient(patient_id: UUID) -> Sequence[Any]:
    """Return the open reminders about a patient or her offers, the soonest first."""
    offers = sa.select(PatientOffer.offer_id).where(PatientOffer.patient_id == patient_id)
    about = sa.or_(Reminder.patient_id == patient_id, Reminder.offer_id.in_(offers))
    return _few(_ROWS.where(_OPEN, about))


def list_for_offer(offer_id: UUID) -> Sequence[Any]:
    """Return the open reminders about an offer, the soonest first."""
    return _few(_ROWS.where(_OPEN, Reminder.offer_id == offer_id))


def list_between(first: datetime, last: datetime, whose: Whose = EVERYBODYS) -> Sequence[Any]:
    """Return the reminders due from ``first`` until before ``last``, done ones too; at most MOST."""
    statement = _ROWS.where(
        Reminder.due_at >= first, Reminder.due_at < last, Reminder.status != ReminderStatus.CANCELLED, *_of(whose)
    )
    statement = statement.order_by(Reminder.due_at, Reminder.id).limit(sa.literal_column(str(MOST)))
    return current_session().execute(statement).all()


def list_own(user_id: UUID, first: datetime | None, last: datetime) -> Sequence[Any]:
    """Return a person's own open reminders due from ``first``, or ever, until before ``last``; at most MOST."""
    begun = [] if first is None else [Reminder.due_at >= first]
    statement = _ROWS.where(_OPEN, Reminder.assigned_to_id == user_id, Reminder.due_at < last, *begun)
    statement = statement.order_by(Reminder.due_at, Reminder.id).limit(sa.literal_column(str(MOST)))
    return current_session().execute(statement).all()


def select_overdue() -> sa.Select[int]:
    """Select how many of a User's reminders are overdue at the parameter "moment", for the menu."""
    return sa.select(sa.func.count(Reminder.id)).where(
        Reminder.clinic_id == User.clinic_id, Reminder.assigned_to_id == User.id, _OPEN,
        Reminder.due_at < sa.bindparam("moment"),
    )  # fmt: skip


def list_assignees() -> Sequence[Any]:
    """Return the clinic's active people as (id, name), by name."""
    statement = sa.select(User.id, User.name).where(User.is_active).order_by(User.name)
    return current_session().execute(statement).all()


def find_subject(patient_id: UUID | None, offer_id: UUID | None) -> tuple[Patient | None, Offer | None]:
    """Return the patient and the offer a reminder is about; raises NotFoundError where one is not there."""
    session = current_session()
    offer = session.scalars(sa.select(Offer).where(Offer.id == offer_id)).one_or_none() if offer_id else None
    patient_id = patient_id or (offer.primary_patient_id if offer else None)
    patient = session.scalars(sa.select(Patient).where(Patient.id == patient_id)).one_or_none() if patient_id else None
    if (offer_id and offer is None) or (patient_id and patient is None):
        raise NotFoundError
    return patient, offer


def _few(statement: sa.Select[*tuple[Any, ...]]) -> Sequence[Any]:
    pinned_first = statement.order_by(Reminder.is_pinned.desc(), Reminder.due_at, Reminder.id)
    return current_session().execute(pinned_first.limit(sa.literal_column("50"))).all()


def _order(wanted: ReminderFilter) -> Order:
    return _LATEST if wanted.when is When.DONE else _SOONEST


def _of(whose: Whose) -> list[sa.ColumnElement[bool]]:
    if whose.user_id is None:
        return []
    own = Reminder.assigned_to_id == whose.user_id
    return [sa.or_(own, Reminder.assigned_to_id.is_(None)) if whose.with_unassigned else own]


def _conditions(wanted: ReminderFilter) -> list[sa.ColumnElement[bool]]:
    times: dict[When, list[sa.ColumnElement[bool]]] = {
        When.OPEN: [_OPEN],
        When.OVERDUE: [_OPEN, Reminder.due_at < wanted.now],
        When.TODAY: [_OPEN, Reminder.due_at < wanted.tonight],
        When.UPCOMING: [_OPEN, Reminder.due_at >= wanted.tonight],
        When.DONE: [Reminder.status != ReminderStatus.OPEN],
    }
    conditions = [*times[wanted.when], *_of(wanted.whose)]
    if wanted.kind:
        conditions.append(Reminder.kind == wanted.kind)
    words = query_words(wanted.query)
    if wanted.query and not words:
        conditions.append(sa.false())
    return [*conditions, *(_has_word(word) for word in words)]


def _has_word(word: Word) -> sa.ColumnElement[bool]:
    """A word finds a reminder by its patient or its offer: titles are looked through by eye, they are few."""
    patients = sa.select(PatientTerm.patient_id).where(begins(PatientTerm.term, word))
    offers = sa.select(OfferTerm.offer_id).where(begins(OfferTerm.term, word))
    about = sa.func.coalesce(Reminder.patient_id, Offer.primary_patient_id)
    return sa.or_(about.in_(patients), Reminder.offer_id.in_(offers))
