"""What a patient was told and agreed to, and whether she may be written to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects.postgresql import distinct_on

from portal.auth.models import User
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError, RuleError
from portal.patients.models import Patient
from portal.privacy.models import ConsentChannel, ConsentKind, PatientConsent, PrivacyText
from portal.records.models import PatientFile


class Way(StrEnum):
    """A way by which a clinic reaches a patient."""

    WHATSAPP = "whatsapp"
    EMAIL = "email"
    PHONE = "phone"
    MARKETING = "marketing"  # whatever the way, what it says is advertising


class Leave(StrEnum):
    """Whether a patient may be written to."""

    GIVEN = "given"
    NOT_ASKED = "not_asked"
    WITHDRAWN = "withdrawn"
    DO_NOT_CONTACT = "do_not_contact"

    @property
    def warning(self) -> str:
        """What is said to whoever is about to write; nothing where they may."""
        return str(_WARNINGS.get(self, ""))


_WARNINGS: dict[Leave, LazyString] = {
    Leave.NOT_ASKED: _l(
        "There is no consent of this patient to be written to this way. Ask first and note the answer."
    ),
    Leave.WITHDRAWN: _l("This patient has withdrawn the consent to be written to this way."),
    Leave.DO_NOT_CONTACT: _l("This patient does not want to be contacted."),
}
# An offer she asked for may be sent and spoken about without consent (law 6698, art. 5/2-c). WhatsApp stores abroad
# (art. 9), and advertising needs consent whatever the way (law 6563, art. 6).
_NEEDED = {Way.WHATSAPP: ConsentKind.WHATSAPP, Way.MARKETING: ConsentKind.MARKETING}


def may_contact(patient_id: UUID, channel: Way | str) -> Leave:
    """Tell whether a patient may be reached by a channel; an unknown patient may not."""
    statement = sa.select(Patient.do_not_contact).where(Patient.id == patient_id, Patient.anonymised_at.is_(None))
    refused = current_session().scalars(statement).one_or_none()
    if refused is None or refused:
        return Leave.DO_NOT_CONTACT
    kind = _NEEDED.get(Way(channel))
    if kind is None:
        return Leave.GIVEN
    newest = _newest(patient_id).get(kind)
    if newest is None:
        return Leave.NOT_ASKED
    return Leave.WITHDRAWN if newest.withdrawn_at else Leave.GIVEN


def list_leaves(patient_ids: Collection[UUID], channel: Way) -> dict[UUID, Leave]:
    """Return, for the patients of a list, whether each has agreed to be reached by a channel; one query for all.

    Whether somebody wants no contact at all is for the list itself to know, which shows it.
    """
    kind = _NEEDED.get(channel)
    if kind is None or not patient_ids:
        return dict.fromkeys(patient_ids, Leave.GIVEN)
    statement = (
        sa.select(PatientConsent.patient_id, PatientConsent.withdrawn_at)
        .ext(distinct_on(PatientConsent.patient_id))
        .where(PatientConsent.patient_id.in_(patient_ids), PatientConsent.kind == kind)
        .order_by(PatientConsent.patient_id, PatientConsent.given_at.desc(), PatientConsent.id.desc())
    )
    found = {
        row.patient_id: Leave.WITHDRAWN if row.withdrawn_at else Leave.GIVEN
        for row in current_session().execute(statement)
    }
    return {patient_id: found.get(patient_id, Leave.NOT_ASKED) for patient_id in patient_ids}


def list_consents(patient_id: UUID) -> Sequence[Any]:
    """Return a patient's consents, the newest first, with their text's version and language and who noted them."""
    statement = (
        sa.select(
            PatientConsent.id, PatientConsent.kind, PatientConsent.channel, PatientConsent.given_at,
            PatientConsent.withdrawn_at, PatientConsent.withdrawn_reason, PatientConsent.file_id,
            PatientConsent.evidence, PatientConsent.text_id, PrivacyText.version_no, PrivacyText.locale,
            User.name.label("recorded_by"), PatientFile.filename,
        )
        .join(
            PrivacyText,
            sa.and_(PrivacyText.clinic_id == PatientConsent.clinic_id, PrivacyText.id == PatientConsent.text_id),
        )
        .outerjoin(User, sa.and_(User.clinic_id == PatientConsent.clinic_id, User.id == PatientConsent.recorded_by_id))
        .outerjoin(
            PatientFile,
            sa.and_(PatientFile.clinic_id == PatientConsent.clinic_id, PatientFile.id == PatientConsent.file_id),
        )
        .where(PatientConsent.patient_id == patient_id)
        .order_by(PatientConsent.given_at.desc(), PatientConsent.id.desc())
    )  # fmt: skip
    return current_session().execute(statement).all()


def standing(patient_id: UUID) -> Mapping[str, Any]:
    """Return kind -> the newest consent of that kind, withdrawn ones included."""
    return _newest(patient_id)


def list_scans(patient_id: UUID) -> Sequence[Any]:
    """Return the patient's files that may be a signed paper, the newest first, as (id, filename)."""
    statement = sa.select(PatientFile.id, PatientFile.filename).where(
        PatientFile.patient_id == patient_id, PatientFile.deleted_at.is_(None)
    )
    return current_session().execute(statement.order_by(PatientFile.id.desc())).all()


