"""A clinic's own values under keys: small settings, and what a colleague keeps for later."""

from __future__ import annotations

import sqlalchemy as sa

from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.settings.models import Setting


def find_value(key: str) -> str | None:
    """Return the clinic's value under ``key``, or None."""
    return current_session().scalars(sa.select(Setting.value).where(Setting.key == key)).one_or_none()


def set_value(actor: Actor, key: str, value: str, *, told: bool = True) -> None:
    """Keep a value under ``key``; the log tells it, but for ``told=False`` only that it changed."""
    row = current_session().scalars(sa.select(Setting).where(Setting.key == key)).one_or_none()
    if row is not None and row.value == value:
        return
    before = row.value if row else None
    if row is None:
        row = Setting(key=key, value=value)
        current_session().add(row)
        current_session().flush()
    row.value = value
    audit.record(actor, "setting.changed", row, changes={key: [before, value] if told else None})
