"""The forms of a reminder: what is to be done and when, what came of it, and until when it is put off."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, TimeField, ValidationError
from wtforms.validators import Optional

from portal.core.clock import now
from portal.core.forms import DayField, KeyedForm, LineField, PortalForm, TextField, UuidField, VersionField, choices
from portal.core.identity import current_clinic
from portal.reminders.due import NINE, MissingHourError, due_moment, next_monday, next_working_day
from portal.reminders.labels import KINDS, OUTCOMES, PRIORITIES
from portal.reminders.models import Outcome, Reminder, ReminderKind, ReminderPriority

_FIRST_YEAR, _LATEST_YEAR = 2000, 2100
_THREE_HOURS = timedelta(hours=3)


class Delay(StrEnum):
    """How long a reminder is put off."""

    LATER = "later"
    TOMORROW = "tomorrow"
    MONDAY = "monday"
    DAY = "day"


DELAYS: dict[Delay, LazyString] = {
    Delay.LATER: _l("In three hours"),
    Delay.TOMORROW: _l("On the next working day at nine"),
    Delay.MONDAY: _l("On Monday at nine"),
}


class HourField(TimeField):
    """An hour typed as a browser sends it or as people write it; empty: all day."""

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        super().__init__(label, format=["%H:%M", "%H:%M:%S", "%H.%M"], **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read an hour; raises ValueError with a message that says how to write it."""
        self.data: time | None = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            super().process_formdata([valuelist[0].strip()])
        except ValueError as error:
            raise ValueError(_("This is no time of day. Write it as 14:30.")) from error


class ReminderForm(KeyedForm):
    """What is to be done, when, by whom, and about whom."""

    version = VersionField(default=0)
    patient_id = UuidField()
    offer_id = UuidField()
    title = LineField(_l("What is to be done"), limit=200, required=True)
    kind = SelectField(_l("Kind"))
    day = DayField(_l("Day"), required=True)
    hour = HourField(_l("Time"), description=_l("Leave it empty for a reminder that may be done any time that day."))
    assigned_to_id = SelectField(_l("Who"), [Optional()])
    priority = SelectField(_l("Priority"))
    is_pinned = BooleanField(_l("Keep it on top"))
    description = TextField(_l("More"), limit=5000)

    def __init__(self, *args: Any, people: list[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.due_at: datetime | None = None
        self.kind.choices = choices(KINDS.items())
        self.priority.choices = choices(PRIORITIES.items())
        self.assigned_to_id.choices = choices(people, empty=_("Anybody"))

    def validate_day(self, field: DayField) -> None:
        """Refuse a day that nobody lives to see."""
        if field.data and not _FIRST_YEAR <= field.data.year <= _LATEST_YEAR:
            raise ValidationError(_("This day is too far away."))

    def validate_hour(self, field: HourField) -> None:
        """Refuse an hour that the clinic's clock skips on that day, and name the next one."""
        if self.day.data is None or self.day.errors:
            return
        try:
            self.due_at = due_moment(self.day.data, field.data, current_clinic().timezone)
        except MissingHourError as error:
            raise ValidationError(
                _("On this day the clock is put forward and skips this time. The next one is %(time)s.",
                  time=error.instead.strftime("%H:%M"))
            ) from error  # fmt: skip

    def values(self) -> dict[str, Any]:
        """Return the columns of the reminder; call after validation."""
        return {
            "title": self.title.data, "description": self.description.data or None, "kind": self.kind.data,
            "priority": self.priority.data, "is_pinned": bool(self.is_pinned.data), "due_at": self.due_at,
            "is_all_day": self.hour.data is None, "assigned_to_id": _uuid(self.assigned_to_id.data),
            "patient_id": self.patient_id.data, "offer_id": self.offer_id.data,
        }  # fmt: skip


def reminder_form(
    reminder: Reminder | None, *, people: list[tuple[UUID, str]], given: dict[str, Any] | None = None
) -> ReminderForm:
    """Return the form of a reminder as stored, or of a new one with what is ``given``."""
    if reminder is None:
        tomorrow = next_working_day(_local(now()).date())
        fresh = {"day": tomorrow, "hour": NINE, "kind": ReminderKind.CALL, "priority": ReminderPriority.NORMAL}
        return ReminderForm(data={**fresh, **(given or {})}, people=people)
    local = _local(reminder.due_at)
    shown = {
        "day": local.date(),
        "hour": None if reminder.is_all_day else local.time().replace(second=0, microsecond=0),
    }
    return ReminderForm(obj=reminder, data=shown, people=people)


class DoneForm(PortalForm):
    """What came of a reminder."""

    outcome = SelectField(_l("Outcome"), [Optional()])
    note = LineField(_l("Note"), limit=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcome.choices = choices(OUTCOMES.items(), empty="—")

    @property
    def chosen(self) -> Outcome | None:
        """The outcome, or None."""
        return Outcome(self.outcome.data) if self.outcome.data in set(Outcome) else None


class SnoozeForm(PortalForm):
    """Until when a reminder is put off: a choice, or a day."""

    until = SelectField(_l("Until"), choices=choices((delay, delay) for delay in Delay))
    day = DayField(_l("Day"))

    def moment(self, zone: str) -> datetime:
        """Return when the reminder is due again, in UTC; raises ValueError for a day that is over, or for none."""
        if self.until.data == Delay.DAY:
            day = self.day.data
            if day is None or day.year > _LATEST_YEAR or due_moment(day, NINE, zone) <= now():
                raise ValueError
            return due_moment(day, NINE, zone)
        return delayed(Delay(self.until.data), zone)


def delayed(delay: Delay, zone: str) -> datetime:
    """Return when a delay ends, in UTC: days are the clinic's, and nine is nine by its clock."""
    moment = now()
    if delay is Delay.LATER:
        return moment.replace(second=0, microsecond=0) + _THREE_HOURS
    today = moment.astimezone(ZoneInfo(zone)).date()
    return due_moment(next_monday(today) if delay is Delay.MONDAY else next_working_day(today), NINE, zone)


def _local(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(current_clinic().timezone))


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
