"""The second wall: every shape of statement returns the pinned clinic's rows or is refused.

Read shapes run twice: as the application's role, and as the tables' owner, whom no policy limits, so that
row-level security cannot hide a hole in the guard.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import orm
from uuid_utils.compat import uuid7

from portal.auth.models import User
from portal.core.clinics import Clinic, ClinicInfo
from portal.core.database import OWNER_BIND, PortalSession, bulk_insert, current_session, db
from portal.core.scope import ClinicScope, PlatformScope, ScopeError
from portal.core.work import clinic_work, platform_work
from portal.offers.models import OfferTerm, Treatment
from portal.patients.models import PatientTerm
from portal.referrals.models import ReferralSource
from tests.core.shapes_reading import OWN, READS, THEIRS, Ids, O, P, names, select
from tests.core.shapes_writing import OBJECTS, RAW, RAW_DENIED, REFUSED, WRITES, own_patient


@pytest.fixture
def theirs(portal: Flask, lale: ClinicInfo) -> Ids:
    with clinic_work(portal, lale.id) as s:
        patient, source, user, treatment, offer = (
            s.scalars(select(model.id).order_by(model.id)).first()  # type: ignore[attr-defined]
            for model in (P, ReferralSource, User, Treatment, O)
        )
    return Ids(lale.id, patient, offer, source, user, treatment)


@pytest.fixture
def pinned(portal: Flask, papatya: ClinicInfo) -> Iterator[PortalSession]:
    """A session in papatya's scope, as the application's role."""
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        yield session
        session.rollback()


@pytest.fixture
def unwalled(portal: Flask, papatya: ClinicInfo) -> Iterator[PortalSession]:
    """A session in papatya's scope whose connection no policy limits: what the guard does not stop shows."""
    with portal.app_context():
        connection = db.engines[OWNER_BIND].connect()
        connection.begin()
        instead, portal.extensions["portal_connections"] = portal.extensions["portal_connections"], {None: connection}
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        yield session
        session.rollback()
        portal.extensions["portal_connections"] = instead
        connection.close()


def test_the_session_without_policies_really_sees_both_clinics(unwalled: PortalSession) -> None:
    assert names(unwalled.connection().execute(sa.text("SELECT last_name FROM patients"))) == OWN | THEIRS


def test_there_are_enough_shapes() -> None:
    assert len(READS) + len(REFUSED) + len(OBJECTS) + len(WRITES) + len(RAW) + len(RAW_DENIED) > 150


