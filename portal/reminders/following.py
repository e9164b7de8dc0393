"""Follow-up rules at work: reminders are made once for each cause, and dropped when the patient acts.

A run makes at most ROWS reminders of each rule in one transaction; the next one goes on. Whatever is killed in between
rolls back whole, and a cause that has its reminder never gets a second: the table keeps rule and cause unique.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.auth.models import User
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clinics import Clinic
from portal.core.clock import now, today
from portal.core.database import current_session, require_scope
from portal.core.scope import ClinicScope
from portal.offers.documents import EventKind, OfferEvent
from portal.offers.models import Offer, OfferKind, OfferStatus, PatientOffer
from portal.offers.rules import OPEN_KINDS
from portal.patients.models import Patient
from portal.reminders.due import NINE, due_moment, next_working_day
from portal.reminders.models import FollowUpRule, Reminder, ReminderStatus, RuleAssignee, Trigger
from portal.reminders.services import cancel_reminder

ROWS = 200
EVENING = 18
_SATURDAY = 5
_Statement = sa.Select[*tuple[Any, ...]]

_VIEWED = sa.exists().where(
    PatientOffer.clinic_id == Offer.clinic_id, PatientOffer.offer_id == Offer.id, PatientOffer.view_count > 0
)
_SHARED = sa.exists().where(
    PatientOffer.clinic_id == Offer.clinic_id, PatientOffer.offer_id == Offer.id, PatientOffer.token_hash.is_not(None)
)
_ANSWERED = sa.orm.aliased(OfferEvent)


def follow_up(actor: Actor) -> tuple[int, int]:
    """Make what the pinned clinic's rules ask for, and drop what is no longer wanted; return how many of each."""
    dropped = _drop_settled(actor)
    made = sum(_follow(actor, rule) for rule in current_session().scalars(_ACTIVE_RULES).all())
    return made, dropped


_ACTIVE_RULES = sa.select(FollowUpRule).where(FollowUpRule.is_active).order_by(FollowUpRule.position, FollowUpRule.id)


def _follow(actor: Actor, rule: FollowUpRule) -> int:
    zone = current_clinic_zone()
    statement = _FINDERS[Trigger(rule.trigger)](rule, zone)
    taken = sa.exists().where(
        Reminder.clinic_id == Offer.clinic_id, Reminder.rule_id == rule.id, Reminder.offer_id == Offer.id,
        Reminder.cause == statement.selected_columns.cause,
    )  # fmt: skip
    rows = current_session().execute(
        statement.where(Offer.superseded_at.is_(None), _may_be_contacted(), ~taken)
        .order_by(Offer.id)
        .limit(sa.literal_column(str(ROWS)))
    )
    return sum(_make(actor, rule, row, zone) for row in rows.all())


def _make(actor: Actor, rule: FollowUpRule, row: Any, zone: str) -> bool:
    reminder = Reminder(
        title=rule.title, kind=rule.kind, priority=rule.priority, rule_id=rule.id, cause=row.cause, offer_id=row.id,
        patient_id=row.primary_patient_id, assigned_to_id=_assignee(rule, row), status=ReminderStatus.OPEN,
        due_at=_due(rule, row.since, zone),
    )  # fmt: skip
    try:
        with current_session().begin_nested():
            current_session().add(reminder)
            current_session().flush()
            audit.record(actor, "reminder.created", reminder, changes={"rule": [None, rule.name]})
    except IntegrityError:  # another worker's, at the same moment
        return False
    return True


def _due(rule: FollowUpRule, since: Any, zone: str) -> datetime:
    """Return when a rule's time has come after what it waits for; an ending offer's, before its last day is over."""
    wait = timedelta(hours=rule.delay_hours)
    if isinstance(since, datetime):
        return working_moment(since + wait, zone)
    end = due_moment(since, None, zone)
    due = working_moment(end - wait, zone)
    return due if due <= end else max(end - wait, now())


def working_moment(moment: datetime, zone: str) -> datetime:
    """Return the moment, or nine on the next working day where it falls outside working hours; never in the past."""
    moment = max(moment, now())
    local = moment.astimezone(ZoneInfo(zone))
    is_working = local.weekday() < _SATURDAY
    if is_working and local.time() >= NINE and local.hour < EVENING:
        return moment
    early = is_working and local.time() < NINE
    return due_moment(local.date() if early else next_working_day(local.date()), NINE, zone)


def _assignee(rule: FollowUpRule, row: Any) -> UUID | None:
    found: Sequence[UUID | None] = {
        RuleAssignee.USER: [rule.assignee_id],
        RuleAssignee.DOCTOR: [row.doctor_id, row.patient_doctor_id, row.coordinator_id],
        RuleAssignee.COORDINATOR: [row.coordinator_id, row.patient_coordinator_id, row.created_by_id],
    }[RuleAssignee(rule.assignee)]
    wanted = next((user_id for user_id in found if user_id), None)
    active = sa.select(User.id).where(User.id == wanted, User.is_active)
    return current_session().scalars(active).one_or_none() if wanted else None


def _may_be_contacted() -> sa.ColumnElement[bool]:
    return sa.or_(Patient.id.is_(None), sa.and_(~Patient.do_not_contact, Patient.anonymised_at.is_(None)))


