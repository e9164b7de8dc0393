"""Writing referral sources: made, changed, put in order, archived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.referrals.models import ReferralGroup, ReferralSource
from portal.referrals.queries import list_grouped

UNIQUE_VIOLATION = "23505"  # PostgreSQL's SQLSTATE
UP, DOWN = -1, 1


class NameTakenError(Exception):
    """Another source of the clinic has this name."""


def create_source(actor: Actor, *, values: Mapping[str, Any], group: str = "") -> ReferralSource:
    """Add a source at the end of the list; a group that is not there yet is made. Raises NameTakenError."""
    last = sa.select(sa.func.coalesce(sa.func.max(ReferralSource.position), -1))
    position = current_session().scalars(last).one() + 1
    with _saving():
        source = ReferralSource(**values, group_id=_group_id(actor, group), position=position)
        current_session().add(source)
        current_session().flush()
        audit.record(actor, "source.created", source, changes={})
    return source


def update_source(
    actor: Actor, source: ReferralSource, *, version: int, values: Mapping[str, Any], group: str = ""
) -> None:
    """Change a source; a group it was the last one of is gone.

    Raises NameTakenError, and StaleVersionError where ``version`` is not the one now stored.
    """
    if source.version != version:
        raise StaleVersionError
    with _saving():
        source.group_id = _group_id(actor, group)
        for name, value in values.items():
            setattr(source, name, value)
        if changes := audit.changes_of(source):
            audit.record(actor, "source.changed", source, changes=changes)
    _drop_empty_groups(actor)


def archive_source(actor: Actor, source: ReferralSource) -> None:
    """Take a source out of forms; its patients keep it."""
    if source.is_active:
        source.is_active, source.archived_at = False, now()
        audit.record(actor, "source.archived", source, changes={})


def restore_source(actor: Actor, source: ReferralSource) -> None:
    """Offer an archived source again."""
    if not source.is_active:
        source.is_active, source.archived_at = True, None
        audit.record(actor, "source.restored", source, changes={})


def shift_source(actor: Actor, source: ReferralSource, *, by: int) -> None:
    """Move a source before (UP) or after (DOWN) its neighbour of the same group and state; at the end it stays."""
    session = current_session()
    session.execute(sa.select(ReferralSource.id).order_by(ReferralSource.id).with_for_update())
    session.expire_all()
    ordered = [row for part in list_grouped() for row in part.sources]
    near = [row for row in ordered if (row.group_id, row.is_active) == (source.group_id, source.is_active)]
    place = near.index(source) + by
    if not 0 <= place < len(near):
        return
    here, there = ordered.index(source), ordered.index(near[place])
    ordered[here], ordered[there] = ordered[there], ordered[here]
    for position, row in enumerate(ordered):
        if row.position != position:  # past the version: nobody's form is about the order
            statement = sa.update(ReferralSource).where(ReferralSource.id == row.id).values(position=position)
            session.execute(statement, execution_options={"synchronize_session": False})
    session.expire_all()
    audit.record(actor, "source.shifted", source, changes={})


@contextmanager
def _saving() -> Iterator[None]:
    """Save what is done inside; raises NameTakenError and StaleVersionError, and then it is not done."""
    session = current_session()
    try:
        with session.begin_nested():
            yield
            session.flush()
    except StaleDataError as error:
        session.rollback()  # so that the source can be read again, as the other one saved it
        raise StaleVersionError from error
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
            raise
        raise NameTakenError from error


def _group_id(actor: Actor, name: str) -> UUID | None:
    """Return the id of the group of a name, made where the clinic has none; None for no name."""
    if not name:
        return None
    session = current_session()
    known = session.scalars(sa.select(ReferralGroup.id).where(ReferralGroup.name == name)).one_or_none()
    if known is not None:
        return known
    group = ReferralGroup(name=name)
    session.add(group)
    session.flush()
    audit.record(actor, "source_group.created", group, changes={"name": [None, name]})
    return group.id


def _drop_empty_groups(actor: Actor) -> None:
    session = current_session()
    used = sa.select(ReferralSource.group_id).where(ReferralSource.group_id.is_not(None))
    for group in session.scalars(sa.select(ReferralGroup).where(ReferralGroup.id.not_in(used))):
        audit.record(actor, "source_group.deleted", group, changes={"name": [group.name, None]})
        session.delete(group)
