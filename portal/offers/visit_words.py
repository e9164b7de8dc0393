"""How visits are written for staff."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.templating import day
from portal.offers.visits import TypedVisit


def visit_words(visits: Sequence[TypedVisit]) -> list[str]:
    """Write each visit as one reads it aloud: its number, its days, how long to heal before it, when, and the note."""
    return [_words(number, visit) for number, visit in enumerate(visits, 1)]


def _words(number: int, visit: TypedVisit) -> str:
    parts = [ngettext("visit %(number)s of %(num)d day", "visit %(number)s of %(num)d days", visit.days, number=number)]
    if visit.gap_days and number > 1:
        parts.append(ngettext("after %(num)d day of healing", "after %(num)d days of healing", visit.gap_days))
    if visit.starts_on:
        parts.append(_("proposed from %(day)s", day=day(visit.starts_on)))
    return ", ".join([*parts, *([visit.note] if visit.note else [])])
