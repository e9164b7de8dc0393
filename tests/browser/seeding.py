"""Rows of the browser tests: two and a half pages of patients, offers in many statuses, and an empty clinic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from flask import Flask

from portal.auth.models import User
from portal.auth.passwords import hash_password
from portal.auth.queries import find_account
from portal.catalog.queries import list_price_lists
from portal.core import audit
from portal.core.access import ClinicRole
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session, db
from portal.core.hosts import Host, HostKind
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work, platform_work
from portal.offers import services as offers
from portal.offers.editing import PriceBook, TypedLine
from portal.offers.models import OfferKind
from portal.offers.queries import default_status, list_recipients, list_statuses
from portal.offers.totals import DiscountKind
from portal.ops.schema.tables import Backup, MigrationLog, OpsBase, Rehearsal, Verification
from portal.ops.seed import ensure_clinic, seed_clinic
from portal.patients import services as patients
from portal.patients.models import Patient
from portal.referrals.queries import list_sources
from tests.support.data import PASSWORD, add_offer, add_patient
from tests.support.history import STATEMENT, add, add_sizes, check, statement
from tests.support.privacy import privacy_ids
from tests.support.records import record_ids
from tests.support.reminders import reminder_ids

EMPTY = "bos"
PATIENTS = 60
LONG_OFFER_LINES = 45
FIRST_NAMES = ("Çağla", "Gülşah", "Hans-Jürgen", "İlkay", "Maximiliane", "Öykü", "Şükrü", "Ümmühan", "Yiğitcan", "Zoë")
LAST_NAMES = ("Ağaoğlu", "Büyükkılıç", "Oberstleutnant-Wagner", "Kırmızıtoprak", "İşgüzar", "O’Connor")
WAYS: dict[OfferKind, tuple[OfferKind, ...]] = {
    OfferKind.DRAFT: (),
    OfferKind.SENT: (OfferKind.SENT,),
    OfferKind.NEGOTIATING: (OfferKind.SENT, OfferKind.NEGOTIATING),
    OfferKind.ACCEPTED: (OfferKind.SENT, OfferKind.ACCEPTED),
    OfferKind.DECLINED: (OfferKind.SENT, OfferKind.DECLINED),
    OfferKind.CANCELLED: (OfferKind.CANCELLED,),
}


@dataclass(frozen=True)
class Seeded:
    """Ids of papatya's rows that tests open by their address."""

    patient_id: UUID
    archived_id: UUID
    offer_ids: dict[OfferKind, UUID]
    long_offer_id: UUID
    treatment_id: UUID
    price_list_id: UUID
    recipient_id: UUID
    status_id: UUID
    source_id: UUID
    records: dict[str, UUID]
    privacy: dict[str, UUID]
    user_id: UUID
    log_id: UUID
    rehearsal_id: UUID
    verification_id: UUID


def seed(app: Flask) -> Seeded:
    """Fill the served database."""
    _add_empty_clinic(app)
    with app.app_context():
        papatya = app.extensions["clinic_directory"].find(db.engine, Host(HostKind.SUBDOMAIN, "papatya"))
    with clinic_work(app, papatya.id):
        people = [_add_patient(number) for number in range(PATIENTS)]
        archived = add_patient(first_name="Arşiv", last_name="Kaydı")
        patients.archive_patient(SYSTEM, archived)
        offer_ids = {kind: _add_offer(papatya, people[place], kind) for place, kind in enumerate(WAYS)}
        book = PriceBook("EUR", date.today(), "en", prices_include_vat=papatya.prices_include_vat)
        long_offer_id = _add_long_offer(book, people[0])
        price_list_id = list_price_lists()[0].id
        recipient_id = list_recipients(long_offer_id)[0].id
        ids = (
            people[0].id,
            archived.id,
            offer_ids,
            long_offer_id,
            next(iter(book.treatments)),
            price_list_id,
            recipient_id,
            list_statuses()[0].id,
            list_sources()[0].id,
            record_ids("papatya", people[0].id) | reminder_ids("papatya", people[0].id),
            privacy_ids(people[0].id),
            find_account("doctor@papatya.example.com").id,
        )
    return Seeded(*ids, *_add_history(app))