@pytest.mark.parametrize("shape", READS)
def test_a_read_returns_the_pinned_clinics_rows(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    assert READS[shape](unwalled, theirs) in (OWN, len(OWN))


@pytest.mark.parametrize("shape", READS)
def test_a_read_works_under_the_policies_as_well(shape: str, pinned: PortalSession, theirs: Ids) -> None:
    assert READS[shape](pinned, theirs) in (OWN, len(OWN))


@pytest.mark.parametrize("shape", REFUSED)
def test_what_cannot_be_limited_is_refused(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    with pytest.raises(ScopeError):
        REFUSED[shape](unwalled, theirs)


@pytest.mark.parametrize("shape", OBJECTS)
def test_an_object_of_the_other_clinic_is_refused(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    with pytest.raises(ScopeError):
        OBJECTS[shape](unwalled, theirs)


@pytest.mark.parametrize("shape", WRITES)
def test_a_bulk_write_reaches_the_pinned_clinics_rows_only(shape: str, unwalled: PortalSession, theirs: Ids) -> None:
    before = rows_of(unwalled, theirs.clinic)
    assert WRITES[shape](unwalled, theirs) == 3
    assert rows_of(unwalled, theirs.clinic) == before


def rows_of(session: PortalSession, clinic_id: UUID) -> list[str]:
    statement = (
        "SELECT t::text FROM patients AS t WHERE clinic_id = :c UNION ALL "
        "SELECT t::text FROM patient_offers AS t WHERE clinic_id = :c ORDER BY 1"
    )
    return list(session.connection().scalars(sa.text(statement), {"c": clinic_id}))


@pytest.mark.parametrize("shape", RAW)
def test_past_the_orm_the_policies_hold(shape: str, pinned: PortalSession, theirs: Ids) -> None:
    assert RAW[shape](pinned, theirs) in (OWN, len(OWN))


@pytest.mark.parametrize("shape", RAW_DENIED)
def test_past_the_orm_the_database_forbids(shape: str, pinned: PortalSession, theirs: Ids) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as caught:
        RAW_DENIED[shape](pinned, theirs)
    assert caught.value.orig.sqlstate == "42501"  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [*READS, *REFUSED, *OBJECTS, *WRITES, *RAW, *RAW_DENIED])
def test_outside_a_scope_everything_is_refused(shape: str, portal: Flask, theirs: Ids) -> None:
    run = {**READS, **REFUSED, **OBJECTS, **WRITES, **RAW, **RAW_DENIED}[shape]
    with portal.app_context(), pytest.raises(ScopeError):
        run(current_session(), theirs)


@pytest.mark.parametrize("shape", ["entity", "subquery", "union", "joined load", "query of an entity"])
def test_the_platforms_role_reads_no_patient_in_any_way(shape: str, portal: Flask, theirs: Ids) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), platform_work(portal, "test") as session:
        READS[shape](session, theirs)


def test_one_statement_built_once_serves_two_clinics_in_turn(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    """The trap of a criteria lambda: a clinic baked in at its first use."""
    statement = select(P.last_name)
    for _round in range(3):
        for clinic, expected in ((papatya, OWN), (lale, THEIRS)):
            with clinic_work(portal, clinic.id) as session:
                assert names(session.scalars(statement)) == expected
                assert names(session.scalars(select(P))) == expected
                assert names(session.scalars(select(orm.aliased(P)))) == expected


def test_a_statement_passed_for_one_clinic_is_still_refused_after_it_grew(pinned: PortalSession) -> None:
    statement = select(P.last_name)
    assert names(pinned.scalars(statement)) == OWN
    with pytest.raises(ScopeError):
        pinned.scalars(statement.where(sa.text("true")))


def test_a_session_cannot_be_pinned_to_two_clinics(portal: Flask, papatya: ClinicInfo, lale: ClinicInfo) -> None:
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        session.pin(ClinicScope(papatya.id))
        for other in (ClinicScope(lale.id), PlatformScope("x")):
            with pytest.raises(ScopeError, match="pinned"):
                session.pin(other)
        assert names(session.scalars(select(P))) == OWN


def test_the_pin_outlives_commits_rollbacks_and_savepoints(portal: Flask, papatya: ClinicInfo) -> None:
    with portal.app_context():
        session = current_session()
        session.pin(ClinicScope(papatya.id))
        for end in (session.commit, session.rollback, session.commit):
            assert names(session.connection().execute(sa.text("SELECT last_name FROM patients"))) == OWN
            with session.begin_nested() as savepoint:
                assert names(session.connection().execute(sa.text("SELECT last_name FROM patients"))) == OWN
                savepoint.rollback()
            end()


def test_a_new_row_gets_the_pinned_clinic(pinned: PortalSession, papatya: ClinicInfo) -> None:
    source = ReferralSource(name="Komşu")
    pinned.add(source)
    pinned.flush()
    assert source.clinic_id == papatya.id


def test_bulk_insert_fills_the_pinned_clinic(pinned: PortalSession, papatya: ClinicInfo) -> None:
    patient = own_patient(pinned)
    bulk_insert(PatientTerm, [{"term": "yeni", "patient_id": patient.id}])
    assert pinned.scalars(select(PatientTerm.clinic_id).where(PatientTerm.term == "yeni")).all() == [papatya.id]


def test_bulk_insert_needs_a_clinics_scope(portal: Flask) -> None:
    with pytest.raises(ScopeError), platform_work(portal, "test"):
        bulk_insert(PatientTerm, [{"term": "x", "patient_id": uuid7(), "clinic_id": uuid7()}])


def test_a_clinic_sees_itself_only(pinned: PortalSession, papatya: ClinicInfo) -> None:
    assert pinned.scalars(select(Clinic.subdomain)).all() == [papatya.subdomain]


def test_the_clinic_of_a_connection_ends_with_its_transaction(app: Flask, papatya: ClinicInfo) -> None:
    """The pool hands a connection on: the next user must not find the last one's clinic."""
    with clinic_work(app, papatya.id) as session:
        session.scalars(select(P)).all()
    with app.app_context():
        for _connection in range(5):
            with db.engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as caught:
                connection.execute(sa.text("SELECT last_name FROM patients"))
            assert caught.value.orig.sqlstate == "42501"  # type: ignore[union-attr]


def test_terms_of_the_other_clinic_are_not_found(unwalled: PortalSession) -> None:
    assert unwalled.scalars(select(PatientTerm.term).where(PatientTerm.term.op("^@")("gizli"))).all() == []
    assert unwalled.scalars(select(OfferTerm.term).where(OfferTerm.term.op("^@")("gizli"))).all() == []
