"""No reference crosses from one clinic to another, whichever way it is written: random references, random rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import orm
from uuid_utils.compat import uuid7

from portal.auth.models import AccountToken, AccountTokenKind, LoginSession, User, UserPermission
from portal.catalog.enums import PriceVariant
from portal.catalog.models import CatalogTreatment, PriceList, PriceListVariant, TreatmentComponent
from portal.core import audit
from portal.core.audit import ActorKind
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import OWNER_BIND, Base, ClinicOwned, PortalSession, bulk_insert, db
from portal.core.jobs import SYSTEM
from portal.core.notifications import Notification
from portal.core.scope import ScopeError
from portal.core.work import clinic_work
from portal.notes.models import Note, NoteRevision
from portal.offers.documents import EventKind, OfferEvent, PdfDocument
from portal.offers.models import Offer, OfferOption, OfferVisit, PatientOffer
from portal.patients.models import Patient, PatientMerge
from portal.privacy.models import (
    AccessAction,
    ConsentChannel,
    ConsentKind,
    Erasure,
    PatientAccess,
    PatientConsent,
    PrivacyText,
    RequestKind,
    SubjectRequest,
)
from portal.records.models import FileKind, PatientFile, PatientMedical
from portal.referrals.models import ReferralGroup, ReferralSource, ReferralTransfer
from portal.reminders.models import CalendarFeed, FollowUpRule, Reminder, Trigger
from portal.settings.models import ClinicImage, PdfTemplate
from portal.sharing.models import OfferQuestion, OfferSignature, SignatureMethod
from portal.support.models import SupportMessage, SupportStatus, SupportTicket

# PostgreSQL's SQLSTATE: no such row in this clinic, against a policy, there already.
FOREIGN_KEY, DENIED, UNIQUE = "23503", "42501", "23505"
REFUSALS = (ScopeError, sa.exc.IntegrityError, sa.exc.ProgrammingError)


@dataclass(frozen=True)
class Reference:
    """A column of one tenant table that points to a row of another."""

    model: Any
    column: str
    parent: Any

    def __repr__(self) -> str:
        return f"{self.model.__tablename__}.{self.column}"


def references() -> list[Reference]:
    """Return every reference between tenant tables, from the models."""
    models = {
        mapper.local_table: mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, ClinicOwned)
    }
    return [
        Reference(model, column.name, models[key.referred_table])
        for table, model in models.items()
        for key in sorted(table.foreign_key_constraints, key=lambda key: sorted(key.column_keys))
        if key.referred_table in models
        for column in key.columns
        if column.name != "clinic_id"
    ]


REFERENCES = sorted(references(), key=repr)


def add_missing_rows(session: PortalSession, status: UUID) -> None:
    """Give the pinned clinic a row in the tables that the template leaves empty."""
    patient, offer, user = (
        session.scalars(sa.select(model).order_by(model.id)).first() for model in (Patient, Offer, User)
    )  # type: ignore[attr-defined]
    session.add_all([
        Note(body="x", patient_id=patient.id, offer_id=offer.id, author_id=user.id),
        Reminder(title="x", due_at=now(), patient_id=patient.id, offer_id=offer.id,
                 created_by_id=user.id, assigned_to_id=user.id),
        LoginSession(user_id=user.id, token_hash=uuid7().bytes, expires_at=now()),
        ticket := SupportTicket(ticket_number="1", subject="x", description="x", created_by=user.id, status_id=status),
    ])  # fmt: skip
    session.flush()
    session.add(SupportMessage(ticket_id=ticket.id, user_id=user.id, body="x"))
    add_offer_rows(session, offer, user)
    add_house_rows(session, patient, user)
    session.flush()


def add_offer_rows(session: PortalSession, offer: Any, user: Any) -> None:
    """Give the pinned clinic what comes with an offer, a package and a document."""
    share = session.scalars(sa.select(PatientOffer).where(PatientOffer.offer_id == offer.id)).first()
    one, other = session.scalars(sa.select(CatalogTreatment.id).order_by(CatalogTreatment.id).limit(2)).all()
    prices = session.scalars(sa.select(PriceList.id).limit(1)).one()
    option, logo = OfferOption(offer_id=offer.id, label="A"), ClinicImage(
        mime="image/png", content=b"x", sha256="0" * 64, width=1, height=1
    )  # fmt: skip
    session.add_all([option, logo])
    session.flush()
    session.add_all([
        OfferVisit(offer_id=offer.id, visit_no=1),
        OfferEvent(offer_id=offer.id, patient_offer_id=share.id, kind=EventKind.OPENED),
        PdfDocument(offer_id=offer.id, locale="xx", content_sha256="0" * 64, sha256="0" * 64, content=b"x"),
        OfferQuestion(offer_id=offer.id, patient_offer_id=share.id, body="?", answered_by_id=user.id),
        OfferSignature(offer_id=offer.id, patient_offer_id=share.id, option_id=option.id, accepted_lines=[],
                       signer_name="x", method=SignatureMethod.TYPED, content_sha256="0" * 64, locale="tr"),
        TreatmentComponent(package_id=one, component_id=other),
        PriceListVariant(price_list_id=prices, catalog_id=one, variant=PriceVariant.PONTIC, unit_price=1),
        PdfTemplate(name="x", body="", logo_id=logo.id),
    ])  # fmt: skip
    audit.record(SYSTEM, "tests.added", Note)


def add_house_rows(session: PortalSession, patient: Any, user: Any) -> None:
    """Give the pinned clinic what comes with its staff, its patients' records and their privacy."""
    note = session.scalars(sa.select(Note).order_by(Note.id.desc())).first()
    source, hashed = session.scalars(sa.select(ReferralSource.id).limit(1)).one(), "0" * 64
    session.add_all([
        file := PatientFile(patient_id=patient.id, kind=FileKind.XRAY, storage_key=str(uuid7()), filename="x.png",
                            mime="image/png", size=1, sha256=hashed, uploaded_by_id=user.id),
        text := PrivacyText(kind=ConsentKind.NOTICE, locale="xx", version_no=1, body="x", sha256=hashed),
        request := SubjectRequest(patient_id=patient.id, kind=RequestKind.ACCESS, received_on=now().date(),
                                  due_on=now().date(), handled_by_id=user.id),
        ReferralGroup(name="x"),
        ReferralTransfer(from_id=source, to_id=source, patient_ids=[], actor_id=user.id),
        FollowUpRule(name="x", trigger=Trigger.UNOPENED, delay_hours=1, title="x", assignee_id=user.id),
        CalendarFeed(user_id=user.id, token_hash=uuid7().bytes),
        NoteRevision(note_id=note.id, body="x", edited_by_id=user.id),
        Notification(user_id=user.id, kind="x", object_type="notes", object_id=note.id),
        UserPermission(user_id=user.id, permission="x", is_granted=True),
        AccountToken(user_id=user.id, kind=AccountTokenKind.RESET, token_hash=uuid7().bytes, expires_at=now()),
        PatientMedical(patient_id=patient.id, sealed=b"x", key_id="x", reviewed_by_id=user.id),
        PatientMerge(kept_id=patient.id, merged_id=patient.id, moved={}, before={}, actor_id=user.id),
    ])  # fmt: skip
    session.flush()
    session.add_all([
        PatientConsent(patient_id=patient.id, kind=ConsentKind.NOTICE, text_id=text.id, text_sha256=hashed,
                       channel=ConsentChannel.PAPER, given_at=now(), file_id=file.id, recorded_by_id=user.id),
        PatientAccess(patient_id=patient.id, actor_kind=ActorKind.USER, actor_name="x", action=AccessAction.VIEW),
        Erasure(patient_id=patient.id, actor_id=user.id, request_id=request.id, reason="x", emptied={}, sha256=hashed),
    ])  # fmt: skip


