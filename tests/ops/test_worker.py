"""The worker runs jobs from the queue, over a database of its own."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from flask import Flask

from portal.core import jobs
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.work import clinic_work
from portal.offers.models import Offer
from portal.offers.queries import default_status, get_offer
from portal.offers.services import move_offer


def send_an_offer_that_ended_yesterday(app: Flask, clinic: ClinicInfo) -> Offer:
    with clinic_work(app, clinic.id):
        offer_id = current_session().scalars(sa.select(Offer.id)).first()
        offer = get_offer(offer_id)
        move_offer(jobs.SYSTEM, offer, status=default_status("sent"))
        offer.valid_until = date.today() - timedelta(days=2)
    return offer


def test_the_queue_expires_overdue_offers_of_every_clinic_and_logs_it(
    app: Flask, committed: Flask, clinics: dict[str, ClinicInfo]
) -> None:
    overdue = {name: send_an_offer_that_ended_yesterday(committed, clinic) for name, clinic in clinics.items()}
    with jobs.queue.replace_connector(jobs.connector(committed).get_sync_connector()) as waiting, waiting.open():
        waiting.configure_task("offers.expire").defer(timestamp=0)
    jobs.run_worker(committed, wait=False)
    for name, clinic in clinics.items():
        with clinic_work(committed, clinic.id):
            assert get_offer(overdue[name].id).status.kind == "expired"
            logged = current_session().scalars(
                sa.select(ActivityLog.actor_name).where(
                    ActivityLog.action == "offer.expired", ActivityLog.object_id == overdue[name].id
                )
            )
            assert list(logged) == ["Clinikoop"]


def test_the_nightly_purge_is_planned(app: Flask) -> None:
    planned = {periodic.task.name: periodic.cron for periodic in jobs.queue.periodic_registry.periodic_tasks.values()}
    nightly = {"auth.purge": "17 3 * * *", "ops.sizes": "41 3 * * *", "ops.prune": "51 3 * * *"}
    assert ({"offers.expire": "5 * * * *"} | nightly).items() <= planned.items()
