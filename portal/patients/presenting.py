"""How patients are written: facts, differences, log entries and exports, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from babel import Locale
from flask_babel import LazyString, to_user_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission
from portal.core.activity import write_entry
from portal.core.audit import ActivityLog
from portal.core.conflicts import Conflict, column_conflicts
from portal.core.i18n import language
from portal.core.identity import current_clinic
from portal.core.phones import PhoneError, parse_phone, show_phone
from portal.core.tables import Table
from portal.core.templating import country, day, moment
from portal.core.timeline import Asked, Happening, patient_timeline
from portal.patients.forms import GENDERS, PatientForm
from portal.patients.models import Patient
from portal.referrals.queries import list_sources

ACTIONS = {
    "patient.created": _l("registered the patient"),
    "patient.changed": _l("changed the patient"),
    "patient.archived": _l("archived the patient"),
    "patient.restored": _l("restored the patient"),
    "patient.merged": _l("joined a duplicate to the patient"),
    "patient.merged_away": _l("joined this patient to another one"),
    "patient.parted": _l("parted a duplicate from the patient again"),
    "patient.parted_away": _l("made this a patient of its own again"),
    "patient.data_exported": _l("made a copy of all data of the patient"),
    "patient.anonymised": _l("made the patient anonymous"),
    "patient.held": _l("set a legal hold"),
    "patient.released": _l("ended the legal hold"),
}
FIELDS: dict[str, str | LazyString] = {
    "first_name": _l("First name"), "last_name": _l("Last name"), "phone_raw": _l("Phone"), "email": _l("E-mail"),
    "birth_date": _l("Birth date"), "gender": _l("Gender"), "nationality": _l("Nationality"),
    "residence_country": _l("Country of residence"), "locale": _l("Language"), "city": _l("City"),
    "address": _l("Address"), "instagram": "Instagram", "facebook": "Facebook", "linkedin": "LinkedIn",
    "x_handle": "X", "referral_source_id": _l("Referral source"), "notes": _l("Notes"), "is_active": _l("Active"),
}  # fmt: skip
LOGGED = {**FIELDS, "merged": _l("Duplicate"), "merged_into": _l("Joined to")}


def facts(patient: Patient) -> list[tuple[str, str, str]]:
    """Return (label, text, link) of what is known about a patient; the link may be empty."""
    phone = patient.phone_e164
    rows = [
        (_("Phone"), show_phone(phone) or patient.phone_raw, f"tel:{phone}" if phone else ""),
        (_("E-mail"), patient.email, f"mailto:{patient.email}" if patient.email else ""),
        (_("Birth date"), day(patient.birth_date), ""),
        (_("Gender"), str(GENDERS.get(patient.gender or "", "")), ""),
        (_("Nationality"), country(patient.nationality), ""),
        (_("Country of residence"), country(patient.residence_country), ""),
        (_("Language"), language_name(patient.locale), ""),
        (_("Address"), ", ".join(part for part in (patient.address, patient.city) if part), ""),
        ("Instagram", patient.instagram, ""),
        ("Facebook", patient.facebook, ""),
        ("LinkedIn", patient.linkedin, ""),
        ("X", patient.x_handle, ""),
        (_("Referral source"), patient.referral_source.name if patient.referral_source else "", ""),
        (_("Registered"), moment(patient.created_at), ""),
    ]
    return [(label, text, link) for label, text, link in rows if text]


def language_name(code: str | None) -> str:
    """Write a language's name in the reader's language."""
    return "" if not code else Locale.parse(language()).languages.get(code, code)


def log_entries(asked: Asked) -> list[Happening]:
    """Return what was done to patients, for the timeline."""
    sources = {str(source.id): source.name for source in list_sources()}
    values = {"referral_source_id": lambda value: sources.get(value, "")}
    statement = sa.select(
        ActivityLog.id, ActivityLog.at, ActivityLog.actor_name, ActivityLog.action, ActivityLog.changes
    ).where(ActivityLog.object_type == "patients", ActivityLog.object_id.in_(asked.patient_ids))
    return [
        Happening(row.at, row.id, write_entry(row, actions=ACTIONS, fields=LOGGED, values=values))
        for row in asked.rows(statement, ActivityLog.at, ActivityLog.id)
    ]


patient_timeline.add(Permission.PATIENTS_READ, log_entries)


def conflicts(form: PatientForm, patient: Patient) -> list[Conflict]:
    """Return where a refused form and the stored patient differ."""
    return column_conflicts(form, patient, form.values(), FIELDS)


def source_choices(sources: Sequence[Any], chosen: UUID | None = None) -> list[tuple[UUID, str]]:
    """Return the sources a form offers: the active ones, and the one already chosen."""
    return [(source.id, source.name) for source in sources if source.is_active or source.id == chosen]


def phone_or_none(raw: str) -> str | None:
    """Return the E.164 form of what is being typed, None while it is no number yet."""
    try:
        return parse_phone(raw, current_clinic().country)
    except PhoneError:
        return None


def export_table(rows: Sequence[Any], sources: Sequence[Any]) -> Table:
    """Return the list as a table to download."""
    names = {source.id: source.name for source in sources}
    headings = [
        _("Number"), _("First name"), _("Last name"), _("Phone"), _("E-mail"), _("City"), _("Country of residence"),
        _("Referral source"), _("Active"), _("Registered"),
    ]  # fmt: skip
    return Table(
        headings,
        (
            (
                row.patient_no, row.first_name, row.last_name, show_phone(row.phone_e164) or row.phone_raw, row.email,
                row.city, country(row.residence_country), names.get(row.referral_source_id),
                _("yes") if row.is_active else _("no"), f"{to_user_timezone(row.created_at):%Y-%m-%d %H:%M}",
            )
            for row in rows
        ),
    )  # fmt: skip
