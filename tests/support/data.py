"""What the template database holds: two clinics with staff, patients and offers, and the platform's people."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import flask_migrate
from PIL import Image

from config import DatabaseUrls, Settings
from portal.app import create_app
from portal.auth.models import PlatformUser, User
from portal.auth.passwords import hash_password
from portal.core import audit
from portal.core.access import ClinicRole, PlatformRole
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session, db
from portal.core.hosts import Host, HostKind
from portal.core.jobs import SYSTEM
from portal.core.keyring import DataKey
from portal.core.work import clinic_work, platform_work
from portal.offers import services as offers
from portal.offers.editing import PriceBook, TypedLine
from portal.offers.models import Offer
from portal.offers.totals import DiscountKind
from portal.ops.seed import ensure_clinic, seed_clinic
from portal.patients import services as patients
from portal.patients.models import Patient
from portal.records.file_services import About, Upload, add_file
from portal.records.models import FileKind, PatientFile

PASSWORD = "tulip meadow window seat"
CLINICS = {
    "papatya": {"name": "Papatya Diş Kliniği", "prices_include_vat": True},
    "lale": {"name": "Lale Ağız ve Diş Sağlığı", "prices_include_vat": False, "domain": "lale-dis.example"},
}
NAMES = {
    "papatya": [("Ayşe", "Yılmaz"), ("Işıl", "Çağlar"), ("İbrahim", "Öztürk")],
    "lale": [("Zeynep", "Gizlioğlu"), ("Hans", "Geheim"), ("Şule", "Saklı")],
}


def settings_for(urls: DatabaseUrls) -> Settings:
    """Return the settings tests run with."""
    base = Settings.from_environment(
        {
            "CLINIKOOP_ENV": "testing", "SECRET_KEY": "only for tests " * 3, "CLINIKOOP_INSTANCE": "/nonexistent",
            "CLINIKOOP_FILES_URL": "memory://tests",
            "CLINIKOOP_DATA_KEYS": DataKey("tests", b"only for tests!!" * 2).written(),
        }
    )  # fmt: skip
    return Settings(**{**base.__dict__, "databases": urls, "instance": Path("/nonexistent"), "log_format": "json"})


def build_template(urls: DatabaseUrls) -> None:
    """Migrate the database of ``urls`` and fill it; its connections are closed, so it can be copied."""
    app = create_app(settings_for(urls))
    with app.app_context():
        flask_migrate.upgrade()
    hashed = hash_password(PASSWORD)
    with platform_work(app, "tests"):
        clinics = {name: ensure_clinic(subdomain=name, **columns) for name, columns in CLINICS.items()}
        for role in PlatformRole:
            _add_person(PlatformUser, f"{role}@admin.example.com", f"Platform {role}", role, hashed)
    for name, clinic_id in clinics.items():
        with clinic_work(app, clinic_id):
            seed_clinic(SYSTEM)
            for role in ClinicRole:
                _add_person(User, f"{role}@{name}.example.com", f"{name.capitalize()} {role}", role, hashed)
            info = app.extensions["clinic_directory"].find(db.engine, Host(HostKind.SUBDOMAIN, name))
            for first, last in NAMES[name]:
                add_offer(info, add_patient(first_name=first, last_name=last), title=f"{last} için teklif")
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def add_patient(**values: Any) -> Patient:
    """Register a patient of the pinned clinic."""
    columns = {"first_name": "Ayşe", "last_name": "Yılmaz", "is_active": True, **values}
    return patients.create_patient(SYSTEM, form_key=None, values=columns)


def add_picture(patient_id: UUID) -> PatientFile:
    """Keep a small X-ray of a patient of the pinned clinic."""
    content = io.BytesIO()
    Image.new("L", (320, 200), 90).save(content, "PNG")
    upload = Upload("x-ray.png", content)
    return add_file(SYSTEM, patient_id, upload, About(FileKind.XRAY), form_key=None)


def add_offer(
    clinic: ClinicInfo, patient: Patient, *, title: str = "Teklif", currency: str = "TRY", **values: Any
) -> Offer:
    """Draft an offer of the pinned clinic with one line of three crowns."""
    day = date.today()
    book = PriceBook(currency, day, "tr", prices_include_vat=clinic.prices_include_vat)
    crown = next(row for row in book.treatments.values() if row.code == "zirkonyum-kron")
    line = TypedLine(crown.id, None, "11-13", None, None, Decimal("8000"), DiscountKind.PERCENT, Decimal(10), None)
    return offers.create_offer(
        SYSTEM, patient, form_key=None, year=day.year, prices_include_vat=clinic.prices_include_vat,
        values={"title": title, "currency": currency, "valid_until": day + timedelta(days=30), **values},
        lines=[book.price_line(line)],
    )  # fmt: skip


def _add_person(model: Any, email: str, name: str, role: str, hashed: str) -> None:
    person = model(email=email, name=name, role=role, password_hash=hashed, locale="en")
    current_session().add(person)
    current_session().flush()
    audit.record(SYSTEM, "account.created", person, changes={})
