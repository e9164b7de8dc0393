"""The form of a section: a field for each setting, as its kind asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField
from wtforms.widgets import ColorInput, TimeInput

from portal.core.forms import DecimalField, LineField, PortalForm, TextField, choices
from portal.core.text import sort_key
from portal.settings.forms import ChecksField, EmailField, HoursField, KindField, PhoneField, SeenField
from portal.settings.kinds import Choice, Choices, Clock, Colour, Flag, Hours, Percent, Prefix, Text, Whole
from portal.settings.registry import Definition

_LONG = 12  # a longer select is in alphabetical order


def field_name(definition: Definition[Any]) -> str:
    """Return the name of a setting's field."""
    return definition.key.replace(".", "_")


def section_form(definitions: Sequence[Definition[Any]], values: Mapping[str, Any], seen: str) -> PortalForm:
    """Return the form of settings, filled with ``values`` by key unless one was sent; ``seen`` tells what it shows."""
    fields: dict[str, Any] = {field_name(row): _field(row) for row in definitions}
    made = type("SectionForm", (PortalForm,), {**fields, "seen": SeenField()})
    form: PortalForm = made(data={**{field_name(row): values[row.key] for row in definitions}, "seen": seen})
    return form


def _field(definition: Definition[Any]) -> Any:
    return _MAKERS[type(definition.kind)](definition, definition.kind)


def _text(definition: Definition[Any], kind: Text) -> Any:
    if kind.lines:
        return TextField(definition.label, limit=kind.limit)
    if kind.shape == "phone":
        return PhoneField(definition.label, limit=kind.limit)
    if kind.shape == "email":
        return EmailField(definition.label, limit=kind.limit)
    return LineField(definition.label, limit=kind.limit, required=definition.required)


def _choice(definition: Definition[Any], kind: Choice) -> Any:
    pairs = list(kind.labels.items())
    if len(pairs) > _LONG:
        pairs.sort(key=lambda pair: sort_key(str(pair[1])))
    return SelectField(definition.label, choices=choices(pairs))


def _whole(definition: Definition[Any], kind: Whole) -> Any:
    message = _l("Write a whole number from %(low)d to %(high)d.", low=kind.low, high=kind.high)
    return KindField(definition.label, kind=kind, message=message, render_kw={"inputmode": "numeric"})


_MAKERS: dict[type[Any], Callable[[Definition[Any], Any], Any]] = {
    Flag: lambda row, _kind: BooleanField(row.label),
    Whole: _whole,
    Percent: lambda row, kind: DecimalField(row.label, low=kind.low, high=kind.high, required=True),
    Text: _text,
    Choice: _choice,
    Choices: lambda row, kind: ChecksField(row.label, choices=choices(kind.labels.items())),
    Prefix: lambda row, kind: KindField(
        row.label,
        kind=kind,
        required=False,
        message=_l("Use up to 4 capitals, digits and hyphens; it starts with a letter and does not end with a digit."),
    ),
    Colour: lambda row, kind: KindField(
        row.label, kind=kind, message=_l("Write the colour as #0f6b6f."), widget=ColorInput()
    ),
    Clock: lambda row, kind: KindField(
        row.label, kind=kind, message=_l("Write the time as 09:30."), widget=TimeInput()
    ),
    Hours: lambda row, _kind: HoursField(row.label),
}
