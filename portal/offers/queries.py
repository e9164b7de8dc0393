"""Reading offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.pagination import Order, Page, every_row, keyset_page
from portal.core.search import Word, begins, query_words
from portal.offers.models import (
    Offer,
    OfferKind,
    OfferOption,
    OfferStatus,
    OfferTerm,
    OfferVisit,
    PatientOffer,
    Treatment,
)
from portal.offers.reading import with_reading
from portal.offers.rules import OPEN_KINDS
from portal.patients.models import Patient, PatientTerm
from portal.patients.numbering import possible_numbers


@dataclass(frozen=True)
class OfferFilter:
    """What a list of offers is limited to."""

    query: str = ""
    kind: OfferKind | None = None
    currency: str | None = None
    coordinator_id: UUID | None = None
    doctor_id: UUID | None = None
    ends: tuple[date | None, date] | None = None  # open offers whose last day lies between these two
    replaced: bool = False  # versions that a later one has replaced as well


_ROWS = sa.select(
    Offer.id, Offer.offer_no, Offer.title, Offer.status_id, Offer.currency, Offer.grand_total, Offer.valid_until,
    Offer.created_at, Offer.superseded_at, Patient.id.label("patient_id"), Patient.first_name, Patient.last_name,
).outerjoin(
    Patient, sa.and_(Patient.clinic_id == Offer.clinic_id, Patient.id == Offer.primary_patient_id)
)  # fmt: skip
_ORDER = Order((Offer.id,), descending=True)
_STATUSES = sa.select(OfferStatus).order_by(OfferStatus.position, OfferStatus.key)


def list_statuses() -> Sequence[OfferStatus]:
    """Return the clinic's statuses in its own order; a clinic has about ten."""
    return current_session().scalars(_STATUSES).all()


def default_status(kind: OfferKind) -> OfferStatus:
    """Return the status a clinic uses for ``kind`` unless told otherwise; raises NotFoundError."""
    statement = _STATUSES.where(OfferStatus.kind == kind).order_by(None).order_by(OfferStatus.is_default.desc())
    found = current_session().scalars(statement.limit(1)).first()
    if found is None:
        raise NotFoundError
    return found


def list_offers(wanted: OfferFilter, cursor: str | None, statuses: Sequence[OfferStatus]) -> Page[Any]:
    """Return one page of offers with how their links were read, newest first."""
    return keyset_page(with_reading(_ROWS).where(*_conditions(wanted, statuses)), _ORDER, cursor)


def all_offers(wanted: OfferFilter, statuses: Sequence[OfferStatus]) -> Iterator[Any]:
    """Return every offer of a list, newest first."""
    return every_row(_ROWS.where(*_conditions(wanted, statuses)), _ORDER)


def sum_offers(wanted: OfferFilter, statuses: Sequence[OfferStatus]) -> Sequence[Any]:
    """Return (currency, count, total) for each currency of a list; currencies are never added up.

    What a replaced version came to is counted in none.
    """
    total = sa.func.sum(sa.case((Offer.superseded_at.is_(None), Offer.grand_total), else_=0))
    statement = (
        sa.select(Offer.currency, sa.func.count().label("count"), total.label("total"))
        .where(*_conditions(wanted, statuses))
        .group_by(Offer.currency)
        .order_by(sa.desc("count"))
    )
    return current_session().execute(statement).all()


def get_offer(offer_id: UUID) -> Offer:
    """Return an offer with its status, patient, lines and teeth; raises NotFoundError."""
    statement = (
        sa.select(Offer)
        .where(Offer.id == offer_id)
        .options(
            joinedload(Offer.status),
            joinedload(Offer.primary_patient),
            selectinload(Offer.lines).selectinload(Treatment.teeth),
        )
    )
    offer = current_session().scalars(statement).one_or_none()
    if offer is None:
        raise NotFoundError
    return offer


def lock_offer(offer_id: UUID) -> None:
    """Hold an offer until the transaction ends; raises NotFoundError."""
    statement = sa.select(Offer.id).where(Offer.id == offer_id).with_for_update()
    if current_session().execute(statement).one_or_none() is None:
        raise NotFoundError


def list_revisions(offer: Offer) -> Sequence[Offer]:
    """Return every version of an offer with its status, the first one first; itself among them."""
    root_id = offer.root_offer_id or offer.id
    statement = (
        sa.select(Offer)
        .where(sa.or_(Offer.id == root_id, Offer.root_offer_id == root_id))
        .options(joinedload(Offer.status))
        .order_by(Offer.revision_no)
    )
    return current_session().scalars(statement).all()


def list_options(offer_id: UUID) -> Sequence[OfferOption]:
    """Return an offer's options in order."""
    statement = sa.select(OfferOption).where(OfferOption.offer_id == offer_id)
    return current_session().scalars(statement.order_by(OfferOption.position, OfferOption.label)).all()


def list_visits(offer_id: UUID) -> Sequence[OfferVisit]:
    """Return an offer's visits in order."""
    statement = sa.select(OfferVisit).where(OfferVisit.offer_id == offer_id).order_by(OfferVisit.visit_no)
    return current_session().scalars(statement).all()


