"""How medical records are written: alerts on every page of a patient, her page's panel, differences, the log."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.activity import Entry, list_entries
from portal.core.conflicts import NOTHING, Conflict
from portal.core.panels import Panel
from portal.core.sealing import SealError
from portal.records.document import Allergy, MedicalRecord, Medication
from portal.records.forms import FLAGS, SEVERITIES
from portal.records.queries import KnownMedical, get_medical

log = structlog.get_logger("portal.records")
ACTIONS = {
    "medical.created": _l("wrote the medical record"),
    "medical.changed": _l("changed the medical record"),
    "medical.reviewed": _l("went through the medical record with the patient"),
}


@dataclass(frozen=True)
class Alerts:
    """What everybody at the chair must see; ``unreadable``: nobody can tell whether there is something."""

    patient_id: UUID
    texts: list[str]
    unreadable: bool = False


def alerts_panel(patient_id: UUID) -> Panel:
    """Return the alerts of a patient, for the top of her pages."""
    known = _known(patient_id)
    texts = alert_texts(known.record) if known else []
    return Panel("records/_alerts.html", {"alerts": Alerts(patient_id, texts, unreadable=known is None)})


def medical_panel(patient_id: UUID) -> Panel:
    """Return a summary of the record, for the patient's page."""
    return Panel(
        "records/_medical_panel.html", {"patient_id": patient_id, "known": _known(patient_id), "labels": FLAGS}
    )


def alert_texts(record: MedicalRecord) -> list[str]:
    """Return the alerts in words, the allergies first."""
    allergies = [
        _("Severe allergy: %(substance)s", substance=each.substance) + (f" ({each.reaction})" if each.reaction else "")
        for each in record.severe_allergies
    ]
    return [*allergies, *(str(FLAGS[flag]) for flag in record.alerting_flags)]


def _known(patient_id: UUID) -> KnownMedical | None:
    """Return the record, opened once in a request; None where it cannot be opened, which the log tells."""
    cache: dict[UUID, KnownMedical | None] = g.setdefault("medical_records", {})
    if patient_id not in cache:
        try:
            cache[patient_id] = get_medical(patient_id)
        except SealError as error:
            log.error("seal.failed", error=str(error), patient_id=str(patient_id))
            cache[patient_id] = None
    return cache[patient_id]


def refusal(error: SealError) -> str:
    """Say that nothing was saved, and why; the log gets the key's name."""
    log.error("seal.failed", error=str(error))
    return _(
        "Nothing was saved and nothing was overwritten: the key that medical data is sealed with is missing on this "
        "server, or another one. Keep this page open and tell Clinikoop."
    )


def allergy_text(allergy: Allergy) -> str:
    """Write an allergy on one line."""
    parts = [allergy.substance, str(SEVERITIES[allergy.severity]).lower(), allergy.reaction]
    return " · ".join(part for part in parts if part)


def medication_text(medication: Medication) -> str:
    """Write a medicine on one line."""
    return " · ".join(part for part in (medication.name, medication.dose) if part)


def facts(record: MedicalRecord) -> list[tuple[str, str]]:
    """Return (label, text) of a whole record, for its page and for what two people wrote differently."""
    none = _("no known allergy") if record.no_allergies else ""
    return [
        (_("Allergies"), "\n".join(map(allergy_text, record.allergies)) or none),
        (_("Medicines"), "\n".join(map(medication_text, record.medications))),
        (_("Marked"), "\n".join(str(label) for flag, label in FLAGS.items() if flag in record.flags)),
        (_("History"), record.history or ""),
    ]


def conflicts(typed: MedicalRecord, stored: MedicalRecord) -> list[Conflict]:
    """Return where a refused form and the stored record differ."""
    return [
        Conflict(label, theirs.replace("\n", ", ") or NOTHING, yours.replace("\n", ", ") or NOTHING)
        for (label, theirs), (_label, yours) in zip(facts(stored), facts(typed), strict=True)
        if theirs != yours
    ]


def activity(known: KnownMedical) -> list[Entry]:
    """Return what was done to the record; never what it says."""
    return list_entries("patient_medical", known.row.id, actions=ACTIONS, fields={}) if known.row else []
