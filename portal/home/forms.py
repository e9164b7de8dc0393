"""What a row of today's list sends: what it is about, and why it was there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from flask import request

from portal.core.forms import PortalForm, UuidField
from portal.home.ranking import is_cause

MOST = 10  # reasons of one row


class TaskForm(PortalForm):
    """Which reminder, which offer; the causes come as many fields of one name."""

    reminder_id = UuidField()
    offer_id = UuidField()

    @property
    def causes(self) -> list[str]:
        """What the row was there for."""
        return [cause for cause in request.form.getlist("cause") if is_cause(cause)][:MOST]


class _Args(Protocol):
    def get(self, name: str) -> str | None: ...
    def getlist(self, name: str) -> list[str]: ...


class UndoArgs:
    """The same, as an undo's address carries it."""

    def __init__(self, args: _Args) -> None:
        self.reminder_id = _uuid(args.get("reminder_id"))
        self.offer_id = _uuid(args.get("offer_id"))
        self.causes: Sequence[str] = args.getlist("cause")[:MOST]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
