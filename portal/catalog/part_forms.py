"""The form of a package's parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from wtforms import FormField, ValidationError

from portal.catalog.composing import Part
from portal.catalog.forms import PartForm
from portal.catalog.teeth import format_teeth
from portal.core.forms import PortalForm, RowsField, VersionField, choices

MAX_PARTS, EMPTY_ROWS = 20, 3


class PartsForm(PortalForm):
    """The parts of a package."""

    version = VersionField(default=0)
    parts = RowsField(FormField(PartForm), max_entries=MAX_PARTS)

    def __init__(self, *args: Any, treatments: Sequence[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in self.parts:
            row.form.component_id.choices = choices(treatments, empty="—")

    def validate_parts(self, _field: RowsField) -> None:
        """Refuse a treatment that is there twice."""
        chosen = [row.form.component_id.data for row in self.parts if row.form.component_id.data]
        for row in self.parts:
            if chosen.count(row.form.component_id.data) > 1:
                row.form.component_id.errors = [*row.form.component_id.errors, _("This treatment is there twice.")]
                raise ValidationError(_("Name each treatment once."))

    def typed(self) -> list[Part]:
        """Return the parts; call after validation."""
        return [part for row in self.parts if (part := row.form.part())]


def parts_form(version: int, parts: Sequence[Part], treatments: Sequence[tuple[UUID, str]]) -> PartsForm:
    """Return the form of a package with its parts and a few empty rows."""
    rows: list[dict[str, Any]] = [
        {
            "component_id": str(part.component_id), "upper_teeth": format_teeth(part.upper_teeth),
            "lower_teeth": format_teeth(part.lower_teeth), "quantity": part.quantity,
        }
        for part in parts
    ]  # fmt: skip
    blank: list[dict[str, Any]] = [{} for _row in range(min(EMPTY_ROWS, MAX_PARTS - len(rows)))]
    return PartsForm(data={"version": version, "parts": [*rows, *blank]}, treatments=treatments)
