"""A patient with a medical record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.keyring import DataKey
from portal.core.work import clinic_work
from portal.records.document import Allergy, Flag, MedicalRecord, Medication, Severity
from portal.records.services import save_medical
from tests.support.data import add_patient

RECORD = MedicalRecord(
    history="Kalp kapağı ameliyatı 2019",
    allergies=(Allergy("Penisilin", Severity.SEVERE, "anafilaksi"), Allergy("Lateks", Severity.MILD)),
    medications=(Medication("Coumadin", "5 mg"),),
    flags=frozenset({Flag.ANTICOAGULANT, Flag.SMOKER}),
)
SECRETS = ("Penisilin", "anafilaksi", "Lateks", "Coumadin", "Kalp kapağı")


@pytest.fixture
def patient_id(portal: Flask, papatya: ClinicInfo) -> UUID:
    """A patient of papatya without a record."""
    with clinic_work(portal, papatya.id):
        return add_patient(first_name="Mediha", last_name="Kayıtlı").id


@pytest.fixture
def recorded_id(portal: Flask, papatya: ClinicInfo, patient_id: UUID) -> UUID:
    """The same patient, with a record."""
    with clinic_work(portal, papatya.id):
        save_medical(SYSTEM, patient_id, version=0, record=RECORD, reviewed=False)
    return patient_id


@pytest.fixture
def keys(portal: Flask) -> Iterator[Callable[..., None]]:
    """Give the portal other data keys until the test ends."""
    before = portal.extensions["portal_settings"]

    def change(*data_keys: DataKey) -> None:
        portal.extensions["portal_settings"] = replace(before, data_keys=data_keys)

    yield change
    portal.extensions["portal_settings"] = before
