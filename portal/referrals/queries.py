"""Reading referral sources, their groups, and what was moved between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.referrals.models import ReferralGroup, ReferralSource, ReferralTransfer

_SOURCES = sa.select(ReferralSource.id, ReferralSource.name, ReferralSource.is_active).order_by(
    ReferralSource.position, ReferralSource.name
)


class SourceState(StrEnum):
    """Which sources a list shows."""

    ACTIVE = "active"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class GroupedSources:
    """The sources of one group, None for those of no group, in the clinic's order."""

    group: ReferralGroup | None
    sources: list[ReferralSource]


def list_sources() -> Sequence[Any]:
    """Return the clinic's sources (id, name, is_active) in its own order; a clinic has a dozen."""
    return current_session().execute(_SOURCES).all()


def list_groups() -> Sequence[ReferralGroup]:
    """Return the clinic's groups in their order."""
    statement = sa.select(ReferralGroup).order_by(ReferralGroup.position, ReferralGroup.name)
    return current_session().scalars(statement).all()


def list_grouped(state: SourceState | None = None) -> list[GroupedSources]:
    """Return the sources of a state, or all, by group; a group without any is left out, those of no group are last."""
    statement = sa.select(ReferralSource).order_by(ReferralSource.position, ReferralSource.name)
    if state is not None:
        statement = statement.where(ReferralSource.is_active.is_(state is SourceState.ACTIVE))
    rows = current_session().scalars(statement).all()
    found = [
        GroupedSources(group, [row for row in rows if row.group_id == (group.id if group else None)])
        for group in (*list_groups(), None)
    ]
    return [part for part in found if part.sources]


def get_source(source_id: UUID) -> ReferralSource:
    """Return a source. Raises NotFoundError, also for another clinic's."""
    statement = sa.select(ReferralSource).where(ReferralSource.id == source_id)
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def list_transfers(source_id: UUID) -> Sequence[ReferralTransfer]:
    """Return when patients were moved from or to a source, the newest first."""
    statement = (
        sa.select(ReferralTransfer)
        .where(sa.or_(ReferralTransfer.from_id == source_id, ReferralTransfer.to_id == source_id))
        .order_by(ReferralTransfer.id.desc())
        .limit(sa.literal_column("20"))
    )
    return current_session().scalars(statement).all()
