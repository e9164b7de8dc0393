"""How long the portal's typical reads take, so that a slower schema is noticed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

import sqlalchemy as sa

TIMES = 5
SLOWER = 2.0
NOTICED_MS = 20.0
_PAGE = 26  # a page of 25, and one that tells whether there is another
_COLUMNS = """
SELECT table_name::text, array_agg(column_name::text) FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name IN ('patients', 'offers') GROUP BY 1
"""
_LARGEST = "SELECT clinic_id FROM patients GROUP BY clinic_id ORDER BY count(*) DESC, clinic_id LIMIT 1"


def measure_reads(connection: sa.Connection) -> dict[str, float]:
    """Return, per list page, the median time of reading the largest clinic's newest rows, in milliseconds.

    Asks as the list pages do, with the columns there are: it works before and after a revision.
    """
    columns = {table: set(names) for table, names in connection.execute(sa.text(_COLUMNS))}
    if columns.keys() != {"patients", "offers"}:
        return {}
    parameters = {}
    if "clinic_id" in columns["patients"]:
        parameters = {"clinic": connection.execute(sa.text(_LARGEST)).scalar_one_or_none()}
    return {name: _median(connection, statement, parameters) for name, statement in _statements(columns).items()}


def _statements(columns: Mapping[str, set[str]]) -> dict[str, str]:
    mine = {table: "t.clinic_id = :clinic" if "clinic_id" in names else "true" for table, names in columns.items()}
    shown = " AND t.archived_at IS NULL" if "archived_at" in columns["patients"] else ""
    patient = ""
    if "primary_patient_id" in columns["offers"]:
        same = "p.clinic_id = t.clinic_id AND " if "clinic_id" in columns["offers"] & columns["patients"] else ""
        patient = f" LEFT JOIN patients AS p ON {same}p.id = t.primary_patient_id"
    newest = f"ORDER BY t.id DESC LIMIT {_PAGE}"
    return {
        "patients": f"SELECT t.* FROM patients AS t WHERE {mine['patients']}{shown} {newest}",
        "offers": f"SELECT t.* FROM offers AS t{patient} WHERE {mine['offers']} {newest}",
    }


def _median(connection: sa.Connection, statement: str, parameters: Mapping[str, object]) -> float:
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        connection.execute(sa.text(statement), parameters).all()
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 2)


def slower_reads(before: Mapping[str, float], now: Mapping[str, float]) -> list[str]:
    """Return the reads that take more than twice as long as before, and by more than a person notices."""
    return [
        name for name, ms in now.items()
        if name in before and ms > SLOWER * before[name] and ms - before[name] > NOTICED_MS
    ]  # fmt: skip


def written_reads(reads: Mapping[str, float]) -> str:
    """Write them in one line."""
    return ", ".join(f"{name} {ms:.1f} ms" for name, ms in sorted(reads.items()))
