"""The form that joins two patients: which of their values the kept one has afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField

from portal.core.forms import PortalForm, VersionField, choices

KEPT, OTHER = "kept", "other"


@dataclass(frozen=True)
class Difference:
    """A field in which two patients differ, in words."""

    name: str
    label: str
    kept: str
    other: str

    @property
    def usual(self) -> str:
        """Whose value is offered: the kept one's, where there is one."""
        return KEPT if self.kept else OTHER


class MergeForm(PortalForm):
    """Base of the form, whose fields are what the two differ in."""

    version = VersionField(default=0)
    other_version = VersionField(default=0)

    def taken(self) -> frozenset[str]:
        """Return the fields whose value is to come from the duplicate."""
        return frozenset(name for name, field in self._fields.items() if field.data == OTHER)


def merge_form(differences: Sequence[Difference], **values: Any) -> MergeForm:
    """Return the form over what two patients differ in."""
    sides = choices([(KEPT, _l("of the patient who is kept")), (OTHER, _l("of the duplicate"))])
    fields = {row.name: RadioField(row.label, choices=sides, default=row.usual) for row in differences}
    made: MergeForm = type("TheirMergeForm", (MergeForm,), fields)(**values)
    return made
