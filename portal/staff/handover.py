"""Work that somebody has and a colleague takes over when she leaves.

Modules above tell what in their tables is somebody's work; see ``register``. Rows are moved by one statement a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _

from portal.auth.models import User, UserPermission
from portal.core import audit
from portal.core.access import ClinicRole, Permission, effective_permissions
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.text import sort_key

Conditions = Callable[[], Sequence[sa.ColumnElement[bool]]]


@dataclass(frozen=True)
class Holding:
    """One kind of work: the column that names whose it is, which rows still matter, and who can take them over."""

    key: str
    label: LazyString
    model: Any
    column: str
    permission: Permission
    conditions: Conditions = tuple


@dataclass(frozen=True)
class Work:
    """How much of one kind somebody has, and the colleagues who can take it over, as (id, name)."""

    holding: Holding
    count: int
    colleagues: Sequence[tuple[UUID, str]]


_holdings: list[Holding] = []


def register(holding: Holding) -> None:
    """Tell of a kind of work."""
    if all(holding.key != known.key for known in _holdings):
        _holdings.append(holding)


def work_labels() -> dict[str, LazyString]:
    """Return what the kinds of work are called."""
    return {holding.key: holding.label for holding in _holdings}


def list_work(user_id: UUID) -> list[Work]:
    """Return what somebody would leave behind, kinds of which there is none left out."""
    found = [(holding, _count(holding, user_id)) for holding in _holdings]
    people = _list_colleagues(user_id) if any(count for _holding, count in found) else []
    return [
        Work(holding, count, [(row_id, name) for row_id, name, may in people if holding.permission in may])
        for holding, count in found
        if count
    ]


def reassign_work(actor: Actor, person: User, takers: Mapping[str, UUID | None]) -> None:
    """Give somebody's work to those who take each kind of it over, or to nobody for now.

    Raises RuleError where a kind has no answer, or a taker may not do that work.
    """
    for work in list_work(person.id):
        if work.holding.key not in takers:
            raise RuleError(_("Somebody gave this colleague more work meanwhile. Look it over once more."))
        taker = takers[work.holding.key]
        if taker is not None and taker not in dict(work.colleagues):
            raise RuleError(_("Choose a colleague of this clinic."))
        moved = sa.update(work.holding.model).where(*_mine(work.holding, person.id))
        current_session().execute(
            moved.values({work.holding.column: taker}), execution_options={"synchronize_session": False}
        )
        name = dict(work.colleagues)[taker] if taker else None
        audit.record(actor, "work.reassigned", person, changes={work.holding.key: [work.count, name]})


def _count(holding: Holding, user_id: UUID) -> int:
    statement = sa.select(sa.func.count()).select_from(holding.model).where(*_mine(holding, user_id))
    return current_session().scalars(statement).one()


def _mine(holding: Holding, user_id: UUID) -> list[sa.ColumnElement[bool]]:
    return [getattr(holding.model, holding.column) == user_id, *holding.conditions()]


def _list_colleagues(user_id: UUID) -> list[tuple[UUID, str, frozenset[Permission]]]:
    """Return everybody else who can log in, by name, with what each may do."""
    session = current_session()
    known = User.is_active, User.password_hash.is_not(None), User.id != user_id
    people = session.execute(sa.select(User.id, User.name, User.role).where(*known)).all()
    overrides: dict[UUID, dict[str, bool]] = {}
    for row in session.execute(sa.select(UserPermission.user_id, UserPermission.permission, UserPermission.is_granted)):
        overrides.setdefault(row.user_id, {})[row.permission] = row.is_granted
    return [
        (row.id, row.name, effective_permissions(ClinicRole(row.role), overrides.get(row.id, {})))
        for row in sorted(people, key=lambda row: sort_key(row.name))
    ]