def by_attribute(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    setattr(row, reference.column, foreign["id"])
    session.flush()


def by_attribute_with_clinic(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    row.clinic_id = foreign["clinic_id"]
    setattr(row, reference.column, foreign["id"])
    session.flush()


def by_relationship(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    stranger = reference.parent(clinic_id=foreign["clinic_id"], id=foreign["id"])
    orm.make_transient_to_detached(stranger)
    relationships = [
        item.key for item in sa.inspect(reference.model).relationships
        if any(column.name == reference.column for column in item.local_columns)
    ]  # fmt: skip
    for name in relationships:
        setattr(row, name, stranger)
    if not relationships:
        setattr(row, reference.column, stranger.id)
    session.flush()


def by_new_object(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    session.add(reference.model(**{**copied(row), reference.column: foreign["id"]}))
    session.flush()


def by_bulk_insert(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    bulk_insert(reference.model, [{**copied(row), reference.column: foreign["id"]}])


def by_bulk_update(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    session.execute(sa.update(reference.model).where(*key_of(row)).values({reference.column: foreign["id"]}))


def by_raw_update(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    table = reference.model.__table__
    session.connection().execute(sa.update(table).where(*key_of(row)).values({reference.column: foreign["id"]}))


def by_raw_move(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    values = {"clinic_id": foreign["clinic_id"], reference.column: foreign["id"]}
    session.connection().execute(sa.update(reference.model.__table__).where(*key_of(row)).values(values))


def key_of(row: Any) -> list[Any]:
    """Return the conditions that pick one row."""
    return [getattr(type(row), column.key) == getattr(row, column.key) for column in sa.inspect(type(row)).primary_key]


def by_raw_insert(session: PortalSession, reference: Reference, row: Any, foreign: Any) -> None:
    values = {**copied(row), "clinic_id": row.clinic_id, reference.column: foreign["id"]}
    session.connection().execute(sa.insert(reference.model.__table__).values(values))


def copied(row: Any) -> dict[str, Any]:
    """Return the columns of a row for a second one that collides with no unique key by chance."""
    columns = {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}
    fresh = {
        "id": uuid7(),
        "name": uuid7().hex,
        "token_hash": uuid7().bytes,
        "email": uuid7().hex,
        "code": uuid7().hex,
        "storage_key": uuid7().hex,
        "form_key": None,
    }
    numbers = {name: uuid7().hex[-12:] for name in ("patient_no", "offer_no", "ticket_number", "term")}
    changed = {**columns, **{name: value for name, value in {**fresh, **numbers}.items() if name in columns}}
    return {name: value for name, value in changed.items() if name != "clinic_id"}


WAYS: list[Callable[..., None]] = [
    by_attribute, by_attribute_with_clinic, by_relationship, by_new_object, by_bulk_insert, by_bulk_update,
    by_raw_update, by_raw_move, by_raw_insert,
]  # fmt: skip


@pytest.fixture(scope="module")
def status(app: Flask) -> Iterator[UUID]:
    """A status that tickets may have; committed, as the platform's rows are another role's to write."""
    key = uuid7()
    with app.app_context():
        owner = db.engines[OWNER_BIND]
    with owner.begin() as connection:
        connection.execute(sa.insert(SupportStatus).values(id=key, key="open", label_tr="Açık", label_en="Open"))
    yield key
    with owner.begin() as connection:
        connection.execute(sa.delete(SupportStatus).where(SupportStatus.id == key))


@pytest.fixture
def both(portal: Flask, papatya: ClinicInfo, lale: ClinicInfo, status: UUID) -> tuple[ClinicInfo, ClinicInfo]:
    """The two clinics, each with a row in every table that refers to another."""
    for clinic in (papatya, lale):
        with clinic_work(portal, clinic.id) as session:
            add_missing_rows(session, status)
    return papatya, lale


def table_rows(portal: Flask, clinic: ClinicInfo) -> dict[str, list[str]]:
    with clinic_work(portal, clinic.id) as session:
        return {
            model.__tablename__: list(
                session.connection().scalars(sa.text(f"SELECT t::text FROM {model.__tablename__} AS t ORDER BY 1"))
            )
            for model in {reference.model for reference in REFERENCES} | {reference.parent for reference in REFERENCES}
        }


def test_there_are_references_to_break() -> None:
    assert len(REFERENCES) >= 25


def test_no_reference_to_another_clinics_row_survives(portal: Flask, both: tuple[ClinicInfo, ClinicInfo]) -> None:
    before = [table_rows(portal, clinic) for clinic in both]
    tried: set[tuple[str, str]] = set()

    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(
        reference=st.sampled_from(REFERENCES), way=st.sampled_from(WAYS), pick=st.integers(0, 50), turned=st.booleans()
    )
    def break_in(reference: Reference, way: Callable[..., None], pick: int, turned: bool) -> None:
        own, other = both[::-1] if turned else both
        with clinic_work(portal, other.id) as session:
            strangers = session.execute(sa.select(reference.parent.clinic_id, reference.parent.id)).mappings().all()
            foreign = dict(strangers[pick % len(strangers)])
        with pytest.raises(REFUSALS) as caught, clinic_work(portal, own.id) as session:  # noqa: PT012 - the whole work must fail
            rows = session.scalars(sa.select(reference.model)).all()
            way(session, reference, rows[pick % len(rows)], foreign)
        # An offer has one signature: a second one is refused as such before its references are looked at.
        refused = (FOREIGN_KEY, DENIED, *([UNIQUE] if reference.model in (OfferSignature, PatientMedical) else []))
        assert getattr(getattr(caught.value, "orig", None), "sqlstate", DENIED) in refused, caught.value
        tried.add((repr(reference), way.__name__))

    break_in()
    assert len(tried) > 120
    assert [table_rows(portal, clinic) for clinic in both] == before


@pytest.mark.parametrize("way", WAYS)
def test_the_same_ways_work_inside_a_clinic(
    way: Callable[..., None], portal: Flask, both: tuple[ClinicInfo, ClinicInfo]
) -> None:
    """Were the ways themselves broken, the test above would prove nothing."""
    reference = next(reference for reference in REFERENCES if repr(reference) == "notes.patient_id")
    with clinic_work(portal, both[0].id) as session:
        note = session.scalars(sa.select(Note)).one()
        home = session.scalars(sa.select(Patient).where(Patient.id != note.patient_id).order_by(Patient.id)).first()
        assert home is not None
        way(session, reference, note, {"clinic_id": home.clinic_id, "id": home.id})
        session.expire_all()
        assert home.id in session.scalars(sa.select(Note.patient_id)).all()
        audit.record(SYSTEM, "tests.changed", Note)
