"""Jobs of files: what was deleted long ago goes, and so do objects without a row."""

from __future__ import annotations

from portal.core.jobs import SYSTEM, for_each_clinic, queue
from portal.records import file_services


@queue.periodic(cron="40 2 * * *")
@queue.task(name="records.purge_files", queueing_lock="records.purge_files", pass_context=False)
def purge_files(timestamp: int) -> None:
    """Remove the rows of files deleted a month ago, every night."""
    for_each_clinic("purge files", lambda: file_services.purge_files(SYSTEM))


@queue.periodic(cron="10 3 * * *")
@queue.task(name="records.remove_orphans", queueing_lock="records.remove_orphans", pass_context=False)
def remove_orphans(timestamp: int) -> None:
    """Remove stored objects that no row names, every night after the purge."""
    for_each_clinic("remove orphans", file_services.remove_orphans)
