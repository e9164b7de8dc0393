"""Jobs of the auth module: forgetting sessions that have ended, and mailing links for new passwords."""

from __future__ import annotations

from uuid import UUID

from portal.auth import entering, limits, services
from portal.auth.entering import SEND_RESET
from portal.core.jobs import for_each_clinic, portal_app, queue
from portal.core.work import clinic_work, platform_work


@queue.periodic(cron="17 3 * * *")
@queue.task(name="auth.purge", queueing_lock="auth.purge", pass_context=False)
def purge(timestamp: int) -> None:
    """Delete ended sessions and full buckets, every night."""
    for_each_clinic("purge ended sessions", services.purge_sessions)
    with platform_work(portal_app(), "purge ended sessions"):
        services.purge_sessions()
        limits.purge()


@queue.task(name=SEND_RESET, pass_context=False)
def send_reset(clinic: str, account: str) -> None:
    """Mail a link for a new password, should there be such an account."""
    with clinic_work(portal_app(), UUID(clinic)):
        entering.send_reset(account)
