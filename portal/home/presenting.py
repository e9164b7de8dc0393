"""Today's list as it is read: why a row is there, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import LazyString, format_date, format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.clock import now
from portal.core.identity import current_clinic
from portal.core.templating import local_day, moment
from portal.home.ranking import Reason, Signal
from portal.home.today import TodayRow
from portal.offers.reading import reading_line

# Reason: its name, its icon and its tone; and what the row's button says and where on the offer's page it leads.
REASONS: dict[Reason, tuple[LazyString, str, str]] = {
    Reason.PINNED: (_l("Pinned"), "pin-angle", "purple"),
    Reason.OVERDUE: (_l("Overdue"), "alarm", "red"),
    Reason.OPENED: (_l("Just read"), "eye", "green"),
    Reason.EXPIRING: (_l("Ends soon"), "hourglass-split", "orange"),
    Reason.DUE: (_l("Due today"), "calendar-check", "blue"),
    Reason.SIGNOFF: (_l("Waits for a dentist"), "patch-check", "teal"),
    Reason.UNDECIDED: (_l("Undecided"), "question-circle", "amber"),
    Reason.DECLINED: (_l("Declined for its price"), "x-circle", "pink"),
    Reason.UNOPENED: (_l("Not opened"), "envelope", "grey"),
}
_STEPS: dict[Reason, tuple[LazyString, str]] = {
    Reason.OPENED: (_l("Call while it is fresh"), ""),
    Reason.EXPIRING: (_l("Ask for a decision"), ""),
    Reason.SIGNOFF: (_l("Look and sign off"), "#signoff"),
    Reason.UNDECIDED: (_l("Ask what is open"), ""),
    Reason.DECLINED: (_l("Think of another offer"), ""),
    Reason.UNOPENED: (_l("Ask whether it arrived"), ""),
}


@dataclass(frozen=True)
class RowView:
    """One row with its texts and its addresses."""

    source: TodayRow

    @property
    def row(self) -> Any:
        """The columns of the reminder, the offer and the patient."""
        return self.source.row

    @property
    def badges(self) -> list[tuple[LazyString, str, str]]:
        """Name, icon and tone of each reason, the most pressing first."""
        return [REASONS[signal.reason] for signal in self.source.task.signals]

    @property
    def name(self) -> str:
        """Whom it is about; a reminder about nobody tells its own title."""
        person = f"{self.row.first_name or ''} {self.row.last_name or ''}".strip()
        return person or (self.row.title if self.source.task.reminder_id else _("Without patient"))

    @property
    def url(self) -> str:
        """Where it is dealt with."""
        task = self.source.task
        if task.offer_id:
            return f"/offers/{task.offer_id}{_STEPS.get(task.reason, ('', ''))[1]}"
        return f"/patients/{self.row.patient_id}" if self.row.patient_id else f"/reminders/{task.reminder_id}"

    @property
    def step(self) -> str:
        """What to do next, in a few words: a reminder's own title, or what its reason asks for."""
        task = self.source.task
        return self.row.title if task.reminder_id else str(_STEPS[task.reason][0])

    @property
    def why(self) -> str:
        """The reasons in words, with their moments."""
        return " · ".join(filter(None, (_why(signal, self.row) for signal in self.source.task.signals)))

    @property
    def reading(self) -> str:
        """How the offer's links were read, "" where it has none."""
        return reading_line(self.row) if self.row.is_shared else ""

    @property
    def whatsapp(self) -> str:
        """Where a message to her is written; the words are the sender's."""
        digits = "".join(char for char in self.phone or "" if char.isascii() and char.isdigit())
        return f"https://wa.me/{digits}"

    @property
    def phone(self) -> str | None:
        """The number to call or write to; None where the patient asked not to be contacted."""
        return None if self.row.do_not_contact else self.row.phone_e164


def _why(signal: Signal, row: Any) -> str:
    if signal.reason in (Reason.PINNED, Reason.OVERDUE, Reason.DUE):
        return _("due %(when)s", when=local_day(signal.at) if row.is_all_day else _when(signal.at))
    if signal.reason is Reason.EXPIRING:
        return _("ends on %(day)s", day=format_date(row.valid_until, "EEEE d MMMM"))
    texts = {
        Reason.OPENED: _("read %(when)s", when=_when(signal.at)),
        Reason.SIGNOFF: _("asked %(when)s", when=_when(signal.at)),
        Reason.UNDECIDED: _("first read %(when)s", when=_when(signal.at)),
        Reason.DECLINED: _("declined %(when)s", when=_when(signal.at)),
        Reason.UNOPENED: _("sent %(when)s", when=_when(signal.at)),
    }
    return texts[signal.reason]


def _when(at: datetime) -> str:
    """Write a moment as a colleague would say it: today and yesterday by their names."""
    zone = ZoneInfo(current_clinic().timezone)
    days = (now().astimezone(zone).date() - at.astimezone(zone).date()).days
    if days == 0:
        return _("today at %(time)s", time=format_datetime(at, "HH:mm"))
    if days == 1:
        return _("yesterday at %(time)s", time=format_datetime(at, "HH:mm"))
    return moment(at)


def dealt_with(causes: Sequence[str]) -> str:
    """Return the title of the reminder that remembers what was dealt with."""
    reasons = [Reason(cause.split(":")[1]) for cause in causes if cause.split(":")[1] in set(Reason)]
    return ", ".join(str(_STEPS[reason][0]) for reason in reasons if reason in _STEPS) or _("Dealt with")
