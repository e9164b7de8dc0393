"""Reading links and what patients left behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.offers.documents import EventKind, OfferEvent
from portal.offers.models import OfferOption, PatientOffer
from portal.patients.models import Patient
from portal.settings.house import CLINIC_EMAIL, CLINIC_PHONE
from portal.settings.registry import get_setting
from portal.sharing.link_settings import OPEN_LINKS
from portal.sharing.links import hash_token
from portal.sharing.models import OfferQuestion, OfferSignature


@dataclass(frozen=True)
class Contact:
    """How patients reach the clinic, "" where it has not told."""

    phone: str = ""  # E.164
    email: str = ""


def find_contact() -> Contact:
    """Return how patients reach the clinic."""
    return Contact(get_setting(CLINIC_PHONE), get_setting(CLINIC_EMAIL))


def find_link(token: str) -> PatientOffer | None:
    """Return the recipient whose link carries ``token``, or None: unknown, re-issued and another clinic's alike."""
    statement = sa.select(PatientOffer).where(PatientOffer.token_hash == hash_token(token))
    return current_session().scalars(statement).one_or_none()


def list_links(offer_id: UUID) -> Sequence[tuple[PatientOffer, Patient]]:
    """Return every recipient of an offer with her record."""
    statement = (
        sa.select(PatientOffer, Patient)
        .join(Patient, sa.and_(Patient.clinic_id == PatientOffer.clinic_id, Patient.id == PatientOffer.patient_id))
        .where(PatientOffer.offer_id == offer_id)
        .order_by(PatientOffer.id)
    )
    return [(row[0], row[1]) for row in current_session().execute(statement)]


def get_patient_of(recipient: PatientOffer) -> Patient:
    """Return whose link it is; raises NotFoundError."""
    found = current_session().scalars(sa.select(Patient).where(Patient.id == recipient.patient_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def allows_open_links() -> bool:
    """Tell whether the clinic lets links open without a second factor."""
    return get_setting(OPEN_LINKS)


def list_options(offer_id: UUID) -> Sequence[OfferOption]:
    """Return an offer's options in order."""
    statement = sa.select(OfferOption).where(OfferOption.offer_id == offer_id)
    return current_session().scalars(statement.order_by(OfferOption.position, OfferOption.label)).all()


def find_signature(offer_id: UUID) -> OfferSignature | None:
    """Return the signature under an offer, or None."""
    statement = sa.select(OfferSignature).where(OfferSignature.offer_id == offer_id)
    return current_session().scalars(statement).one_or_none()


def list_questions(offer_id: UUID, recipient_id: UUID | None = None) -> Sequence[OfferQuestion]:
    """Return the questions about an offer, the oldest first; of one patient only where she is named."""
    statement = sa.select(OfferQuestion).where(OfferQuestion.offer_id == offer_id).order_by(OfferQuestion.id)
    if recipient_id is not None:
        statement = statement.where(OfferQuestion.patient_offer_id == recipient_id)
    return current_session().scalars(statement).all()


def find_question_by_key(form_key: UUID | None) -> OfferQuestion | None:
    """Return the question which this very form has already asked, or None."""
    if form_key is None:
        return None
    statement = sa.select(OfferQuestion).where(OfferQuestion.form_key == form_key)
    return current_session().scalars(statement).one_or_none()


def get_question(recipient: PatientOffer, question_id: UUID) -> OfferQuestion:
    """Return one question of a patient; raises NotFoundError."""
    statement = sa.select(OfferQuestion).where(
        OfferQuestion.id == question_id, OfferQuestion.patient_offer_id == recipient.id
    )
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def sections_read(recipient_id: UUID) -> set[str]:
    """Return the parts of the page that were told as read since the patient last came."""
    mine = OfferEvent.patient_offer_id == recipient_id
    came = sa.select(OfferEvent.id).where(mine, OfferEvent.kind == EventKind.OPENED).order_by(OfferEvent.id.desc())
    statement = sa.select(OfferEvent.meta["section"].astext).where(
        mine, OfferEvent.kind == EventKind.SECTION_READ, OfferEvent.id > came.limit(1).scalar_subquery()
    )
    return set(current_session().scalars(statement))
