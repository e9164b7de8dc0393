"""A column that might tell who somebody is must be decided before it is released."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.database import Base, current_session
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.privacy import inventory

TELLING = (sa.String, sa.LargeBinary, sa.JSON, sa.Date)


def _columns(model: Any) -> set[str]:
    """Return the columns that may hold something personal: texts, documents and days, keys aside."""
    table = sa.inspect(model).local_table
    keys = {column.name for key in table.foreign_key_constraints for column in key.columns}
    hidden = set(getattr(model, "audit_hidden", ()))
    return {column.name for column in table.c if isinstance(column.type, TELLING) and column.name not in keys} | hidden


def test_every_table_of_a_clinic_is_decided(app: Flask) -> None:
    tenant = {table.name for table in Base.metadata.tables.values() if "clinic_id" in table.c}
    about = set(inventory.tables_about_patients())
    decided = about | inventory.NOT_ABOUT_PATIENTS | inventory.BY_VALUE
    assert tenant - decided == set(), "say in portal/privacy/inventory.py whether these hold anything about patients"
    assert about & inventory.NOT_ABOUT_PATIENTS == set()
    assert tenant >= inventory.NOT_ABOUT_PATIENTS


def test_every_column_that_may_be_personal_is_emptied_deleted_or_kept_for_a_reason(app: Flask) -> None:
    undecided, unknown = {}, {}
    for name, model in inventory.tables_about_patients().items():
        if name in inventory.DELETED:
            continue
        decided = set(inventory.EMPTIED.get(name, {})) | inventory.KEPT.get(name, frozenset())
        if missing := _columns(model) - decided:
            undecided[name] = missing
        if gone := decided - set(sa.inspect(model).local_table.c.keys()):
            unknown[name] = gone
    assert undecided == {}, "decide these columns in portal/privacy/inventory.py"
    assert unknown == {}


def test_what_is_hidden_from_the_log_is_never_kept_but_for_ids(app: Flask) -> None:
    kept = {
        name: set(model.audit_hidden) & inventory.KEPT.get(name, frozenset())
        for name, model in inventory.tables_about_patients().items()
        if hasattr(model, "audit_hidden")
    }
    assert {name: columns for name, columns in kept.items() if columns} == {"patient_merges": {"moved"}}


def test_the_rows_about_everybody_together_are_all_rows_and_those_about_nobody_none(
    portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        everybody = list(session.scalars(sa.select(Patient.id)))
        models = inventory.tables_about_patients()
        total = {
            name: session.execute(sa.select(sa.func.count()).select_from(model)).scalar_one()
            for name, model in models.items()
        }
        assert inventory.count_rows(everybody) == {name: count for name, count in total.items() if count}
        assert inventory.count_rows([]) == {}
        assert current_session() is session
