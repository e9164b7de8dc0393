"""Reading referral sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.core.database import current_session
from portal.referrals.models import ReferralSource

_SOURCES = sa.select(ReferralSource.id, ReferralSource.name, ReferralSource.is_active).order_by(
    ReferralSource.position, ReferralSource.name
)


def list_sources() -> Sequence[Any]:
    """Return the clinic's sources (id, name, is_active) in its own order; a clinic has a dozen."""
    return current_session().execute(_SOURCES).all()
