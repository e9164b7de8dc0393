"""`flask keys`: what an operator does with the keys of sealed data, and what never shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from click.testing import Result
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.keyring import DataKey, new_key, read_keys
from portal.core.work import clinic_work
from portal.records.document import MedicalRecord
from portal.records.services import save_medical
from tests.support.data import add_patient

SECRET = "only for tests!!"


def run(portal: Flask, *words: str) -> Result:
    return portal.test_cli_runner().invoke(args=["keys", *words])


@pytest.fixture
def keys(portal: Flask, papatya: ClinicInfo) -> Iterator[Callable[..., None]]:
    """A clinic with one sealed record, and a way to change the portal's keys."""
    before = portal.extensions["portal_settings"]
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Mühürlü", last_name="Kayıt")
        save_medical(SYSTEM, patient.id, version=0, record=MedicalRecord(history="?"), reviewed=False)

    def change(*data_keys: DataKey) -> None:
        portal.extensions["portal_settings"] = replace(before, data_keys=data_keys)

    yield change
    portal.extensions["portal_settings"] = before


@pytest.mark.usefixtures("keys")
def test_keys_are_listed_by_name_and_fingerprint_and_never_shown(portal: Flask) -> None:
    key = portal.extensions["portal_settings"].data_keys[0]
    shown = run(portal, "list").output
    assert key.id in shown and key.fingerprint in shown
    assert SECRET not in shown and key.written() not in shown


@pytest.mark.usefixtures("keys")
def test_a_new_key_is_printed_in_front_and_stored_nowhere(portal: Flask) -> None:
    old = portal.extensions["portal_settings"].data_keys
    result = run(portal, "new", "--name", "spring")
    made = read_keys(result.stdout.strip().splitlines()[0])
    assert [key.id for key in made] == ["spring", "tests"]
    assert portal.extensions["portal_settings"].data_keys == old
    assert run(portal, "new", "--name", "tests").exit_code == 1
    assert run(portal, "new", "--name", "No Name").exit_code == 1


def test_a_key_is_changed_without_a_gap(portal: Flask, keys: Callable[..., None]) -> None:
    old, fresh = portal.extensions["portal_settings"].data_keys[0], new_key("spring")
    assert run(portal, "check").exit_code == 0
    keys(fresh, old)
    rotated = run(portal, "rotate")
    assert rotated.exit_code == 0 and "1 sealed anew with spring" in rotated.output
    keys(fresh)
    assert run(portal, "check").exit_code == 0
    assert "0 sealed anew" in run(portal, "rotate").output


def test_a_lost_key_is_told_with_an_exit_code(portal: Flask, keys: Callable[..., None]) -> None:
    keys(new_key("other"))
    for word in ("check", "rotate"):
        result = run(portal, word)
        assert result.exit_code == 1
        assert "'tests' is not in CLINIKOOP_DATA_KEYS" in result.output
    keys()
    assert run(portal, "list").exit_code == run(portal, "rotate").exit_code == 1
