"""What the sweeps over every endpoint need: its address with real ids, and the names that must never show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from portal.auth.models import AccountTokenKind, LoginSession, User
from portal.auth.tokens import make_link
from portal.catalog.models import CatalogTreatment, PriceList
from portal.core import audit
from portal.core.access import Access
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import Base, current_session
from portal.core.gate import declared_access
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.models import Offer, OfferStatus, PatientOffer, Verify
from portal.offers.queries import get_offer
from portal.ops.schema.tables import MigrationLog, Rehearsal, Verification
from portal.patients.merging import merge_patients
from portal.patients.models import Patient
from portal.patients.moving import move_patients
from portal.referrals.queries import list_sources
from portal.reminders.feeds import renew_feed
from portal.reminders.models import FollowUpRule, Reminder, Trigger
from portal.sharing.models import OfferQuestion
from portal.sharing.services import create_link
from tests.architecture.markup import Form, read
from tests.support.data import NAMES, add_offer, add_patient
from tests.support.history import add_sizes, written
from tests.support.people import Person
from tests.support.privacy import privacy_ids
from tests.support.records import record_ids

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Door:
    """One endpoint with one method, and what it declares."""

    endpoint: str
    method: str
    rule: Rule
    access: Access

    def path(self, ids: dict[str, Any]) -> str:
        """Return its address; fails with a clear message where a parameter has no id to stand for it."""
        path = self.rule.rule
        for name in self.rule.arguments:
            assert name in ids, (
                f"{self.endpoint} takes <{name}>, for which the sweep knows no id: "
                "add one to `ids_of` in tests/architecture/conftest.py."
            )
            path = path.replace(f"<uuid:{name}>", str(ids[name])).replace(f"<{name}>", str(ids[name]))
        assert "<" not in path, f"{self.endpoint}: {self.rule.rule} has a parameter that is no uuid and no token"
        return path

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


@pytest.fixture(scope="session")
def doors(app: Flask) -> list[Door]:
    """Every endpoint with every method it takes, static files aside."""
    return [
        Door(rule.endpoint, method, rule, declared_access(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.endswith("static")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.fixture
def history_ids(portal: Flask) -> Iterator[dict[str, UUID]]:
    """Rows of the operators' history, by the parameter name that addresses use; gone after the test."""
    with written(portal) as add:
        add_sizes(add, 3, {"patients": 300_000, "offers": 200_000})
        yield {
            "log_id": add(MigrationLog), "rehearsal_id": add(Rehearsal), "verification_id": add(Verification),
        }  # fmt: skip


@pytest.fixture
def ids_of(portal: Flask, history_ids: dict[str, UUID]) -> Callable[[ClinicInfo], dict[str, Any]]:
    """Return, for a clinic, one id of its own for each parameter name that addresses use."""

    def find(clinic: ClinicInfo) -> dict[str, Any]:
        with clinic_work(portal, clinic.id) as session:
            offer_id, recipient_id, patient_id = session.execute(
                sa.select(PatientOffer.offer_id, PatientOffer.id, PatientOffer.patient_id).order_by(PatientOffer.id)
            ).first()  # type: ignore[misc]
            assert session.get(Offer, (clinic.id, offer_id)) and session.get(Patient, (clinic.id, patient_id))
            token = _link(clinic, session.get_one(Patient, (clinic.id, patient_id)))
            question = OfferQuestion(offer_id=offer_id, patient_offer_id=recipient_id, body="?")
            session.add(question)
            audit.record(SYSTEM, "test", question)
            more = record_ids(clinic.subdomain, patient_id)
            other_id, merge_id = _duplicates(session.get_one(Patient, (clinic.id, patient_id)))
            privacy = privacy_ids(patient_id)
            todo = _todo(patient_id)
            source_id = list_sources()[0].id
            transfer_id = _transfer(source_id)
            treatment_id = session.scalars(sa.select(CatalogTreatment.id).order_by(CatalogTreatment.id)).first()
            status_id = session.scalars(sa.select(OfferStatus.id).order_by(OfferStatus.position)).first()
            price_list_id = session.scalars(sa.select(PriceList.id).order_by(PriceList.id)).first()
            colleague = _colleague()
            invite, reset = (make_link(SYSTEM, colleague, kind) for kind in AccountTokenKind)
            login, feed_token = _login(colleague), _feed(colleague)
        assert treatment_id is not None and price_list_id is not None
        return {
            "patient_id": patient_id, "offer_id": offer_id, "recipient_id": recipient_id, "treatment_id": treatment_id,
            "status_id": status_id, "price_list_id": price_list_id, "source_id": source_id,
            "transfer_id": transfer_id, "other_id": other_id, "merge_id": merge_id,
            "user_id": colleague.id, "invite_token": invite, "reset_token": reset, "session_id": login.id,
            "question_id": question.id, **more, "token": token, "feed_token": feed_token,
            **todo, **privacy, **history_ids,
        }  # fmt: skip

    return find


