"""Writing of privacy: that the log of reads left the portal."""

from __future__ import annotations

from portal.core import audit
from portal.core.audit import Actor
from portal.patients.models import Patient


def record_export(actor: Actor, *, count: int) -> None:
    """Log that the log of reads left the portal as a file, and how many rows of it."""
    audit.record(actor, "reads.exported", Patient, changes={"rows": [None, count]})
