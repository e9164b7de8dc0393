"""The activity log: no change without its row, one row a change, and nothing in it that must stay out."""

# ruff: noqa: ARG005 - every shape takes the same arguments, whether it needs them or not

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import PlatformUser, User
from portal.catalog.models import CatalogTreatment
from portal.core import audit
from portal.core.audit import ActivityLog, Actor, ActorKind, PlatformActivityLog, UnloggedChangeError
from portal.core.clinics import ClinicInfo
from portal.core.database import PortalSession, bulk_insert, current_session
from portal.core.jobs import SYSTEM
from portal.core.scope import ClinicScope
from portal.core.work import clinic_work, platform_work
from portal.offers.models import OfferStatus, PatientOffer
from portal.patients.models import Patient, PatientTerm
from portal.referrals.models import ReferralSource
from tests.architecture.markup import read
from tests.support.data import PASSWORD
from tests.support.people import Person

ACTOR = Actor(ActorKind.USER, "Deniz", id=UUID(int=7), ip="192.0.2.1", request_id="request-1")


def patient_of(session: PortalSession) -> Patient:
    return session.scalars(sa.select(Patient).order_by(Patient.id)).first()  # type: ignore[return-value]


def change(session: PortalSession) -> None:
    patient_of(session).city = "Muğla"


def change_and_flush(session: PortalSession) -> None:
    change(session)
    session.flush()


def add(session: PortalSession) -> None:
    session.add(ReferralSource(name="Yeni"))


def delete(session: PortalSession) -> None:
    session.delete(session.scalars(sa.select(PatientOffer)).first())


def update_many(session: PortalSession) -> None:
    session.execute(sa.update(Patient).values(city="Muğla"))


def delete_many(session: PortalSession) -> None:
    session.execute(sa.delete(PatientOffer))


def query_update(session: PortalSession) -> None:
    session.query(Patient).update({"city": "Muğla"})


def insert_many(session: PortalSession) -> None:
    bulk_insert(ReferralSource, [{"name": "Bir"}, {"name": "İki"}])


def change_in_a_savepoint(session: PortalSession) -> None:
    with session.begin_nested():
        change(session)


def change_beside_a_log_row_that_is_rolled_back(session: PortalSession) -> None:
    change_and_flush(session)
    with session.begin_nested() as savepoint:
        audit.record(ACTOR, "x", Patient)
        session.flush()
        savepoint.rollback()


def change_after_a_logged_commit(session: PortalSession) -> None:
    change(session)
    audit.record(ACTOR, "x", Patient)
    session.commit()
    patient_of(session).city = "Aydın"


def change_after_a_rolled_back_log(session: PortalSession) -> None:
    audit.record(ACTOR, "x", Patient)
    session.flush()
    session.rollback()
    change(session)


def change_after_an_unused_log(session: PortalSession) -> None:
    audit.record(ACTOR, "x", Patient)
    session.commit()
    change(session)


UNLOGGED: list[Callable[[PortalSession], None]] = [
    change,
    change_and_flush,
    add,
    delete,
    update_many,
    delete_many,
    query_update,
    insert_many,
    change_in_a_savepoint,
    change_beside_a_log_row_that_is_rolled_back,
    change_after_a_logged_commit,
    change_after_a_rolled_back_log,
    change_after_an_unused_log,
]


@pytest.mark.parametrize("unlogged", UNLOGGED)
def test_a_change_without_a_log_row_is_never_committed(
    unlogged: Callable[[PortalSession], None], portal: Flask, papatya: ClinicInfo
) -> None:
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        unlogged(session)
        with pytest.raises(UnloggedChangeError):
            session.commit()
        session.rollback()
        session.commit()  # what was rolled back is forgotten


@pytest.mark.parametrize("logged", UNLOGGED[:9])
def test_the_same_change_with_a_log_row_is(
    logged: Callable[[PortalSession], None], portal: Flask, papatya: ClinicInfo
) -> None:
    for first in (True, False):
        with clinic_work(portal, papatya.id) as session:
            if first:
                audit.record(ACTOR, "x", Patient)
            logged(session)
            if not first:
                audit.record(ACTOR, "x", Patient)
            if logged in (add, insert_many, delete, delete_many):
                session.flush()
                session.rollback()


