"""How many people a clinic may have, by its package."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.auth.models import User
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.settings.kinds import Whole
from portal.settings.registry import Definition, define, get_setting
from portal.staff.queries import lock_owners

STAFF_LIMIT = define(Definition("package.staff_limit", Whole(1, 100_000), 50, _l("People in the package")))


def staff_limit() -> int:
    """Return how many people who can log in, or are invited, the clinic's package allows."""
    return get_setting(STAFF_LIMIT)


def count_people() -> int:
    """Return how many people of the clinic count against its package."""
    statement = sa.select(sa.func.count()).select_from(User).where(User.is_active)
    return current_session().scalars(statement).one()


def check_room() -> None:
    """Raise RuleError where the package has no room for one more; of two who ask at once, one waits."""
    lock_owners()
    limit = staff_limit()
    if count_people() >= limit:
        raise RuleError(
            _(
                "Your package holds %(num)d people, and all places are taken. Deactivate somebody who has left, "
                "or ask Clinikoop for a larger package.",
                num=limit,
            )
        )
