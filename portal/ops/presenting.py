"""How the operators' pages are written: states, durations, sizes and ages in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from flask_babel import LazyString, format_date, format_decimal, format_timedelta, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.clock import now
from portal.ops.schema.scripts import Phase
from portal.ops.schema.state import State
from portal.ops.schema.tables import Direction, RunStatus, WorkStatus
from portal.ops.services import Work

Words = Mapping[str, LazyString]

RUN_STATES: Words = {
    RunStatus.RUNNING: _l("Running"),
    RunStatus.APPLIED: _l("Applied"),
    RunStatus.FAILED: _l("Failed"),
    RunStatus.INTERRUPTED: _l("Interrupted"),
    RunStatus.ROLLED_BACK: _l("Taken back since"),
}
WORK_STATES: Words = {
    WorkStatus.RUNNING: _l("Running"),
    WorkStatus.OK: _l("In order"),
    WorkStatus.FAILED: _l("Failed"),
}
DIRECTIONS: Words = {
    Direction.UP: _l("Up"),
    Direction.DOWN: _l("Down"),
    Direction.STAMP: _l("Recorded only"),
    Direction.RESTORE: _l("Restored"),
}
PHASES: Words = {
    Phase.EXPAND: _l("Expand: the old release goes on working"),
    Phase.CONTRACT: _l("Contract: deploy the new release first"),
    Phase.BOTH: _l("Expand and contract in one"),
}
WORKS: Words = {
    Work.BACKUP: _l("Backup"),
    Work.REHEARSAL: _l("Rehearsal"),
    Work.VERIFICATION: _l("Verification"),
}
_UNITS = ("kB", "MB", "GB", "TB")


class Standing(StrEnum):
    """Where the database stands, in one word."""

    RUNNING = "running"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    PENDING = "pending"
    CURRENT = "current"


@dataclass(frozen=True)
class Verdict:
    """The state of the database as the page says it: a word, sentences, and the command that comes next."""

    standing: Standing
    label: str
    sentences: list[str]
    command: str | None = None


def verdict(state: State) -> Verdict:
    """Put a state into words."""
    if state.running:
        return Verdict(Standing.RUNNING, _("Running"), [_("A migration is running right now.")])
    if state.problems:
        return Verdict(Standing.DIVERGED, _("Diverged"), _divergence(state), "flask db status")
    if state.unfinished:
        return _stopped(state)
    count = len(state.pending)
    if count:
        label = str(ngettext("%(num)s pending", "%(num)s pending", count))
        text = _("This release has revisions that the database lacks. Rehearse them, then upgrade.")
        return Verdict(Standing.PENDING, label, [text], "flask db upgrade")
    return Verdict(Standing.CURRENT, _("Up to date"), [_("The database has every revision of this release.")])


def _stopped(state: State) -> Verdict:
    names = ", ".join(state.unfinished)
    if any(state.latest[revision].status == RunStatus.FAILED for revision in state.unfinished):
        text = _("%(revision)s failed. What was finished before it stays; mend the cause, then upgrade again.",
                 revision=names)  # fmt: skip
        return Verdict(Standing.FAILED, _("Failed"), [text], "flask db upgrade")
    text = _("%(revision)s was interrupted. The next upgrade goes on where it stopped.", revision=names)
    return Verdict(Standing.INTERRUPTED, _("Interrupted"), [text], "flask db upgrade")


def _divergence(state: State) -> list[str]:
    found = [
        _("The database stands at %(revision)s, which this release does not know.", revision=revision)
        for revision in state.unknown
    ]
    if len(state.heads) > 1:
        found.append(_("This release has several heads: %(heads)s.", heads=", ".join(state.heads)))
    return found + [
        _("%(revision)s was applied with other code than its file has now.", revision=revision)
        for revision in state.edited
    ]


def duration(milliseconds: int | float | None) -> str:
    """Write a duration: milliseconds below a second, then seconds, then minutes with seconds, then hours."""
    if milliseconds is None:
        return "—"
    if milliseconds < 1000:
        return _("%(number)s ms", number=format_decimal(round(milliseconds)))
    seconds = milliseconds / 1000
    if seconds < 60:
        return _("%(number)s s", number=format_decimal(Decimal(seconds), "0.0"))
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return _("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest)
    hours, minutes = divmod(minutes, 60)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)


def size(amount: int | None) -> str:
    """Write a number of bytes with one decimal, in powers of 1024."""
    if amount is None:
        return "—"
    if amount == 0:
        return "0"
    value, unit = amount / 1024, _UNITS[0]
    for unit in _UNITS:
        if abs(value) < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{format_decimal(Decimal(value), '#,##0.0' if abs(value) < 100 else '#,##0')} {unit}"


def count(number: int | None) -> str:
    """Write a count with the language's separators."""
    return "—" if number is None else format_decimal(number)


def percent(part: int, whole: int) -> str:
    """Write a share in whole per cent; 100 only where it is all, and never 0 where there is something."""
    share = part * 100 // whole if whole else 0
    text = _("%(number)s%%", number=max(1, share) if part else 0)
    return f"< {text}" if part and not share else str(text)


def signed(amount: int) -> str:
    """Write how a size has changed, with its sign."""
    return "±0" if amount == 0 else f"{'+' if amount > 0 else '−'}{size(abs(amount))}"


def age(moment: datetime | None) -> str:
    """Write how long ago a moment was: "3 hours ago"."""
    return "" if moment is None else format_timedelta(moment - now(), add_direction=True)


def span(length: timedelta) -> str:
    """Write a rough length of time: "4 minutes"."""
    return format_timedelta(length, threshold=1.2)


def marked(text: str) -> list[str]:
    """Return a revision's sentence in pieces, every second of which is code: ``so``."""
    return (text[:1].upper() + text[1:]).split("``")


def short_day(day: date) -> str:
    """Write a day without its year, for an axis."""
    return format_date(day, "d MMM")