def find_by_form_key(form_key: UUID | None) -> Offer | None:
    """Return the offer which this very form has already made, or None."""
    if form_key is None:
        return None
    return current_session().scalars(sa.select(Offer).where(Offer.form_key == form_key)).one_or_none()


def list_recipients(offer_id: UUID) -> Sequence[Any]:
    """Return the patients an offer is assigned to."""
    statement = (
        sa.select(
            PatientOffer.id, PatientOffer.patient_id, PatientOffer.assigned, PatientOffer.visible,
            Patient.first_name, Patient.last_name, Patient.patient_no,
        )
        .join(Patient, sa.and_(Patient.clinic_id == PatientOffer.clinic_id, Patient.id == PatientOffer.patient_id))
        .where(PatientOffer.offer_id == offer_id)
        .order_by(PatientOffer.id)
    )  # fmt: skip
    return current_session().execute(statement).all()


def get_recipient(offer_id: UUID, recipient_id: UUID) -> PatientOffer:
    """Return one assignment of an offer; raises NotFoundError."""
    statement = sa.select(PatientOffer).where(PatientOffer.id == recipient_id, PatientOffer.offer_id == offer_id)
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def select_patients(offer_id: UUID) -> sa.CompoundSelect[tuple[UUID]]:
    """Return the statement that finds whose offer it is and whom it is shown to; run over a plain connection too."""
    shown = sa.select(PatientOffer.patient_id).where(PatientOffer.offer_id == offer_id)
    own = sa.select(Offer.primary_patient_id).where(Offer.id == offer_id, Offer.primary_patient_id.is_not(None))
    return sa.union(shown, own)


def find_patient_by_number(number: str) -> Patient | None:
    """Return the patient with this number, leading zeros aside, or None; a duplicate's number finds nobody."""
    own_number = Patient.patient_no.in_(possible_numbers(number)), Patient.merged_into_id.is_(None)
    statement = sa.select(Patient).where(*own_number).limit(1)
    return current_session().scalars(statement).one_or_none()


def list_for_patient(patient_id: UUID) -> Sequence[Any]:
    """Return the offers assigned to a patient, newest first."""
    mine = sa.select(PatientOffer.offer_id).where(PatientOffer.patient_id == patient_id)
    statement = (
        _ROWS.where(Offer.id.in_(mine), Offer.superseded_at.is_(None))
        .order_by(Offer.id.desc())
        .limit(sa.literal_column("50"))
    )
    return current_session().execute(statement).all()


def overdue_offers(day: date) -> Sequence[Offer]:
    """Return undecided offers whose last day was before ``day``."""
    statement = (
        sa.select(Offer)
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .where(OfferStatus.kind.in_(OPEN_KINDS), Offer.valid_until < day, Offer.superseded_at.is_(None))
        .order_by(Offer.id)
    )
    return current_session().scalars(statement).all()


def count_by_status() -> dict[UUID, int]:
    """Return how many offers each status holds."""
    statement = sa.select(Offer.status_id, sa.func.count().label("offers")).where(Offer.superseded_at.is_(None))
    statement = statement.group_by(Offer.status_id)
    return {row.status_id: row.offers for row in current_session().execute(statement)}


def _conditions(wanted: OfferFilter, statuses: Sequence[OfferStatus]) -> list[sa.ColumnElement[bool]]:
    conditions = [_has_word(word) for word in query_words(wanted.query)]
    if wanted.query and not conditions:
        conditions = [sa.false()]
    if not wanted.replaced:
        conditions.append(Offer.superseded_at.is_(None))  # the newest version links to the others
    if wanted.kind:
        conditions.append(Offer.status_id.in_([status.id for status in statuses if status.kind == wanted.kind]))
    if wanted.currency:
        conditions.append(Offer.currency == wanted.currency)
    if wanted.coordinator_id:
        conditions.append(Offer.coordinator_id == wanted.coordinator_id)
    if wanted.doctor_id:
        conditions.append(Offer.doctor_id == wanted.doctor_id)
    return [*conditions, *_ending(wanted, statuses)]


def _ending(wanted: OfferFilter, statuses: Sequence[OfferStatus]) -> list[sa.ColumnElement[bool]]:
    if wanted.ends is None:
        return []
    first, last = wanted.ends
    undecided = Offer.status_id.in_([status.id for status in statuses if status.kind in OPEN_KINDS])
    return [undecided, Offer.valid_until <= last, *([Offer.valid_until >= first] if first else [])]


def _has_word(word: Word) -> sa.ColumnElement[bool]:
    """A word finds an offer by its number or title, or by any of its patients."""
    by_patient = (
        sa.select(PatientOffer.offer_id)
        .join(
            PatientTerm,
            sa.and_(PatientTerm.clinic_id == PatientOffer.clinic_id, PatientTerm.patient_id == PatientOffer.patient_id),
        )
        .where(begins(PatientTerm.term, word))
    )
    by_offer = sa.select(OfferTerm.offer_id).where(begins(OfferTerm.term, word))
    return Offer.id.in_(sa.union_all(by_offer, by_patient))