def _add_history(app: Flask) -> tuple[UUID, UUID, UUID]:
    """Write history of every kind; return a failed run, a rehearsal and a verification with findings."""

    def write(kind: type[OpsBase], **values: object) -> UUID:
        return add(app, kind, **values)

    backup = write(Backup)
    write(Backup, status="failed", error="pg_dump is missing", bytes=None, proven_at=None, encrypted=False)
    long = [statement(number, sql=f"{STATEMENT} -- {number} " * (1 + number % 4)) for number in range(14)]
    rehearsal = write(Rehearsal, status="failed", findings=["After the downgrade: 4 rows became 3."], statements=long)
    found = [{"what": "patient_offers: the offer is missing", "rows": 1000, "fixable": True}]
    verification = write(Verification, status="failed", checks=[check(), check(findings=found)])
    run = write(
        MigrationLog, status="failed", error_class="ForeignKeyViolation", sqlstate="23503", error="violates fk_offers",
        statement=STATEMENT * 3, backup_id=backup, rehearsal_id=rehearsal,
    )  # fmt: skip
    add_sizes(write, 20, {f"table_of_{number}_words": 10_000_000 // (number + 1) for number in range(9)})
    return run, rehearsal, verification


def _add_empty_clinic(app: Flask) -> None:
    with platform_work(app, "browser tests"):
        clinic_id = ensure_clinic(subdomain=EMPTY, name="Boş Klinik", prices_include_vat=True)
    with clinic_work(app, clinic_id):
        seed_clinic(SYSTEM)
        for role in (ClinicRole.COORDINATOR, ClinicRole.READONLY):
            person = User(
                email=f"{role}@{EMPTY}.example.com", name=f"Bos {role}", role=role,
                password_hash=hash_password(PASSWORD), locale="en",
            )  # fmt: skip
            current_session().add(person)
            current_session().flush()
            audit.record(SYSTEM, "account.created", person, changes={})


def _add_patient(number: int) -> Patient:
    return add_patient(
        first_name=FIRST_NAMES[number % len(FIRST_NAMES)], last_name=LAST_NAMES[number % len(LAST_NAMES)],
        phone_raw=f"0532 000 {number:04d}", phone_e164=f"+90532000{number:04d}", city="Kahramanmaraş",
        residence_country="TR", email=f"somebody.with.a.rather.long.address.{number}@example.com",
        notes="Calls after 18:00 only.\nSecond line." if number % 3 == 0 else None,
    )  # fmt: skip


def _add_offer(clinic: ClinicInfo, patient: Patient, kind: OfferKind) -> UUID:
    offer = add_offer(clinic, patient, title=f"Offer that is {kind}", patient_note="See you soon.")
    for step in WAYS[kind]:
        offers.move_offer(SYSTEM, offer, status=default_status(step))
    return offer.id


def _add_long_offer(book: PriceBook, patient: Patient) -> UUID:
    crown = next(row for row in book.treatments.values() if row.code == "zirkonyum-kron")
    day = date.today()
    lines = [
        book.price_line(
            TypedLine(
                crown.id, f"Crown of the {number + 1}th step, with a name that goes on" if number % 9 == 0 else None,
                f"{11 + 10 * (number % 4)}-{17 + 10 * (number % 4)}", None, None, None,
                DiscountKind.PERCENT, Decimal(number), None,
            )
        )
        for number in range(LONG_OFFER_LINES)
    ]  # fmt: skip
    offer = offers.create_offer(
        SYSTEM, patient, form_key=None, year=day.year, prices_include_vat=book.prices_include_vat, lines=lines,
        values={"title": "Rehabilitation of the whole mouth in many steps", "currency": book.currency,
                "valid_until": day + timedelta(days=30)},
    )  # fmt: skip
    return offer.id
