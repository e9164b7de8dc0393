"""Filters of the list that a colleague has saved, and what handing offers over last changed: rows of the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext as _

from portal.core.audit import Actor
from portal.core.errors import RuleError
from portal.settings.values import find_value, set_value

MOST = 20
MAX_NAME = 40


def list_filters(user_id: UUID) -> dict[str, str]:
    """Return a colleague's saved filters, as name -> query string, by name."""
    return dict(sorted(json.loads(find_value(_key(user_id)) or "{}").items()))


def save_filter(actor: Actor, name: str, parameters: Mapping[str, str]) -> None:
    """Keep a filter under a name, instead of one of that name; raises RuleError for a bad name or one too many."""
    assert actor.id is not None
    kept = list_filters(actor.id)
    if not 0 < len(name) <= MAX_NAME or (name not in kept and len(kept) >= MOST):
        raise RuleError(_("Write a name of at most 40 letters; 20 filters can be kept."))
    kept[name] = urlencode({key: value for key, value in parameters.items() if value})
    set_value(actor, _key(actor.id), json.dumps(kept, ensure_ascii=False), told=False)


def delete_filter(actor: Actor, name: str) -> None:
    """Forget a saved filter; one that is not there is forgotten already."""
    assert actor.id is not None
    kept = list_filters(actor.id)
    if kept.pop(name, None) is not None:
        set_value(actor, _key(actor.id), json.dumps(kept, ensure_ascii=False), told=False)


def keep_handover(actor: Actor, before: Mapping[UUID, UUID | None]) -> None:
    """Remember who had the offers that were handed over last, so that it can be taken back."""
    text = json.dumps({str(offer_id): str(user_id) if user_id else None for offer_id, user_id in before.items()})
    set_value(actor, f"offers.handover.{actor.id}", text, told=False)


def last_handover(user_id: UUID) -> dict[UUID, UUID | None]:
    """Return who had the offers that a colleague handed over last."""
    kept = json.loads(find_value(f"offers.handover.{user_id}") or "{}")
    return {UUID(offer_id): UUID(had) if had else None for offer_id, had in kept.items()}


def _key(user_id: UUID) -> str:
    return f"offers.filters.{user_id}"
