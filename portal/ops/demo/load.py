"""Loading the demonstration clinics, and filling a clinic with many patients for measuring."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work, platform_work
from portal.ops.demo.clinics import DEMO_CLINICS, DemoClinic, add_platform_people, add_staff
from portal.ops.demo.desk import Desk
from portal.ops.demo.offers import add_offers
from portal.ops.demo.patients import add_patients
from portal.ops.demo.people import Person, people
from portal.ops.demo.reminders import add_reminders
from portal.ops.seed import ensure_clinic, seed_clinic
from portal.patients.models import Patient

BATCH = 1000
MANY_OFFER_EVERY = 10  # about one patient in ten of a large clinic has an offer


def load_demo(app: Flask) -> dict[str, int]:
    """Make the demonstration clinics with their accounts; return subdomain -> patients added.

    A clinic that has patients already keeps what it has.
    """
    with platform_work(app, "load the demonstration"):
        add_platform_people()
    added = {}
    for demo in DEMO_CLINICS:
        clinic_id = open_clinic(app, demo)
        with clinic_work(app, clinic_id):
            crowd = [] if count_patients() else list(crowd_of(demo.subdomain, demo.patients))
            added[demo.subdomain] = len(crowd)
            add_crowd(crowd, first=0, total=len(crowd), every=demo.offer_every)
            if crowd:
                add_reminders(Desk())
    return added


def open_clinic(app: Flask, demo: DemoClinic) -> UUID:
    """Return the id of a clinic for trying things out, made if it is missing, seeded and with its accounts."""
    with platform_work(app, f"open the clinic {demo.subdomain}"):
        clinic_id = ensure_clinic(demo.name, demo.subdomain, prices_include_vat=demo.prices_include_vat)
    with clinic_work(app, clinic_id):
        seed_clinic(SYSTEM)
        add_staff(demo.subdomain)
    return clinic_id


def fill_clinic(app: Flask, clinic_id: UUID, subdomain: str, total: int) -> Iterator[int]:
    """Add patients and offers until the clinic has ``total`` patients; yield how many it has after each batch.

    Every batch is committed; called again, it goes on where it stopped.
    """
    with clinic_work(app, clinic_id):
        have = count_patients()
    yield have
    crowd = islice(crowd_of(subdomain, total), have, None)
    while batch := list(islice(crowd, BATCH)):
        with clinic_work(app, clinic_id):
            add_crowd(batch, first=have, total=total, every=MANY_OFFER_EVERY)
        have += len(batch)
        yield have


def count_patients() -> int:
    """Return how many patients the pinned clinic has, the archived ones too."""
    return current_session().execute(sa.select(sa.func.count(Patient.id))).scalar_one()


def crowd_of(subdomain: str, count: int) -> Iterator[Person]:
    """Yield the people who are the patients of the clinic at ``subdomain``, always the same ones."""
    return people(count, seed=zlib.crc32(subdomain.encode()))


def add_crowd(crowd: Sequence[Person], *, first: int, total: int, every: int) -> None:
    """Register people ``first`` and on, of ``total``, in the pinned clinic, with an offer for every ``every``-th."""
    if crowd:
        desk = Desk()
        add_offers(desk, add_patients(desk, crowd, first=first, total=total), every=every)
