"""Parts that one module's page shows of another's, so that modules below need not know those above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from portal.core.access import Permission
from portal.core.identity import Identity


@dataclass(frozen=True)
class Panel:
    """A template and what it shows."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Source:
    permission: Permission
    make: Callable[[UUID], Panel]


class PanelBoard:
    """The panels of one kind of page, in the order in which modules are registered."""

    def __init__(self) -> None:
        self._sources: list[_Source] = []

    def add(self, permission: Permission, make: Callable[[UUID], Panel]) -> None:
        """Show what ``make`` returns for an object's id to those who have ``permission``."""
        source = _Source(permission, make)
        if source not in self._sources:
            self._sources.append(source)

    def panels(self, object_id: UUID, identity: Identity) -> list[Panel]:
        """Return the panels for an object that ``identity`` may see."""
        return [source.make(object_id) for source in self._sources if source.permission in identity.permissions]


patient_page = PanelBoard()
offer_page = PanelBoard()
patient_alerts = PanelBoard()  # on top of every page about a patient
