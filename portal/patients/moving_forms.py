"""The form that moves the patients of one source to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField

from portal.core.forms import PortalForm, Required, VersionField, choices


class MoveForm(PortalForm):
    """Where patients go, how many were shown, and whether their source is archived then."""

    target = SelectField(_l("Move them to"), [Required()])
    archive = BooleanField(_l("Archive the source afterwards"), default=True)
    expected = VersionField(default=0)

    def __init__(self, *args: Any, sources: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.target.choices = choices(((row.id, row.name) for row in sources), empty="")

    def target_id(self) -> UUID:
        """Return the chosen source; call after validation."""
        return UUID(self.target.data)
