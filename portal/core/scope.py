"""Whose rows a piece of work may touch.

A scope is pinned to a database session before its first statement and never changes while the
session lives. Without one, every statement raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


class ScopeError(RuntimeError):
    """Work outside a scope, or across the border of the pinned one. Always a programming error."""


@dataclass(frozen=True)
class ClinicScope:
    """Work for one clinic: every tenant statement is limited to its rows."""

    clinic_id: UUID


@dataclass(frozen=True)
class PlatformScope:
    """Work for the platform, as the platform's database role, which cannot read patient tables.

    ``reason`` is what the log says about it.
    """

    reason: str


Scope = ClinicScope | PlatformScope
