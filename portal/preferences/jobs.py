"""Jobs of preferences: what was read at the bell long ago goes."""

from __future__ import annotations

from portal.core.jobs import for_each_clinic, queue
from portal.core.notifications import purge_notifications


@queue.periodic(cron="50 2 * * *")
@queue.task(name="notifications.purge", queueing_lock="notifications.purge", pass_context=False)
def purge(timestamp: int) -> None:
    """Delete notifications that were read three months ago, every night."""
    for_each_clinic("purge notifications", purge_notifications)
