"""Data keys at work: how many sealed values each one holds, whether they open, and sealing them anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from portal.core import audit
from portal.core.clinics import Clinic
from portal.core.database import ClinicOwned, PortalSession
from portal.core.jobs import SYSTEM
from portal.core.sealing import (
    SealedColumn,
    SealError,
    current_key,
    header_of,
    key_id_of,
    seal,
    sealed_columns,
    unseal,
)
from portal.core.work import clinic_work, platform_work

BATCH = 200


@dataclass
class KeyReport:
    """What was found: values by the name of their key, those sealed anew, and what does not open by its reason."""

    held: Counter[str] = field(default_factory=Counter)
    resealed: int = 0
    broken: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Place:
    """One column of one clinic, or of the platform."""

    column: SealedColumn
    clinic_id: UUID | None

    def work(self, app: Flask) -> AbstractContextManager[PortalSession]:
        """Open the scope that the values are sealed for."""
        return platform_work(app, "data keys") if self.clinic_id is None else clinic_work(app, self.clinic_id)


def check_keys(app: Flask) -> KeyReport:
    """Open every sealed value, of every clinic and of the platform, and forget it again."""
    report = KeyReport()
    for _done in _walk(app, report, lambda _session, place, row: _check(report, place, row)):
        pass
    return report


def rotate_keys(app: Flask, report: KeyReport) -> Iterator[int]:
    """Seal with the current key what is sealed with another; yields after each batch, which is committed by then.

    Values are changed one at a time and only where they are still what was opened, so people can go on working, and
    a run that was interrupted is simply run again. What does not open is left as it is.
    """
    with app.app_context():
        current_key()
    yield from _walk(app, report, lambda session, place, row: _reseal(session, report, place, row), old_only=True)


def _walk(
    app: Flask, report: KeyReport, visit: Callable[[PortalSession, _Place, Any], object], *, old_only: bool = False
) -> Iterator[int]:
    for place in _places(app):
        after: UUID | None = None
        while True:
            with place.work(app) as session:
                before = report.resealed
                rows = _next_rows(session, place.column, after, old_only=old_only)
                for row in rows:
                    visit(session, place, row)
                if report.resealed > before:
                    changes = {"key": [None, current_key().id]}
                    audit.record(SYSTEM, "seal_anew", place.column.model, changes=changes)
            if not rows:
                break
            after = rows[-1].id
            yield len(rows)


def _places(app: Flask) -> list[_Place]:
    with platform_work(app, "data keys") as session:
        clinics = list(session.scalars(sa.select(Clinic.id).order_by(Clinic.id)))
    return [
        _Place(column, clinic_id)
        for column in sealed_columns()
        for clinic_id in (clinics if issubclass(column.model, ClinicOwned) else [None])
    ]


def _next_rows(session: PortalSession, column: SealedColumn, after: UUID | None, *, old_only: bool) -> list[Any]:
    model, value = column.model, getattr(column.model, column.column)
    statement = sa.select(model.id, value.label("sealed")).where(value.is_not(None)).order_by(model.id).limit(BATCH)
    if after is not None:
        statement = statement.where(model.id > after)
    if old_only:
        header = header_of(current_key().id)
        statement = statement.where(sa.func.substring(value, 1, len(header)) != header)
    return list(session.execute(statement))


def _check(report: KeyReport, place: _Place, row: Any) -> bytes | None:
    """Count a value and return what it holds, None where it does not open."""
    try:
        report.held[key_id_of(row.sealed)] += 1
        return unseal(row.sealed, purpose=place.column.purpose)
    except SealError as error:
        report.broken[f"{place.column.model.__tablename__}.{place.column.column}: {error}"] += 1
        return None


def _reseal(session: PortalSession, report: KeyReport, place: _Place, row: Any) -> None:
    plain = _check(report, place, row)
    if plain is None:
        return
    column, model = place.column, place.column.model
    values: dict[str, Any] = {column.column: seal(plain, purpose=column.purpose), "updated_at": model.updated_at}
    if column.key_column:
        values[column.key_column] = current_key().id
    unchanged = sa.update(model).where(model.id == row.id, getattr(model, column.column) == row.sealed)
    done = session.execute(unchanged.values(values), execution_options={"synchronize_session": False})
    report.resealed += done.rowcount  # type: ignore[attr-defined]
