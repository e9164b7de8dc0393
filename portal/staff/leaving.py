"""Somebody leaves, and perhaps comes back: her work goes to colleagues first, and her sessions end at once."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask_babel import gettext as _

from portal.auth.models import User
from portal.auth.services import end_sessions
from portal.auth.tokens import revoke_links
from portal.core import audit
from portal.core.access import ClinicRole
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.staff.handover import reassign_work
from portal.staff.limits import check_room
from portal.staff.queries import lock_owners
from portal.staff.services import check_manages, check_owner_remains


def deactivate_person(actor: Actor, person: User, *, takers: Mapping[str, UUID | None]) -> None:
    """Let somebody in no more, after her work has gone to ``takers``, by the kinds of work.

    Raises RuleError where that is not whoever acts' to do, the last owner would go, or work would be left behind.
    """
    by = check_manages(actor, person)
    if by.id == person.id:
        raise RuleError(_("Nobody deactivates her own account. Ask a colleague."))
    owners = lock_owners()
    current_session().refresh(person, with_for_update=True)
    if not person.is_active:
        return
    if person.role == ClinicRole.OWNER and person.id in owners:
        check_owner_remains(person, owners)
    reassign_work(actor, person, takers)
    person.is_active, person.deactivated_at = False, now()
    person.version += 1
    audit.record(actor, "account.deactivated", person)
    current_session().flush()
    end_sessions(person.id)
    revoke_links(actor, person)


def reactivate_person(actor: Actor, person: User) -> None:
    """Let somebody in again, with the password and the second step she had.

    Raises RuleError where the package has no room, or it is not whoever acts' to do.
    """
    check_manages(actor, person)
    if person.is_active:
        return
    check_room()
    person.is_active, person.deactivated_at = True, None
    person.version += 1
    audit.record(actor, "account.reactivated", person)
