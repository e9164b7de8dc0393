"""What a patient was told and agreed to, for the timeline of her page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth.models import User
from portal.core.access import Permission
from portal.core.activity import Entry
from portal.core.templating import moment
from portal.core.timeline import Asked, Happening, patient_timeline
from portal.privacy.models import PatientConsent, SubjectRequest
from portal.privacy.words import KINDS, REQUESTS


def given_consents(asked: Asked) -> list[Happening]:
    """Return the consents that were given."""
    rows = asked.rows(_rows(asked, PatientConsent.given_at), PatientConsent.given_at, PatientConsent.id)
    return [_happening(row, row.name or _("Clinikoop"), _("noted a consent")) for row in rows]


def withdrawn_consents(asked: Asked) -> list[Happening]:
    """Return the consents that were withdrawn."""
    rows = asked.rows(_rows(asked, PatientConsent.withdrawn_at), PatientConsent.withdrawn_at, PatientConsent.id)
    return [_happening(row, _("The patient"), _("withdrew a consent")) for row in rows]


def _rows(asked: Asked, at: Any) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(PatientConsent.id, at.label("at"), PatientConsent.kind, User.name)
        .outerjoin(User, sa.and_(User.clinic_id == PatientConsent.clinic_id, User.id == PatientConsent.recorded_by_id))
        .where(PatientConsent.patient_id.in_(asked.patient_ids))
    )


def _happening(row: Any, who: str, text: str) -> Happening:
    return Happening(row.at, row.id, Entry(moment(row.at), row.at.isoformat(), who, text, about=str(KINDS[row.kind])))


def received_requests(asked: Asked) -> list[Happening]:
    """Return what the patients asked for as data subjects, from the day their requests were noted."""
    statement = sa.select(SubjectRequest.id, SubjectRequest.created_at.label("at"), SubjectRequest.kind).where(
        SubjectRequest.patient_id.in_(asked.patient_ids)
    )
    return [
        Happening(
            row.at, row.id,
            Entry(moment(row.at), row.at.isoformat(), _("The patient"), _("made a request about personal data"),
                  about=str(REQUESTS[row.kind]), url=f"/privacy/requests/{row.id}"),
        )
        for row in asked.rows(statement, SubjectRequest.created_at, SubjectRequest.id)
    ]  # fmt: skip


patient_timeline.add(Permission.PRIVACY_MANAGE, received_requests)
patient_timeline.add(Permission.PATIENTS_READ, given_consents)
patient_timeline.add(Permission.PATIENTS_READ, withdrawn_consents)
