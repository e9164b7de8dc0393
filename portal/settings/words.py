"""Values of settings in the reader's words: for defaults, for conflicts, for the history."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from babel.dates import get_day_names
from flask_babel import gettext

from portal.core.conflicts import NOTHING
from portal.core.forms import plain_number
from portal.core.i18n import language
from portal.core.phones import show_phone
from portal.settings.kinds import Choice, Choices, Clock, Colour, Flag, Hours, Percent, Prefix, Text, Week, Whole
from portal.settings.registry import Definition


def describe(definition: Definition[Any], value: Any) -> str:
    """Write a value of a setting."""
    return _WRITERS[type(definition.kind)](definition.kind, value)


def describe_text(definition: Definition[Any], text: str) -> str:
    """Write what is stored or logged; where no release knows it any more, as it stands."""
    try:
        return describe(definition, definition.kind.read(text))
    except ValueError:
        return text


def hours_lines(week: Week, locale: str) -> list[str]:
    """Write when a clinic is open, days of the same hours together: "Mon–Fri 09:00–18:00". Closed days are left out."""
    names = get_day_names("abbreviated", locale=locale)
    lines = []
    for day, group in groupby(enumerate(week), key=lambda pair: pair[1]):
        places = [place for place, _hours in group]
        if day is not None:
            days = names[places[0]] if len(places) == 1 else f"{names[places[0]]}–{names[places[-1]]}"
            lines.append(f"{days} {day[0]:%H:%M}–{day[1]:%H:%M}")
    return lines


def _text(kind: Text, value: str) -> str:
    return (show_phone(value) if kind.shape == "phone" else value) or NOTHING


_WRITERS: dict[type[Any], Callable[[Any, Any], str]] = {
    Flag: lambda _kind, value: gettext("yes") if value else gettext("no"),
    Whole: lambda _kind, value: str(value),
    Percent: lambda _kind, value: f"{plain_number(value)} %",
    Text: _text,
    Prefix: lambda _kind, value: value or NOTHING,
    Choice: lambda kind, value: str(kind.labels[value]),
    Choices: lambda kind, value: ", ".join(str(kind.labels[choice]) for choice in value),
    Colour: lambda _kind, value: value,
    Clock: lambda kind, value: kind.write(value),
    Hours: lambda _kind, value: ", ".join(hours_lines(value, language())) or NOTHING,
}
