"""Jobs of the catalogue: the central bank's rates, every working day."""

from __future__ import annotations

import structlog

from portal.catalog.rates.fetching import FetchError, Source
from portal.catalog.rates.parsing import BulletinError
from portal.catalog.rates.services import store_bulletin
from portal.core.jobs import portal_app, queue
from portal.core.work import platform_work

log = structlog.get_logger("portal.rates")


@queue.periodic(cron="40 12,13 * * 1-5")
@queue.task(name="rates.fetch", queueing_lock="rates.fetch", pass_context=False)
def fetch_rates(timestamp: int) -> None:
    """Store the day's bulletin at 15:40 in Istanbul (UTC+3 all year), and an hour later where the bank was late."""
    try:
        bulletin = Source().newest()
    except (FetchError, BulletinError) as error:
        log.warning("rates.not_fetched", error=str(error))
        return
    with platform_work(portal_app(), "store exchange rates"):
        stored = store_bulletin(bulletin)
    if stored.differs:
        log.warning("rates.differ", day=str(bulletin.day))
    log.info("rates.fetched", day=str(bulletin.day), is_new=stored.is_new)
