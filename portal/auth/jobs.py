"""Jobs of the auth module: forgetting sessions that have ended."""

from __future__ import annotations

from portal.auth import limits, services
from portal.core.jobs import for_each_clinic, portal_app, queue
from portal.core.work import platform_work


@queue.periodic(cron="17 3 * * *")
@queue.task(name="auth.purge", queueing_lock="auth.purge", pass_context=False)
def purge(timestamp: int) -> None:
    """Delete ended sessions and full buckets, every night."""
    for_each_clinic("purge ended sessions", services.purge_sessions)
    with platform_work(portal_app(), "purge ended sessions"):
        services.purge_sessions()
        limits.purge()
