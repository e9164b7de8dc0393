"""Jobs of the offers module: offers expire at the end of their last day, in the clinic's zone."""

from __future__ import annotations

from portal.core.jobs import SYSTEM, for_each_clinic, queue
from portal.offers import services


@queue.periodic(cron="5 * * * *")
@queue.task(name="offers.expire", queueing_lock="offers.expire", pass_context=False)
def expire(timestamp: int) -> None:
    """Mark undecided offers whose last day is over as expired, every hour since zones differ."""
    for_each_clinic("expire offers", lambda: services.expire_offers(SYSTEM))
