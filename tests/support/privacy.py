"""Rows of privacy, as the sweeps over every page need them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.core.clock import now
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.patients.models import Patient
from portal.privacy.consents import record_consent
from portal.privacy.models import ConsentChannel, ConsentKind, PrivacyText, RequestKind
from portal.privacy.requests import register_request
from portal.privacy.texts import draft, publish_text


def publish(kind: ConsentKind = ConsentKind.WHATSAPP, locale: str = "tr") -> PrivacyText:
    """Publish the draft of a text in the pinned clinic."""
    return publish_text(SYSTEM, kind=kind, locale=locale, body=draft(kind, locale, clinic="—"), after=0)


def consent_to(patient: Patient, text: PrivacyText) -> UUID:
    """Note that a patient agreed, and return the consent's id."""
    return record_consent(SYSTEM, patient, text, channel=ConsentChannel.VERBAL, given_at=now()).id


def privacy_ids(patient_id: UUID) -> dict[str, UUID]:
    """Return one id for each parameter name that the addresses of privacy use."""
    patient = current_session().scalars(sa.select(Patient).where(Patient.id == patient_id)).one()
    text = publish()
    asked = register_request(
        SYSTEM, kind=RequestKind.ACCESS, received_on=now().date(), patient_id=patient_id, detail=None
    )  # fmt: skip
    return {"text_id": text.id, "consent_id": consent_to(patient, text), "request_id": asked.id}