def _base(since: Any, cause: Any = None) -> _Statement:
    """Return offers with the moment (or the day) a trigger counts from, and the cause it makes.

    The cause names the offer too, for a rule makes one reminder of a cause in the whole clinic; moments are written
    in UTC, so that no server's own zone makes another cause of them.
    """
    if cause is None:
        written = sa.func.to_char(sa.func.timezone("UTC", since), 'YYYY-MM-DD"T"HH24:MI:SS.US')
        cause = sa.func.concat(Offer.id, ":", written)
    return (
        sa.select(
            Offer.id, Offer.primary_patient_id, Offer.coordinator_id, Offer.doctor_id, Offer.created_by_id,
            Patient.coordinator_id.label("patient_coordinator_id"), Patient.doctor_id.label("patient_doctor_id"),
            since.label("since"), sa.cast(cause, sa.Text).label("cause"),
        )
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .outerjoin(Patient, sa.and_(Patient.clinic_id == Offer.clinic_id, Patient.id == Offer.primary_patient_id))
    )  # fmt: skip


def _passed(rule: FollowUpRule, column: Any) -> list[sa.ColumnElement[bool]]:
    return [column >= rule.active_since, column <= now() - timedelta(hours=rule.delay_hours)]


def _unopened(rule: FollowUpRule, _zone: str) -> _Statement:
    statement = _base(Offer.sent_at)
    return statement.where(OfferStatus.kind.in_(OPEN_KINDS), _SHARED, ~_VIEWED, *_passed(rule, Offer.sent_at))


def _undecided(rule: FollowUpRule, _zone: str) -> _Statement:
    statement = _base(Offer.first_viewed_at)
    return statement.where(OfferStatus.kind.in_(OPEN_KINDS), *_passed(rule, Offer.first_viewed_at))


def _expiring(rule: FollowUpRule, zone: str) -> _Statement:
    written = sa.func.to_char(Offer.valid_until, "YYYY-MM-DD")
    statement = _base(Offer.valid_until, sa.func.concat(Offer.id, ":", written))
    ahead, day = timedelta(hours=rule.delay_hours), today(zone)
    first, last = ((moment + ahead).astimezone(ZoneInfo(zone)).date() for moment in (rule.active_since, now()))
    began = sa.or_(Offer.valid_until > first, Offer.sent_at >= rule.active_since)  # to end soon, since the rule acts
    return statement.where(
        OfferStatus.kind.in_(OPEN_KINDS), Offer.valid_until.between(day, last), Offer.sent_at.is_not(None), began
    )


def _decided(kind: OfferKind) -> Callable[[FollowUpRule, str], _Statement]:
    def find(rule: FollowUpRule, _zone: str) -> _Statement:
        statement = _base(Offer.decided_at)
        return statement.where(OfferStatus.kind == kind, *_passed(rule, Offer.decided_at))

    return find


def _questions(rule: FollowUpRule, _zone: str) -> _Statement:
    answered = sa.exists().where(
        _ANSWERED.clinic_id == OfferEvent.clinic_id, _ANSWERED.offer_id == OfferEvent.offer_id,
        _ANSWERED.kind == EventKind.ANSWERED, _ANSWERED.at >= OfferEvent.at,
    )  # fmt: skip
    statement = _base(OfferEvent.at, OfferEvent.id)
    same = sa.and_(OfferEvent.clinic_id == Offer.clinic_id, OfferEvent.offer_id == Offer.id)
    return statement.join(OfferEvent, same).where(
        OfferEvent.kind == EventKind.QUESTION, ~answered, *_passed(rule, OfferEvent.at)
    )


_FINDERS: dict[Trigger, Callable[[FollowUpRule, str], _Statement]] = {
    Trigger.UNOPENED: _unopened,
    Trigger.UNDECIDED: _undecided,
    Trigger.EXPIRING: _expiring,
    Trigger.DECLINED: _decided(OfferKind.DECLINED),
    Trigger.ACCEPTED: _decided(OfferKind.ACCEPTED),
    Trigger.QUESTION: _questions,
}
_CHASED = (Trigger.UNOPENED, Trigger.UNDECIDED, Trigger.EXPIRING)


def _drop_settled(actor: Actor) -> int:
    """Drop the rules' open reminders whose patient has acted, or whose offer a later version replaced.

    A question alone, a "thanks" for example, decides nothing: it drops no reminder, and none that was done comes back.
    """
    answered = sa.exists().where(
        OfferEvent.clinic_id == Offer.clinic_id, OfferEvent.offer_id == Offer.id,
        OfferEvent.kind == EventKind.ANSWERED, OfferEvent.at >= Reminder.created_at,
    )  # fmt: skip
    settled = sa.or_(
        Offer.superseded_at.is_not(None),
        OfferStatus.kind.in_((OfferKind.CANCELLED, OfferKind.EXPIRED)),
        sa.and_(FollowUpRule.trigger.in_(_CHASED), OfferStatus.kind.not_in(OPEN_KINDS)),
        sa.and_(FollowUpRule.trigger == Trigger.UNOPENED, _VIEWED),
        sa.and_(FollowUpRule.trigger == Trigger.DECLINED, OfferStatus.kind != OfferKind.DECLINED),
        sa.and_(FollowUpRule.trigger == Trigger.QUESTION, answered),
    )
    statement = (
        sa.select(Reminder)
        .join(FollowUpRule, _same(FollowUpRule, Reminder.rule_id))
        .join(Offer, _same(Offer, Reminder.offer_id))
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .where(Reminder.status == ReminderStatus.OPEN, settled)
        .order_by(Reminder.id)
        .limit(sa.literal_column(str(ROWS)))
        .with_for_update(of=Reminder, skip_locked=True)
    )
    return sum(cancel_reminder(actor, reminder) for reminder in current_session().scalars(statement).all())


def _same(model: Any, column: Any) -> sa.ColumnElement[bool]:
    return sa.and_(model.clinic_id == Reminder.clinic_id, model.id == column)


def current_clinic_zone() -> str:
    """Return the pinned clinic's time zone."""
    scope = require_scope(current_session())
    assert isinstance(scope, ClinicScope)
    return current_session().get_one(Clinic, scope.clinic_id).timezone