def get_consent(patient_id: UUID, consent_id: UUID) -> PatientConsent:
    """Return a consent of a patient; raises NotFoundError."""
    statement = sa.select(PatientConsent).where(
        PatientConsent.id == consent_id, PatientConsent.patient_id == patient_id
    )  # fmt: skip
    found = current_session().scalars(statement.with_for_update()).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def record_consent(
    actor: Actor, patient: Patient, text: PrivacyText, *, channel: ConsentChannel, given_at: datetime,
    file_id: UUID | None = None, note: str = "", form_key: UUID | None = None,
) -> PatientConsent:  # fmt: skip
    """Note that a patient was told or agreed, to which words, when and how; the same form twice notes it once.

    Raises RuleError for a moment to come or a file that is not hers.
    """
    if form_key is not None:
        current_session().execute(sa.select(Patient.id).where(Patient.id == patient.id).with_for_update())
        known = current_session().scalars(sa.select(PatientConsent).where(PatientConsent.form_key == form_key)).first()
        if known is not None:
            return known
    if given_at > now():
        raise RuleError(_("A consent cannot be given in the future."))
    if file_id is not None and file_id not in {row.id for row in list_scans(patient.id)}:
        raise RuleError(_("Choose a file of this patient."))
    consent = PatientConsent(
        patient_id=patient.id, kind=text.kind, text_id=text.id, text_sha256=text.sha256, channel=channel,
        given_at=given_at, file_id=file_id, evidence={"note": note} if note else {}, recorded_by_id=actor.id,
        form_key=form_key,
    )  # fmt: skip
    current_session().add(consent)
    current_session().flush()
    audit.record(actor, "consent.given", consent, changes={"kind": [None, text.kind]})
    return consent


def withdraw_consent(actor: Actor, consent: PatientConsent, *, reason: str | None) -> None:
    """Note that a patient took a consent back; what was consented to before stays lawful, and stays noted."""
    if consent.withdrawn_at is None:
        consent.withdrawn_at, consent.withdrawn_reason = now(), reason or None
        audit.record(actor, "consent.withdrawn", consent, changes={"kind": [consent.kind, None]})


def _newest(patient_id: UUID) -> dict[str, Any]:
    statement = (
        sa.select(PatientConsent.kind, PatientConsent.given_at, PatientConsent.withdrawn_at)
        .ext(distinct_on(PatientConsent.kind))
        .where(PatientConsent.patient_id == patient_id)
        .order_by(PatientConsent.kind, PatientConsent.given_at.desc(), PatientConsent.id.desc())
    )
    return {row.kind: row for row in current_session().execute(statement)}