def test_touching_a_row_without_changing_it_needs_no_log(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        patient = patient_of(session)
        patient.city = patient.city
        session.flush()


def test_derived_rows_need_no_log(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        bulk_insert(PatientTerm, [{"term": "x", "patient_id": patient_of(session).id}])


def test_a_view_that_forgets_the_log_saves_nothing_and_says_so(
    portal: Flask, coordinator: Person, papatya: ClinicInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clinic_work(portal, papatya.id) as session:
        key = patient_of(session).id
    monkeypatch.setattr("portal.patients.services.audit.record", lambda *_args, **_values: None)
    assert coordinator.post(f"/patients/{key}/archive").status_code == 500
    with clinic_work(portal, papatya.id) as session:
        assert patient_of(session).archived_at is None


def test_hidden_columns_are_named_and_their_values_kept_out(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        patient = patient_of(session)
        patient.last_name, patient.is_active, patient.name_key = "Gizli", False, "gizli"
        audit.record(ACTOR, "patient.changed", patient)
    with clinic_work(portal, papatya.id) as session:
        row = session.scalars(sa.select(ActivityLog).order_by(ActivityLog.id.desc())).first()
    assert row is not None
    assert row.changes == {"last_name": None, "is_active": [True, False]}
    assert (row.actor_name, row.actor_id, row.ip, row.request_id) == ("Deniz", UUID(int=7), "192.0.2.1", "request-1")
    assert (row.object_type, row.object_id) == ("patients", patient.id)


def test_the_platforms_own_actions_go_to_its_own_log(portal: Flask) -> None:
    with platform_work(portal, "test") as session:
        person = session.scalars(sa.select(PlatformUser)).first()
        assert person is not None
        person.name = "Başka"
        audit.record(SYSTEM, "account.changed", person)
    with platform_work(portal, "test") as session:
        row = session.scalars(sa.select(PlatformActivityLog).order_by(PlatformActivityLog.id.desc())).first()
    assert row is not None
    assert row.action == "account.changed"


@pytest.mark.parametrize("statement", [sa.update(ActivityLog).values(actor_name="x"), sa.delete(ActivityLog)])
def test_the_log_can_only_grow(statement: Any, portal: Flask, papatya: ClinicInfo) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), clinic_work(portal, papatya.id) as session:
        session.execute(statement)


def test_every_table_with_personal_or_business_data_is_audited() -> None:
    unaudited = {
        mapper.class_.__tablename__
        for mapper in audit.Base.registry.mappers
        if not issubclass(mapper.class_, audit.Audited)
    }
    assert {"patients", "offers", "treatments", "users", "notes", "settings", "price_list_items"} & unaudited == set()
    assert unaudited == {
        "activity_logs", "platform_activity_logs", "system_logs", "analytics_events",  # logs themselves
        "login_sessions", "platform_sessions", "login_buckets",  # logged as session.started and session.ended
        "patient_terms", "offer_terms", "counters", "pdf_documents",  # derived
        "offer_events", "outbox_mails", "notifications",  # what happened, and what is to be told: beside the log's row
        "patient_access_log",  # a log itself
        "exchange_bulletins", "exchange_rates",  # the bank's, the same for everybody
        "clinics",
    }  # fmt: skip


def test_secrets_of_an_account_stay_out_of_the_log() -> None:
    for model in (User, PlatformUser):
        assert {"password_hash", "email"} <= model.audit_hidden


# What people do, and the one row it leaves. Each step gets the person, and ids of papatya's rows by name.
Step = Callable[[Person, dict[str, Any]], Any]
NEW_PATIENT = {"first_name": "Nazlı", "last_name": "Ergün", "is_active": "y"}


def form_at(person: Person, path: str, **changes: str) -> Any:
    return person.post(path, read(person.get(path).text, path).form(path).data(**changes))


STEPS: list[tuple[str, Step]] = [
    ("patient.created", lambda p, ids: form_at(p, "/patients/new", **NEW_PATIENT)),
    ("patient.changed", lambda p, ids: form_at(p, f"/patients/{ids['patient']}/edit", city="Muğla")),
    ("patient.archived", lambda p, ids: p.post(f"/patients/{ids['patient']}/archive")),
    ("patient.restored", lambda p, ids: p.post(f"/patients/{ids['patient']}/restore")),
    ("patients.exported", lambda p, ids: p.post("/patients/export")),
    ("offer.created", lambda p, ids: form_at(p, f"/offers/new?patient={ids['patient']}", title="Gülüş")),
    ("offer.changed", lambda p, ids: form_at(p, f"/offers/{ids['offer']}/edit", title="Yeni gülüş")),
    ("offer.assigned", lambda p, ids: p.post(f"/offers/{ids['offer']}/patients", {"patient_no": ids["other_no"]})),
    (
        "offer.hidden",
        lambda p, ids: p.post(f"/offers/{ids['offer']}/patients/{ids['recipient']}/visibility", {"visible": "no"}),
    ),
    (
        "offer.shown",
        lambda p, ids: p.post(f"/offers/{ids['offer']}/patients/{ids['recipient']}/visibility", {"visible": "yes"}),
    ),
    ("offer.moved", lambda p, ids: p.post(f"/offers/{ids['offer']}/status", {"status_id": ids["sent"]})),
    ("offers.exported", lambda p, ids: p.post("/offers/export")),
    ("treatment.changed", lambda p, ids: form_at(p, f"/catalog/{ids['treatment']}/edit", duration_min="35")),
    (
        "treatment.created",
        lambda p, ids: form_at(
            p, "/catalog/new", code="yeni-islem", name_tr="Yeni", name_en="New", category_id=ids["category"]
        ),
    ),
    ("catalog.exported", lambda p, ids: p.post("/catalog/export")),
    ("language.changed", lambda p, ids: p.post("/preferences/language", {"language": "tr"})),
    (
        "password.changed",
        lambda p, ids: p.post(
            "/account",
            {
                "current_password": PASSWORD,
                "new_password": "four other quiet words",
                "password_again": "four other quiet words",
            },
        ),
    ),
    ("session.ended", lambda p, ids: p.post("/logout")),
    ("session.started", lambda p, ids: _login(p)),
]


def _login(person: Person) -> Any:
    person.token = None
    return person.post("/login", {"email": "owner@papatya.example.com", "password": "four other quiet words"})


def test_each_thing_done_leaves_exactly_one_row_and_reading_leaves_none(
    portal: Flask, sign_in: Callable[..., Person], papatya: ClinicInfo
) -> None:
    owner, ids = sign_in("owner"), named_ids(portal, papatya)
    for action, step in STEPS:
        before = actions(portal, papatya)
        answer = step(owner, ids)
        assert answer.status_code in (200, 302), (action, answer.text)
        new = actions(portal, papatya)[len(before) :]
        assert [name for name, _who in new] == [action]
        assert {who for _name, who in new} == {"Papatya owner"}, action
        owner.get(f"/patients/{ids['patient']}")
        assert len(actions(portal, papatya)) == len(before) + 1


def test_doing_it_again_without_a_difference_leaves_no_row(
    portal: Flask, sign_in: Callable[..., Person], papatya: ClinicInfo
) -> None:
    owner, ids = sign_in("owner"), named_ids(portal, papatya)
    again = [
        lambda: form_at(owner, f"/patients/{ids['patient']}/edit"),
        lambda: form_at(owner, f"/catalog/{ids['treatment']}/edit"),
        lambda: owner.post(f"/patients/{ids['patient']}/restore"),
        lambda: owner.post(f"/offers/{ids['offer']}/patients/{ids['recipient']}/visibility", {"visible": "yes"}),
        lambda: owner.post("/preferences/language", {"language": "en"}),
    ]
    before = actions(portal, papatya)
    for place, step in enumerate(again):
        assert step().status_code == 302, place
        assert actions(portal, papatya) == before, place


def test_a_refused_attempt_leaves_no_row(portal: Flask, sign_in: Callable[..., Person], papatya: ClinicInfo) -> None:
    viewer, ids = sign_in("readonly"), named_ids(portal, papatya)
    before = actions(portal, papatya)
    for _action, step in STEPS[2:5]:
        assert step(viewer, ids).status_code == 403
    assert actions(portal, papatya) == before


def named_ids(portal: Flask, clinic: ClinicInfo) -> dict[str, Any]:
    with clinic_work(portal, clinic.id) as session:
        recipient, patient, offer = session.execute(
            sa.select(PatientOffer.id, PatientOffer.patient_id, PatientOffer.offer_id).order_by(PatientOffer.id)
        ).first()  # type: ignore[misc]
        return {
            "recipient": recipient, "patient": patient, "offer": offer,
            "other_no": session.scalars(sa.select(Patient.patient_no).where(Patient.id != patient)).first(),
            "sent": str(session.scalars(sa.select(OfferStatus.id).where(OfferStatus.kind == "sent")).one()),
            "category": str(session.scalars(sa.select(CatalogTreatment.category_id)).first()),
            "treatment": session.scalars(sa.select(CatalogTreatment.id).order_by(CatalogTreatment.id)).first(),
        }  # fmt: skip


def actions(portal: Flask, clinic: ClinicInfo) -> list[tuple[str, str]]:
    with clinic_work(portal, clinic.id) as session:
        rows = session.execute(
            sa.select(ActivityLog.action, ActivityLog.actor_name).order_by(ActivityLog.at, ActivityLog.id)
        )
        return [(row.action, row.actor_name) for row in rows]
