"""The demonstration looks like two clinics at work, adds up, never changes by itself, and goes on where it stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import phonenumbers
import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import PlatformUser, User
from portal.auth.passwords import check_password
from portal.catalog.models import CatalogTreatment
from portal.core.access import ClinicRole, PlatformRole
from portal.core.audit import ActivityLog
from portal.core.clinics import Clinic
from portal.core.clock import now, today
from portal.core.database import PortalSession, current_session
from portal.core.jobs import SYSTEM
from portal.core.numbers import next_number
from portal.core.work import clinic_work, platform_work
from portal.offers.models import Offer, OfferKind, OfferStatus, OfferTerm, PatientOffer, Treatment, TreatmentTooth
from portal.offers.queries import OfferFilter, list_offers, list_statuses, overdue_offers
from portal.offers.totals import DiscountKind, LineInput, offer_totals
from portal.ops.demo import load
from portal.ops.demo.clinics import CLINIC_MAILBOXES, PASSWORD, DemoClinic
from portal.patients.models import Patient, PatientTerm
from portal.patients.queries import PatientFilter, list_patients
from portal.patients.services import create_patient
from portal.reminders.models import FollowUpRule, Reminder, ReminderKind, Trigger

ZONE = "Europe/Istanbul"
TABLES = (
    Patient,
    PatientTerm,
    Offer,
    Treatment,
    TreatmentTooth,
    PatientOffer,
    OfferTerm,
    ActivityLog,
    User,
    Reminder,
    FollowUpRule,
)


class UndoError(Exception):
    """Ends a unit of work so that nothing of it stays."""


def clinic_id(app: Flask, subdomain: str) -> UUID:
    with platform_work(app, "a test") as session:
        return session.scalars(sa.select(Clinic.id).where(Clinic.subdomain == subdomain)).one()


@pytest.fixture(params=["demo", "gulus"])
def clinic(world: Flask, request: pytest.FixtureRequest) -> Iterator[PortalSession]:
    """A demonstration clinic to look at; nothing a test does there stays."""

    with suppress(UndoError), clinic_work(world, clinic_id(world, request.param)) as session:
        yield session
        raise UndoError


def rows(*columns: Any) -> Sequence[Any]:
    return current_session().execute(sa.select(*columns)).all()


def all_of(model: Any) -> Sequence[Any]:
    return rows(*(getattr(model, attribute.key) for attribute in sa.inspect(model).column_attrs))


def offers_by_kind() -> dict[str, list[Any]]:
    kinds = {row.id: row.kind for row in rows(OfferStatus.id, OfferStatus.kind)}
    found: dict[str, list[Any]] = {}
    for offer in all_of(Offer):
        found.setdefault(kinds[offer.status_id], []).append(offer)
    return found


def test_the_clinics_have_the_patients_and_offers_they_are_described_with(world: Flask) -> None:
    sizes = {}
    for demo in load.DEMO_CLINICS:
        with clinic_work(world, clinic_id(world, demo.subdomain)):
            sizes[demo.subdomain] = (load.count_patients(), rows(sa.func.count(Offer.id))[0][0])
    assert sizes == {"demo": (140, 70), "gulus": (60, 30), "bos": (0, 0)}


def test_the_clinics_have_something_to_do_today_and_rules_and_the_empty_one_has_neither(world: Flask) -> None:
    for demo in load.DEMO_CLINICS:
        with clinic_work(world, clinic_id(world, demo.subdomain)):
            found = all_of(Reminder)
            rules = rows(FollowUpRule.title, FollowUpRule.is_active)
        if not demo.patients:
            assert (found, rules) == ([], [])
            continue
        assert len(rules) == len(Trigger)
        is_open = [row for row in found if row.status == "open"]
        assert {row.status for row in found} == {"open", "done"}
        assert {row.kind for row in is_open} == set(ReminderKind)
        assert any(row.due_at < now() for row in is_open), "something is overdue"
        assert any(row.assigned_to_id is None for row in is_open), "something is for anybody"


def test_loading_again_adds_nothing(world: Flask) -> None:
    def counts() -> list[int]:
        found = []
        for demo in load.DEMO_CLINICS:
            with clinic_work(world, clinic_id(world, demo.subdomain)):
                found += [rows(sa.func.count(model.clinic_id))[0][0] for model in TABLES]
        return found

    before = counts()
    assert load.load_demo(world) == {"demo": 0, "gulus": 0, "bos": 0}
    assert counts() == before


def test_every_role_can_sign_in(world: Flask) -> None:
    for demo in load.DEMO_CLINICS:
        with clinic_work(world, clinic_id(world, demo.subdomain)):
            people_of = {row.email: row for row in rows(User.email, User.role, User.password_hash)}
        expected = {f"{box}@{demo.subdomain}.example.com": role for role, box in CLINIC_MAILBOXES.items()}
        assert {email: row.role for email, row in people_of.items()} == expected
        assert check_password(PASSWORD, people_of[f"hekim@{demo.subdomain}.example.com"].password_hash)[0]
    assert set(CLINIC_MAILBOXES) == set(ClinicRole)
    with platform_work(world, "a test"):
        staff = {row.email: row.password_hash for row in rows(PlatformUser.email, PlatformUser.password_hash)}
    assert set(staff) == {f"{role}@clinikoop.example.com" for role in PlatformRole}
    assert check_password(PASSWORD, staff["agent@clinikoop.example.com"])[0]


@pytest.mark.usefixtures("clinic")
def test_patients_come_from_five_countries_and_can_be_called() -> None:
    found = rows(Patient.phone_e164, Patient.phone_raw, Patient.residence_country)
    numbers = [phonenumbers.parse(row.phone_e164) for row in found]
    assert all(phonenumbers.is_valid_number(number) for number in numbers)
    assert [phonenumbers.region_code_for_number(number) for number in numbers] == [
        row.residence_country for row in found
    ]
    assert len({row.residence_country for row in found}) >= 5


@pytest.mark.usefixtures("clinic")
def test_some_patients_are_inactive_some_archived_and_sources_are_spread() -> None:
    found = rows(Patient.is_active, Patient.archived_at, Patient.referral_source_id)
    assert 0 < sum(not row.is_active for row in found) < len(found) / 4
    assert 0 < sum(row.archived_at is not None for row in found) < len(found) / 4
    sources = Counter(row.referral_source_id for row in found)
    assert len(sources) >= 7
    assert 0 < sources[None] < len(found) / 4


@pytest.mark.usefixtures("clinic")
def test_newest_first_by_id_is_newest_first_by_time_and_number() -> None:
    for model, number in ((Patient, Patient.patient_no), (Offer, Offer.offer_no), (ActivityLog, ActivityLog.action)):
        at = ActivityLog.at if model is ActivityLog else model.created_at
        found = sorted(rows(model.id, at.label("at"), number.label("number")), key=lambda row: row.id)
        written = [row for row in found if not row.number.startswith(("clinic.", "account.", "rule.", "reminder."))]
        assert all(row.id.int >> 80 == int(row.at.timestamp() * 1000) for row in written)
        assert all(row.id.version == 7 for row in written)
        if model is not ActivityLog:
            assert [row.number for row in written] == sorted(row.number for row in written)


@pytest.mark.usefixtures("clinic")
def test_registrations_cover_the_past_year_and_nothing_is_in_the_future() -> None:
    registered = sorted(row.created_at for row in rows(Patient.created_at))
    assert registered[0] < now() - timedelta(days=350)
    assert registered[-1] > now() - timedelta(days=16)
    months = Counter(moment.strftime("%Y-%m") for moment in registered)
    assert len(months) >= 12
    assert max(row.at for row in rows(ActivityLog.at)) <= now()
    for offer in rows(Offer.created_at, Offer.sent_at, Offer.decided_at, Offer.updated_at):
        moments = [moment for moment in (offer.created_at, offer.sent_at, offer.decided_at) if moment]
        assert moments == sorted(moments)
        assert max(moments) <= offer.updated_at <= now()


@pytest.mark.usefixtures("clinic")
def test_every_status_and_currency_occurs() -> None:
    by_kind = offers_by_kind()
    assert set(by_kind) == set(OfferKind)
    assert {offer.currency for offers in by_kind.values() for offer in offers} == {"TRY", "EUR", "GBP"}
    assert all(offer.decided_at for kind in ("accepted", "declined") for offer in by_kind[kind])
    assert not any(offer.sent_at for offer in by_kind["draft"])
    assert all(offer.valid_until < today(ZONE) for offer in by_kind["expired"])


@pytest.mark.usefixtures("clinic")
def test_some_offers_end_within_three_days_and_none_is_overdue() -> None:
    day = today(ZONE)
    assert list_offers(OfferFilter(ends=(day, day + timedelta(days=3))), None, list_statuses()).items
    assert not overdue_offers(day)


@pytest.mark.usefixtures("clinic")
def test_offers_add_up_and_each_line_is_one_the_clinic_could_write() -> None:
    treatments = {row.id: row for row in all_of(CatalogTreatment)}
    teeth = Counter(row.treatment_id for row in rows(TreatmentTooth.treatment_id))
    lines = sorted(all_of(Treatment), key=lambda line: (line.offer_id, line.position))
    grouped = {offer_id: list(group) for offer_id, group in groupby(lines, key=lambda line: line.offer_id)}
    sizes = Counter(len(group) for group in grouped.values())
    assert sizes.pop(45) == 1
    assert set(sizes) <= set(range(1, 9))
    assert len(sizes) >= 5
    for offer in all_of(Offer):
        totals = offer_totals(
            [line_input(line) for line in grouped[offer.id]], prices_include_vat=offer.prices_include_vat
        )
        stored = (offer.subtotal, offer.discount_total, offer.net_total, offer.vat_total, offer.grand_total)
        assert stored == (totals.subtotal, totals.discount, totals.net, totals.vat, totals.gross)
    for line in lines:
        scope = treatments[line.catalog_id].scope
        assert (scope in ("tooth", "multi")) == (teeth[line.id] > 0)
        assert (scope == "arch") == (line.arch is not None)
    assert {line.vat_rate for line in lines} >= {Decimal(0), Decimal(10), Decimal(20)}
    assert {line.discount_kind for line in lines} == {None, *DiscountKind}


def line_input(line: Any) -> LineInput:
    return LineInput(line.quantity, line.unit_price, line.discount_kind, line.discount_value, line.vat_rate)


@pytest.mark.usefixtures("clinic")
def test_an_offer_belongs_to_its_patient_and_is_found_by_number_name_and_phone() -> None:
    primary = {row.id: row.primary_patient_id for row in rows(Offer.id, Offer.primary_patient_id)}
    shown = {(row.offer_id, row.patient_id) for row in rows(PatientOffer.offer_id, PatientOffer.patient_id)}
    assert set(primary.items()) <= shown
    offer = rows(Offer.id, Offer.offer_no, Offer.primary_patient_id)[0]
    patient = current_session().get_one(Patient, (current_session().scope.clinic_id, offer.primary_patient_id))  # type: ignore[union-attr]
    for query in (offer.offer_no, patient.full_name, patient.phone_raw):
        found = list_offers(OfferFilter(query=query), None, list_statuses())
        assert offer.id in {row.id for row in found.items}, query
        if query != offer.offer_no:
            assert patient.id in {row.id for row in list_patients(PatientFilter(query=query), None).items}, query


def test_some_offers_are_shown_to_a_relative_too(world: Flask) -> None:
    with clinic_work(world, clinic_id(world, "demo")):
        shown = Counter(row.offer_id for row in rows(PatientOffer.offer_id))
        hidden = [row for row in rows(PatientOffer.visible) if not row.visible]
    assert max(shown.values()) == 2
    assert hidden


def test_numbers_go_on_after_the_demonstration(clinic: PortalSession) -> None:
    patients = rows(sa.func.count(Patient.id))[0][0]
    patient = create_patient(SYSTEM, form_key=None, values={"first_name": "Yeni", "last_name": "Hasta"})
    assert patient.patient_no == f"{patients + 1:05d}"
    assert clinic.scalars(sa.select(Patient.id).order_by(Patient.id.desc()).limit(1)).one() == patient.id
    years = Counter(int(row.offer_no[:4]) for row in rows(Offer.offer_no))
    for year, count in years.items():
        assert next_number("offer", year) == count + 1


def test_what_happened_to_an_offer_stands_in_its_log(clinic: PortalSession) -> None:
    accepted = offers_by_kind()["accepted"][0]
    logs = clinic.scalars(sa.select(ActivityLog).where(ActivityLog.object_id == accepted.id).order_by(ActivityLog.id))
    told = [(log.action, log.changes.get("status")) for log in logs]
    assert told[0] == ("offer.created", None)
    assert told[-1] == ("offer.moved", ["viewed", "accepted"])


def test_the_same_clinic_on_the_same_day_gets_the_same_rows(world: Flask) -> None:
    wanted = load.open_clinic(world, DemoClinic("Aynı Klinik", "ayni"))

    def make() -> list[Any]:
        found: list[Any] = []
        with suppress(UndoError), clinic_work(world, wanted):
            load.add_crowd(list(load.crowd_of("ayni", 30)), first=0, total=30, every=2)
            for model in (Patient, PatientTerm, Offer, Treatment, TreatmentTooth, PatientOffer):
                found += sorted(map(repr, all_of(model)))
            raise UndoError
        return found

    first = make()
    assert len(first) > 500
    assert make() == first


def test_filling_a_clinic_goes_on_where_it_stopped(world: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "BATCH", 10)
    filled = load.open_clinic(world, DemoClinic("Büyük Klinik", "buyuk"))
    interrupted = load.fill_clinic(world, filled, "buyuk", 35)
    assert [next(interrupted), next(interrupted)] == [0, 10]
    interrupted.close()
    assert list(load.fill_clinic(world, filled, "buyuk", 35)) == [10, 20, 30, 35]
    assert list(load.fill_clinic(world, filled, "buyuk", 35)) == [35]
    with clinic_work(world, filled):
        found = sorted(rows(Patient.patient_no, Patient.email, Patient.created_at))
        assert rows(sa.func.count(Offer.id))[0][0] == 3
    assert [row.patient_no for row in found] == [f"{number:05d}" for number in range(1, 36)]
    assert [row.email for row in found] == [person.email for person in load.crowd_of("buyuk", 35)]
    assert [row.created_at for row in found] == sorted(row.created_at for row in found)
