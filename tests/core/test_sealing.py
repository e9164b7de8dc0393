"""Sealed data opens with its key, for its clinic and its purpose only; a lost key is told and harms nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.keyring import DataKey, new_key
from portal.core.sealing import KeyMissingError, SealBrokenError, key_id_of, seal, unseal
from portal.core.work import clinic_work, platform_work

PLAIN = b"Penisilin alerjisi"


@contextmanager
def keys(portal: Flask, *data_keys: DataKey) -> Iterator[None]:
    before = portal.extensions["portal_settings"]
    portal.extensions["portal_settings"] = replace(before, data_keys=data_keys)
    try:
        yield
    finally:
        portal.extensions["portal_settings"] = before


def sealed_by(portal: Flask, clinic: ClinicInfo) -> bytes:
    with clinic_work(portal, clinic.id):
        return seal(PLAIN, purpose="medical")


def test_what_is_sealed_names_its_key_and_holds_nothing_readable(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        first, second = seal(PLAIN, purpose="medical"), seal(PLAIN, purpose="medical")
        assert first != second
        assert key_id_of(first) == "tests"
        assert b"Penisilin" not in first
        assert unseal(first, purpose="medical") == PLAIN


def test_it_opens_for_no_other_clinic_nor_the_platform_nor_another_purpose(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    sealed = sealed_by(portal, papatya)
    with clinic_work(portal, lale.id), pytest.raises(SealBrokenError):
        unseal(sealed, purpose="medical")
    with platform_work(portal, "tests"), pytest.raises(SealBrokenError):
        unseal(sealed, purpose="medical")
    with clinic_work(portal, papatya.id), pytest.raises(SealBrokenError):
        unseal(sealed, purpose="totp")


def test_a_changed_byte_anywhere_is_noticed(portal: Flask, papatya: ClinicInfo) -> None:
    sealed = sealed_by(portal, papatya)
    with clinic_work(portal, papatya.id):
        for place in range(len(sealed)):
            spoilt = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
            with pytest.raises((SealBrokenError, KeyMissingError)):
                unseal(spoilt, purpose="medical")
        for cut in (b"", sealed[:1], sealed[:20], PLAIN):
            with pytest.raises(SealBrokenError):
                unseal(cut, purpose="medical")


def test_a_lost_key_is_named(portal: Flask, papatya: ClinicInfo) -> None:
    sealed = sealed_by(portal, papatya)
    with keys(portal, new_key("other")), clinic_work(portal, papatya.id), pytest.raises(KeyMissingError, match="tests"):
        unseal(sealed, purpose="medical")
    with keys(portal), clinic_work(portal, papatya.id), pytest.raises(KeyMissingError, match="not set"):
        seal(PLAIN, purpose="medical")


def test_another_key_under_the_same_name_is_told_by_its_fingerprint(portal: Flask, papatya: ClinicInfo) -> None:
    sealed, wrong = sealed_by(portal, papatya), new_key("tests")
    with keys(portal, wrong), clinic_work(portal, papatya.id), pytest.raises(SealBrokenError, match=wrong.fingerprint):
        unseal(sealed, purpose="medical")


def test_an_older_key_still_opens_and_the_first_one_seals(portal: Flask, papatya: ClinicInfo) -> None:
    sealed, old = sealed_by(portal, papatya), portal.extensions["portal_settings"].data_keys[0]
    with keys(portal, new_key("next"), old), clinic_work(portal, papatya.id):
        assert unseal(sealed, purpose="medical") == PLAIN
        assert key_id_of(seal(PLAIN, purpose="medical")) == "next"


def test_a_key_never_shows_where_it_is_printed(portal: Flask) -> None:
    key = portal.extensions["portal_settings"].data_keys[0]
    assert "secret" not in repr(key)
    assert "only for tests!!" not in repr(portal.extensions["portal_settings"])
