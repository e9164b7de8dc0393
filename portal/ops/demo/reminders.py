"""Reminders for the demonstration clinics, around the day they are loaded, and the rules most clinics begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale

from portal.auth.models import User
from portal.core.access import ClinicRole
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.offers.models import Offer, OfferKind
from portal.offers.rules import OPEN_KINDS
from portal.ops.demo.desk import Desk
from portal.reminders.due import due_moment, next_working_day
from portal.reminders.models import Outcome, ReminderKind, ReminderPriority
from portal.reminders.rules import propose_rules
from portal.reminders.services import complete_reminder, create_reminder

_COORDINATOR, _DOCTOR = ClinicRole.COORDINATOR, ClinicRole.DOCTOR


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done: so many working days from today (or before it), at an hour or all day, by whom."""

    title: str
    kind: ReminderKind
    days: int
    hour: time | None
    role: ClinicRole | None = _COORDINATOR
    about: str = "offer"  # or "patient", or "" for nobody
    outcome: Outcome | None = None
    more: tuple[tuple[str, Any], ...] = ()


_PLANS = (
    _Plan("Ara: taksit seçeneklerini sordu", ReminderKind.CALL, -1, time(15)),
    _Plan("WhatsApp'tan klinik fotoğraflarını gönder", ReminderKind.MESSAGE, -1, None),
    _Plan("Teklifi konuş, eşiyle karar verecekti", ReminderKind.CALL, 0, time(11), more=(("is_pinned", True),)),
    _Plan("Uçuş tarihlerini sor", ReminderKind.MESSAGE, 0, time(16, 30)),
    _Plan("Tomografiyi incele, planı onayla", ReminderKind.TASK, 0, None, _DOCTOR),
    _Plan("Laboratuvara ölçü gönder", ReminderKind.TASK, 0, time(14), None, about=""),
    _Plan("Otel için teyit al", ReminderKind.TASK, 1, None, more=(("priority", ReminderPriority.HIGH),)),
    _Plan("Altı ay kontrolüne çağır", ReminderKind.RECALL, 2, time(10), about="patient"),
    _Plan("Dikişlerin durumunu sor", ReminderKind.CALL, 3, time(9, 30), _DOCTOR, about="patient"),
    _Plan("Fiyat listesini yenile", ReminderKind.TASK, 6, None, ClinicRole.OWNER, about=""),
    _Plan("Ara: teklif ulaştı mı?", ReminderKind.CALL, -2, time(10), outcome=Outcome.REACHED),
    _Plan("Ara: randevu ver", ReminderKind.CALL, -3, time(13), outcome=Outcome.BOOKED),
    _Plan("Ara: karar verdi mi?", ReminderKind.CALL, -4, time(12), outcome=Outcome.NO_ANSWER),
)


def add_reminders(desk: Desk) -> int:
    """Give the pinned clinic its rules and some reminders about offers that wait; return how many reminders."""
    with force_locale(desk.clinic.default_locale):
        propose_rules(SYSTEM)
    people = {
        ClinicRole(row.role): row.id for row in current_session().execute(sa.select(User.role, User.id)).all()
    }  # fmt: skip
    offers = _waiting_offers(desk)
    for place, plan in enumerate(_PLANS if offers else ()):
        offer = offers[place % len(offers)]
        about = {"offer": {"offer_id": offer.id}, "patient": {"patient_id": offer.primary_patient_id}, "": {}}
        due_at = _due(desk, plan.days, plan.hour)
        is_past = plan.days == 0 and due_at < now()  # today's is still to come, whenever the demonstration is loaded
        values = {
            "title": plan.title, "kind": plan.kind, "is_all_day": plan.hour is None or is_past,
            "due_at": _due(desk, 0, None) if is_past else due_at, **about[plan.about], **dict(plan.more),
            "assigned_to_id": people.get(plan.role) if plan.role else None,
        }  # fmt: skip
        reminder = create_reminder(SYSTEM, form_key=None, values=values)
        if plan.outcome:
            complete_reminder(SYSTEM, reminder, outcome=plan.outcome)
    return len(_PLANS) if offers else 0


def _waiting_offers(desk: Desk) -> Sequence[Any]:
    wanted = [desk.statuses[kind].id for kind in OfferKind if kind in OPEN_KINDS]
    statement = sa.select(Offer.id, Offer.primary_patient_id).where(Offer.status_id.in_(wanted))
    statement = statement.order_by(Offer.sent_at.desc(), Offer.id).limit(sa.literal_column("12"))
    return current_session().execute(statement).all()


def _due(desk: Desk, days: int, hour: time | None) -> datetime:
    return due_moment(_working_day(desk.year.today, days), hour, desk.clinic.timezone)


def _working_day(day: date, days: int) -> date:
    for _step in range(days):
        day = next_working_day(day)
    return day + timedelta(days=min(days, 0))
