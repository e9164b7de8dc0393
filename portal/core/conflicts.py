"""What two editors of one row set differently, for components/conflict.html."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _

NOTHING = "—"


@dataclass(frozen=True)
class Conflict:
    """A field that two people set differently, in words."""

    label: str
    theirs: str
    yours: str


def column_conflicts(
    form: Any, row: Any, values: Mapping[str, Any], labels: Mapping[str, str | LazyString]
) -> list[Conflict]:
    """Return where the ``values`` of a refused form and a stored row differ, of the columns with a label."""
    return [
        Conflict(str(label), _written(form[name], getattr(row, name)), _written(form[name], values[name]))
        for name, label in labels.items()
        if values[name] != getattr(row, name)
    ]


def _written(field: Any, value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    labels = {choice.value: choice.label for choice in getattr(field, "choices", ())}
    return str(labels.get(str(value), value))
