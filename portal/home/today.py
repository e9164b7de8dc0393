"""Today's list: open reminders and what offers wait for, in two queries and one for what is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.clinics import ClinicInfo
from portal.core.clock import day_start, now, today
from portal.core.database import current_session
from portal.home.ranking import (
    CAUSE_PREFIX,
    DECLINED_WITHIN,
    EXPIRING_WITHIN,
    OfferFacts,
    Reason,
    Signal,
    Task,
    offer_task,
    ranked,
    signals_of,
)
from portal.offers.models import DeclineReason, Offer, OfferKind, OfferStatus, PatientOffer
from portal.offers.reading import with_reading
from portal.offers.rules import OPEN_KINDS
from portal.patients.models import Patient
from portal.reminders.models import Reminder, ReminderStatus

MOST = 200  # rows of either kind that are looked at
SHOWN = 60
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class TodayRow:
    """A task with the columns its row shows: of the reminder, the offer, the patient; any of the three may be None."""

    task: Task
    row: Any


@dataclass(frozen=True)
class Today:
    """The list as far as it is shown, and how many rows there are behind it."""

    rows: Sequence[TodayRow]
    total: int


def list_today(clinic: ClinicInfo, *, user_id: UUID | None) -> Today:
    """Return what is to be done now, the most pressing first; of one person and nobody, or of all (None)."""
    moment, day = now(), today(clinic.timezone)
    yesterday = day_start(day - _DAY, clinic.timezone)
    due = _due_reminders(day_start(day + _DAY, clinic.timezone), user_id)
    offers = _offers(moment, clinic, user_id)
    settled = _settled([*(row.id for row in offers)])
    rows: dict[UUID, Any] = {}
    waiting = []
    for row in offers:
        signals = signals_of(_facts(row), moment=moment, day=day, yesterday=yesterday)
        left = [signal for signal in signals if (row.id, signal.cause) not in settled]
        if left:
            rows[row.id] = row
            waiting.append(offer_task(row.id, left))
    tasks = ranked([_reminder_task(row, moment) for row in due], waiting)
    known = {row.reminder_id: row for row in due}
    shown = [TodayRow(task, known[task.reminder_id] if task.reminder_id else rows[task.offer_id]) for task in tasks]  # type: ignore[index]
    return Today(shown[:SHOWN], len(shown))


_PATIENT = (
    Patient.id.label("patient_id"), Patient.first_name, Patient.last_name, Patient.phone_e164,
    Patient.locale.label("patient_locale"), Patient.do_not_contact,
)  # fmt: skip
_OFFER = (
    Offer.offer_no, Offer.title.label("offer_title"), Offer.currency, Offer.grand_total, Offer.valid_until,
    Offer.decline_reason,
)  # fmt: skip
_OFFERS = with_reading(
    sa.select(
        Offer.id, Offer.id.label("offer_id"), *_OFFER, *_PATIENT, Offer.sent_at, Offer.first_viewed_at,
        Offer.decided_at, Offer.signoff_asked_at, OfferStatus.kind.label("offer_kind"),
    )
    .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
    .outerjoin(Patient, sa.and_(Patient.clinic_id == Offer.clinic_id, Patient.id == Offer.primary_patient_id))
)  # fmt: skip
_LAST_VIEWED = (
    sa.select(sa.func.max(PatientOffer.last_viewed_at))
    .where(PatientOffer.clinic_id == Offer.clinic_id, PatientOffer.offer_id == Offer.id)
    .correlate(Offer)
    .scalar_subquery()
)


def _offers(moment: datetime, clinic: ClinicInfo, user_id: UUID | None) -> Sequence[Any]:
    """Return the offers that may be on the list, those read or ending soon first."""
    statement = _OFFERS.where(_waits(moment, clinic))
    if user_id is not None:
        statement = statement.where(
            sa.or_(
                Offer.coordinator_id == user_id, Offer.doctor_id == user_id,
                sa.and_(Offer.coordinator_id.is_(None), Offer.doctor_id.is_(None)),
            )
        )  # fmt: skip
    statement = statement.order_by(_LAST_VIEWED.desc().nulls_last(), Offer.valid_until, Offer.id)
    return current_session().execute(statement.limit(sa.literal_column(str(MOST)))).all()


def _waits(moment: datetime, clinic: ClinicInfo) -> sa.ColumnElement[bool]:
    day = today(clinic.timezone)
    declined = sa.and_(
        OfferStatus.kind == OfferKind.DECLINED, Offer.decline_reason == DeclineReason.PRICE,
        Offer.decided_at > moment - DECLINED_WITHIN,
    )  # fmt: skip
    signoff = sa.and_(
        OfferStatus.kind == OfferKind.DRAFT, Offer.signoff_asked_at.is_not(None), Offer.signed_off_at.is_(None)
    )
    ends = Offer.valid_until.between(day, day + EXPIRING_WITHIN)
    undecided = sa.and_(OfferStatus.kind.in_(OPEN_KINDS), sa.or_(Offer.sent_at < moment - _DAY, _viewed(), ends))
    return sa.and_(Offer.superseded_at.is_(None), sa.or_(undecided, declined, signoff))


def _viewed() -> sa.ColumnElement[bool]:
    return Offer.first_viewed_at.is_not(None)


def _facts(row: Any) -> OfferFacts:
    return OfferFacts(
        id=row.id, sent_at=row.sent_at, first_viewed_at=row.first_viewed_at, last_viewed_at=row.last_viewed_at,
        valid_until=row.valid_until, decided_at=row.decided_at, signoff_asked_at=row.signoff_asked_at,
        is_open=row.offer_kind in OPEN_KINDS, is_shared=bool(row.is_shared),
        declined_for_price=row.offer_kind == OfferKind.DECLINED,
    )  # fmt: skip


def _due_reminders(until: datetime, user_id: UUID | None) -> Sequence[Any]:
    statement = with_reading(
        sa.select(
            Reminder.id.label("reminder_id"), Reminder.title, Reminder.due_at, Reminder.kind, Reminder.is_pinned,
            Reminder.is_all_day, Reminder.priority, Reminder.offer_id, *_OFFER, *_PATIENT,
        )
        .outerjoin(Offer, sa.and_(Offer.clinic_id == Reminder.clinic_id, Offer.id == Reminder.offer_id))
        .outerjoin(
            Patient,
            sa.and_(
                Patient.clinic_id == Reminder.clinic_id,
                Patient.id == sa.func.coalesce(Reminder.patient_id, Offer.primary_patient_id),
            ),
        )
    ).where(Reminder.status == ReminderStatus.OPEN, Reminder.due_at < until)  # fmt: skip
    if user_id is not None:
        statement = statement.where(sa.or_(Reminder.assigned_to_id == user_id, Reminder.assigned_to_id.is_(None)))
    statement = statement.order_by(Reminder.is_pinned.desc(), Reminder.due_at, Reminder.id)
    return current_session().execute(statement.limit(sa.literal_column(str(MOST)))).all()


def _reminder_task(row: Any, moment: datetime) -> Task:
    reason = Reason.PINNED if row.is_pinned else Reason.OVERDUE if row.due_at < moment else Reason.DUE
    return Task((Signal(reason, row.due_at),), reminder_id=row.reminder_id, offer_id=row.offer_id)


def _settled(offer_ids: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """Return which reasons of these offers somebody has dealt with, or put off."""
    if not offer_ids:
        return set()
    statement = sa.select(Reminder.offer_id, Reminder.cause).where(
        Reminder.offer_id.in_(offer_ids), Reminder.cause.startswith(CAUSE_PREFIX)
    )
    return {(row.offer_id, row.cause) for row in current_session().execute(statement)}
