"""The copy of all that a clinic stores about one person (law 6698, art. 11; GDPR, art. 15 and 20).

What is in it, and why:

- Every row about her, by portal.privacy.inventory; of offers shown to several, only those that are hers, so that
  nobody else's data travels with it.
- Notes about her, the private ones too: a note is data about whom it is about, whoever wrote it. Who of the staff wrote
  or did something is left out: that is the colleague's data, and she can ask for it by name where she needs it.
- The medical record in the clear, the files as they are kept, and the documents of her offers as they were sent.
- No secrets: hashes of links, keys of the file store, words of the search index.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.sealing import SealError
from portal.core.storage import StorageError, read_file
from portal.core.tables import Table, csv_text
from portal.patients.duplicates import merged_ids
from portal.patients.models import Patient
from portal.privacy.inventory import rows_about, tables_about_patients
from portal.records.models import PatientFile
from portal.records.queries import get_medical

SCHEMA = "clinikoop.person/1"
MOST_BYTES = 2 * 1024**3
_IN_MEMORY = 8 * 1024**2
_LEFT_OUT = frozenset({"patient_terms", "offer_terms", "patient_medical", "erasures"})
_SECRET = frozenset({
    "clinic_id", "form_key", "version", "token_hash", "token_hint", "verify_hash", "sealed", "key_id", "storage_key",
    "thumbnail_key", "name_key", "content", "actor_id", "actor_name", "actor_kind", "mentions",
})  # fmt: skip
_SECRET_OF = {"patient_access_log": frozenset({"ip", "request_id"}), "patient_merges": frozenset({"moved"})}


def export_person(actor: Actor, patient: Patient, *, clinic: str) -> IO[bytes]:
    """Return the ZIP of all that is stored about a patient, at its beginning; logged in the request's transaction.

    Raises RuleError where something of it cannot be opened: a copy with a hole would look complete.
    """
    patient_ids = merged_ids(patient.id)
    rows = _collect(patient_ids)
    files = _files(patient_ids)
    if sum(row.size for row in files) > MOST_BYTES:
        raise RuleError(_("Her files are too many for one copy. Hand them over one by one, then ask for the copy."))
    target = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            _write_data(archive, patient, rows, medical=_medical(patient_ids), clinic=clinic)
            _write_files(archive, files)
            _write_documents(archive, patient_ids)
    except (StorageError, SealError) as error:
        target.close()
        raise RuleError(_("Part of the data cannot be opened right now, so no copy was made.")) from error
    counts = {name: len(found) for name, found in rows.items() if found}
    audit.record(actor, "patient.data_exported", patient, changes={"rows": [None, sum(counts.values())]})
    target.seek(0)
    return target


def _collect(patient_ids: list[UUID]) -> dict[str, list[dict[str, Any]]]:
    models = tables_about_patients()
    return {
        name: [{str(key): value for key, value in row.items()} for row in _read(name, models[name], condition)]
        for name, condition in rows_about(patient_ids).items()
        if name not in _LEFT_OUT
    }


def _read(name: str, model: Any, condition: sa.ColumnElement[bool]) -> Iterator[sa.RowMapping]:
    table = sa.inspect(model).local_table
    staff = {
        element.parent.name
        for key in table.foreign_key_constraints
        if key.referred_table.name == "users"
        for element in key.elements
        if element.column.name == "id"
    }
    hidden = _SECRET | _SECRET_OF.get(name, frozenset()) | staff
    columns = [getattr(model, column.key) for column in table.c if column.key not in hidden]
    statement = sa.select(*columns).where(condition)
    if hasattr(model, "id"):
        statement = statement.order_by(model.id)
    yield from current_session().execute(statement).mappings()


def _medical(patient_ids: list[UUID]) -> list[dict[str, Any]]:
    found = [get_medical(patient_id) for patient_id in patient_ids]
    return [{**asdict(known.record), "flags": sorted(known.record.flags)} for known in found if known.row is not None]


def _files(patient_ids: list[UUID]) -> list[PatientFile]:
    statement = sa.select(PatientFile).where(PatientFile.patient_id.in_(patient_ids), PatientFile.deleted_at.is_(None))
    return list(current_session().scalars(statement.order_by(PatientFile.id)))


def _write_data(
    archive: zipfile.ZipFile, patient: Patient, rows: Mapping[str, list[dict[str, Any]]], *,
    medical: list[dict[str, Any]], clinic: str,
) -> None:  # fmt: skip
    data = {
        "schema": SCHEMA, "made_at": now(), "clinic": clinic, "patient_no": patient.patient_no, "medical": medical,
        "tables": {name: found for name, found in rows.items() if found},
    }  # fmt: skip
    archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1, default=_plain))
    for name, found in rows.items():
        if found:
            headings = list(found[0])
            cells = ([_cell(row[heading]) for heading in headings] for row in found)
            archive.writestr(f"csv/{name}.csv", csv_text(Table(headings, cells)))


def _write_files(archive: zipfile.ZipFile, files: Iterable[PatientFile]) -> None:
    for row in files:
        name = row.filename.replace("/", "_").replace("\\", "_").lstrip(".") or "file"
        place = zipfile.ZipInfo(f"files/{str(row.id)[-8:]}-{name}", now().timetuple()[:6])
        with archive.open(place, "w", force_zip64=True) as target:  # stored: pictures are compressed already
            for piece in read_file(row.storage_key):
                target.write(piece)


def _write_documents(archive: zipfile.ZipFile, patient_ids: list[UUID]) -> None:
    models, conditions = tables_about_patients(), rows_about(patient_ids)
    document, offer = models["pdf_documents"], models["offers"]
    statement = (
        sa.select(offer.offer_no, document.locale, document.id, document.content)
        .join(offer, sa.and_(offer.clinic_id == document.clinic_id, offer.id == document.offer_id))
        .where(conditions["pdf_documents"])
        .order_by(document.id)
        .execution_options(yield_per=5)
    )
    for row in current_session().execute(statement):
        archive.writestr(f"offers/{row.offer_no}-{row.locale}-{str(row.id)[-4:]}.pdf", row.content)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a copy of somebody's data.")


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