def _feed(person: User) -> str:
    """Return the secret of a colleague's calendar."""
    token = f"feed-of-{person.id}"
    renew_feed(SYSTEM, user_id=person.id, token=token)
    return token


def _colleague() -> User:
    """Return a colleague whom the sweep may deactivate: nobody who sweeps."""
    person = User(email="colleague@example.com", name="Colleague", role="readonly", locale="en")
    current_session().add(person)
    audit.record(SYSTEM, "test", person, changes={})
    current_session().flush()
    return person


def _todo(patient_id: UUID) -> dict[str, UUID]:
    """Return a reminder and a rule that makes some."""
    reminder = Reminder(title="Call", due_at=now(), patient_id=patient_id, status="open")
    rule = FollowUpRule(name="Rule", trigger=Trigger.UNOPENED, delay_hours=1, title="Ask")
    current_session().add_all([reminder, rule])
    audit.record(SYSTEM, "test", reminder)
    current_session().flush()
    return {"reminder_id": reminder.id, "rule_id": rule.id}


def _login(colleague: User) -> LoginSession:
    """Return a session of a colleague's."""
    login = LoginSession(user_id=colleague.id, token_hash=colleague.id.bytes, expires_at=now() + timedelta(hours=1))
    current_session().add(login)
    current_session().flush()
    return login


def _transfer(source_id: UUID) -> UUID:
    """Return a move of nobody that can be undone."""
    target_id = list_sources()[1].id
    return move_patients(SYSTEM, source_id=target_id, target_id=source_id, expected=0, archive=False).id


def _link(clinic: ClinicInfo, patient: Patient) -> str:
    """Return the token of a link to an offer of its own: the sweep's offer stays a draft."""
    offer = get_offer(add_offer(clinic, patient).id)
    recipient = current_session().scalars(sa.select(PatientOffer).where(PatientOffer.offer_id == offer.id)).one()
    link = create_link(SYSTEM, offer, recipient, patient=patient, method=Verify.CODE, days=7, locale="en")
    return link.token


def _duplicates(patient: Patient) -> tuple[UUID, UUID]:
    """Return a patient who may be joined to another, and a join of another into that one."""
    joined, other = (add_patient(first_name="Duo", last_name=name) for name in ("Eins", "Zwei"))
    versions = (patient.version, joined.version)
    merge = merge_patients(SYSTEM, kept_id=patient.id, merged_id=joined.id, versions=versions, taken=frozenset())
    return other.id, merge.id


@pytest.fixture
def secrets_of() -> Callable[[ClinicInfo], list[str]]:
    """Return, for a clinic, the names that nobody else's page may hold."""

    def names(clinic: ClinicInfo) -> list[str]:
        people = [name for pair in NAMES[clinic.subdomain] for name in pair]
        staff = [f"{clinic.subdomain.capitalize()} owner", f"@{clinic.subdomain}.example.com"]
        return [*people, *staff, clinic.name]

    return names


@pytest.fixture
def rows_of(portal: Flask) -> Callable[..., dict[str, list[str]]]:
    """Return, for a clinic, every row of every table as text, this test's changes included.

    Not the log of reads: looking at a record is noted there, whatever else it must not change.
    """
    tables = [table for table in Base.metadata.sorted_tables if "clinic_id" in table.c]
    tables.remove(Base.metadata.tables["patient_access_log"])

    def rows(clinic: ClinicInfo) -> dict[str, list[str]]:
        connection = portal.extensions["portal_connections"][None]
        found = {}
        with connection.begin_nested() as savepoint:
            connection.execute(sa.text("SELECT set_config('app.clinic_id', :clinic, true)"), {"clinic": str(clinic.id)})
            for table in tables:
                statement = sa.text(f"SELECT t::text FROM {table.name} AS t WHERE clinic_id = :clinic ORDER BY 1")
                found[table.name] = list(connection.scalars(statement, {"clinic": clinic.id}))
            savepoint.rollback()
        return found

    return rows


def filled(person: Person, door: Door, path: str) -> dict[str, list[str]]:
    """Return the fields of the form a person's own pages send to ``path``, where one of them does."""
    if door.method == "GET":
        return {}
    for page in (path, path.rsplit("/", 1)[0], path.rsplit("/", 3)[0], "/patients/", "/offers/", "/catalog/"):
        forms = [form for form in _forms_of(person, page) if form.action == path and form.method == "post"]
        if forms:
            return forms[0].data()
    return {}


_seen: WeakKeyDictionary[Person, dict[str, list[Form]]] = WeakKeyDictionary()


def _forms_of(person: Person, page: str) -> list[Form]:
    """Return the forms of a page as a person first saw it: a sweep asks for the same few pages at every door."""
    known = _seen.setdefault(person, {})
    if page not in known:
        known[page] = read(person.get(page).text, page).forms
    return known[page]
