"""Which rows are about a patient, and what each of their columns is: one list for the copy she gets and for erasure.

Tables are named, not imported, as most belong to modules above this one. A column that is not decided here fails
tests/privacy/test_inventory.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import Base, current_session

# Rows that go as a whole when a patient is anonymised, in this order.
DELETED = (
    "patient_terms", "offer_terms", "note_revisions", "patient_medical", "patient_files", "pdf_documents",
    "offer_signatures",
)  # fmt: skip

_GONE = "—"
# Columns that are emptied, with what stands there afterwards. ``None`` for a column that may be empty.
EMPTIED: dict[str, dict[str, Any]] = {
    "patients": {
        **dict.fromkeys((
            "phone_e164", "phone_raw", "email", "birth_date", "gender", "nationality", "residence_country", "locale",
            "address", "city", "instagram", "facebook", "linkedin", "x_handle", "notes", "emergency_name",
            "emergency_relation", "emergency_phone", "insurer", "insurance_no", "hold_until", "hold_reason",
        )),
        "first_name": _GONE, "last_name": "", "name_key": "",
    },
    "patient_offers": dict.fromkeys(("token_hash", "token_hint", "verify_hash", "verify_method")),
    "patient_consents": {"withdrawn_reason": None, "evidence": {}, "file_id": None},
    "patient_merges": {"before": {"kept": {}, "set": {}}},
    "data_subject_requests": {"detail": None, "outcome": None},
    "erasures": {},
    "notes": {"body": _GONE, "mentions": []},
    "reminders": {"title": _GONE, "description": None, "outcome_note": None},
    "offers": {"title": _GONE, "patient_note": None, "internal_note": None, "decline_note": None},
    "offer_options": {"title": None},
    "offer_visits": {"starts_on": None, "note": None},
    "offer_questions": {"body": _GONE, "answer": None},
}  # fmt: skip

# Columns that stay: they say how much and when, never who. Without a name, a treatment is a figure.
KEPT: dict[str, frozenset[str]] = {
    "patients": frozenset({"patient_no"}),  # so that numbers have no gap; no paper of ours names the person by it alone
    "patient_offers": frozenset({"locale", "channel"}),
    "patient_consents": frozenset({"kind", "text_sha256", "channel"}),
    "patient_merges": frozenset({"moved"}),  # ids
    "patient_access_log": frozenset({"actor_kind", "actor_name", "action", "page", "ip", "request_id"}),  # of the staff
    "data_subject_requests": frozenset({"kind", "received_on", "due_on", "status"}),
    "erasures": frozenset({"reason", "emptied", "sha256"}),
    "notes": frozenset({"visibility"}),
    "reminders": frozenset({"status", "kind", "priority", "outcome", "cause"}),
    "offers": frozenset({
        "offer_no", "currency", "valid_until", "locale", "discount_kind", "residency", "basis", "decline_reason",
        "content_sha256",
    }),
    "offer_options": frozenset({"label"}),
    "offer_questions": frozenset(),
    "offer_visits": frozenset(),
    "offer_events": frozenset({"kind", "actor_kind", "meta"}),  # kinds and counts, see portal.offers.events
    "treatments": frozenset({
        "code", "name", "scope", "arch", "discount_kind", "brand", "material", "abutment", "vat_class",
        "vat_exemption_code", "decision",
    }),
    "treatment_teeth": frozenset({"role", "surfaces"}),
}  # fmt: skip

# Tables of a clinic that hold nothing about its patients, or nothing that tells who: the log keeps no personal values.
NOT_ABOUT_PATIENTS = frozenset({
    "account_tokens", "activity_logs", "analytics_events", "calendar_feeds", "clinic_images", "counters",
    "follow_up_rules", "login_sessions", "message_templates", "notifications", "offer_statuses", "pdf_templates",
    "price_list_items", "price_list_variants", "price_lists", "privacy_texts", "referral_source_groups",
    "referral_sources", "referral_transfers", "settings", "support_messages", "support_tickets", "system_logs",
    "treatment_catalog", "treatment_categories", "treatment_components", "user_permissions", "users",
    "vat_exemptions", "vat_rules",
})  # fmt: skip
# Found by what they say, not by a key: mails to her address or about her links.
BY_VALUE = frozenset({"outbox_mails"})

# Of several parents, the first that a row names says whose it is: an offer is shown to many, its answer is one's own.
_CLOSENESS = ("patients", "patient_offers", "notes", "treatments", "offers")


@cache
def tables_about_patients() -> Mapping[str, Any]:
    """Return table -> model of all tables from which keys lead to patients, parents before children."""
    models = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    found = {"patients"}
    while True:
        more = {
            table.name
            for table in Base.metadata.sorted_tables
            for key in table.foreign_key_constraints
            if key.referred_table.name in found and table.name not in found
        }
        if not more:
            ordered = [table.name for table in Base.metadata.sorted_tables if table.name in found]
            return {name: models[name] for name in ordered}
        found |= more


def rows_about(patient_ids: Sequence[UUID]) -> dict[str, sa.ColumnElement[bool]]:
    """Return table -> condition of the rows that are about these patients and about nobody else."""
    conditions: dict[str, sa.ColumnElement[bool]] = {}
    models = tables_about_patients()
    for name, model in models.items():
        if name == "patients":
            conditions[name] = model.id.in_(patient_ids)
            continue
        parents, ways = _parents(name), []
        for parent, column in parents:
            theirs = column.in_(patient_ids if parent == "patients" else _ids(models[parent], conditions[parent]))
            closer = [nearer for kind, nearer in parents if _CLOSENESS.index(kind) < _CLOSENESS.index(parent)]
            ways.append(sa.and_(theirs, *(nearer.is_(None) for nearer in closer)))
        conditions[name] = sa.or_(*ways)
    return conditions


def count_rows(patient_ids: Sequence[UUID]) -> dict[str, int]:
    """Return table -> how many rows are about these patients, tables without any left out."""
    models, found = tables_about_patients(), {}
    for name, condition in rows_about(patient_ids).items():
        statement = sa.select(sa.func.count()).select_from(models[name]).where(condition)
        count = current_session().execute(statement).scalar_one()
        if count:
            found[name] = count
    return found


def _parents(name: str) -> list[tuple[str, Any]]:
    """Return (parent, column) for each key of a table that may lead to a patient, the closest first."""
    model = tables_about_patients()[name]
    keys = [
        (key.referred_table.name, next(element.parent.name for element in key.elements if element.column.name == "id"))
        for key in sa.inspect(model).local_table.foreign_key_constraints
        if key.referred_table.name in _CLOSENESS and key.referred_table.name != name
    ]
    keys.sort(key=lambda pair: _CLOSENESS.index(pair[0]))
    return [(parent, getattr(model, column)) for parent, column in keys]


def _ids(model: Any, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(model.id).where(condition)
