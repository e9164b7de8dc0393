from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.numbers import next_number
from portal.core.scope import ScopeError
from portal.core.work import clinic_work, platform_work


def take(portal: Flask, clinic: ClinicInfo, kind: str = "letter", year: int = 0) -> int:
    with clinic_work(portal, clinic.id):
        return next_number(kind, year)


def test_numbers_count_up_without_gaps_for_each_clinic_kind_and_year(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    assert [take(portal, papatya) for _ in range(3)] == [1, 2, 3]
    assert take(portal, lale) == 1
    assert take(portal, papatya, "parcel") == 1
    assert take(portal, papatya, "letter", 2031) == 1
    assert take(portal, papatya) == 4


def test_a_number_that_was_not_used_is_given_again(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        assert next_number("letter") == 1
        session.rollback()
    assert take(portal, papatya) == 1


def test_a_second_sender_waits_until_the_first_has_finished(app: Flask, papatya: ClinicInfo) -> None:
    """Over two connections of their own, which both roll back."""
    with clinic_work(app, papatya.id) as first:
        assert next_number("letter") == 1
        with clinic_work(app, papatya.id) as second:
            impatient = sa.text("SET LOCAL lock_timeout = '50ms'")
            second.execute(impatient, execution_options={"scope_checked": True})
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                next_number("letter")
            second.rollback()
        first.rollback()


def test_numbers_belong_to_a_clinic(portal: Flask) -> None:
    with pytest.raises(ScopeError), platform_work(portal, "tests"):
        next_number("letter")
