"""Jobs of the reminders: follow-up rules every few minutes, and the morning's mail."""

from __future__ import annotations

from portal.core.jobs import SYSTEM, for_each_clinic, queue
from portal.reminders.digest import mail_digests
from portal.reminders.following import follow_up


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="reminders.follow_up", queueing_lock="reminders.follow_up", pass_context=False)
def run_rules(timestamp: int) -> None:
    """Make and drop what each clinic's rules ask for."""
    for_each_clinic("follow-up rules", lambda: follow_up(SYSTEM))


@queue.periodic(cron="*/15 * * * *")
@queue.task(name="reminders.digest", queueing_lock="reminders.digest", pass_context=False)
def mail_mornings(timestamp: int) -> None:
    """Put the morning's mails into the outbox where it is morning; each person's once a day."""
    for_each_clinic("morning digests", mail_digests)
