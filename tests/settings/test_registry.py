from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from structlog.testing import capture_logs

from portal.catalog.pricing import PERMIT, holds_permit
from portal.catalog.rates.queries import MARGIN, drift_margin
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.sealing import SIGNOFF, signoff_required
from portal.settings import kinds
from portal.settings.registry import Definition, define, get_setting, list_definitions, reset_setting, set_setting
from portal.settings.values import set_value
from portal.sharing.link_settings import OPEN_LINKS
from portal.sharing.queries import allows_open_links

NINE, SIX = time(9), time(18)
WEEK = ((NINE, SIX),) * 5 + ((NINE, time(13, 30)), None)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (kinds.Flag(), True, "yes"),
        (kinds.Flag(), False, "no"),
        (kinds.Whole(1, 365), 90, "90"),
        (kinds.Percent(Decimal(0), Decimal(50)), Decimal("2.5"), "2.5"),
        (kinds.Text(20), "Bağdat Cd. 1", "Bağdat Cd. 1"),
        (kinds.Choice({"a": "A", "b": "B"}), "b", "b"),
        (kinds.Choices({"tr": "T", "en": "E", "de": "D"}), ("tr", "de"), "tr,de"),
        (kinds.Colour(), "#0f6b6f", "#0f6b6f"),
        (kinds.Clock(), time(8, 5), "08:05"),
        (kinds.Hours(), WEEK, "09:00-18:00;09:00-18:00;09:00-18:00;09:00-18:00;09:00-18:00;09:00-13:30;"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_value_is_read_as_it_was_written(kind: kinds.Kind[Any], value: Any, text: str) -> None:
    assert kind.write(value) == text
    assert kind.read(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (kinds.Flag(), "1"),
        (kinds.Whole(1, 365), "0"),
        (kinds.Whole(1, 365), "9" * 40),
        (kinds.Whole(1, 365), "٣"),
        (kinds.Percent(Decimal(0), Decimal(50)), "NaN"),
        (kinds.Percent(Decimal(0), Decimal(50)), "1e9"),
        (kinds.Percent(Decimal(0), Decimal(50)), "5 %"),
        (kinds.Text(3), "four"),
        (kinds.Choice({"a": "A"}), "A"),
        (kinds.Choices({"a": "A"}), ""),
        (kinds.Colour(), "red"),
        (kinds.Clock(), "24:00"),
        (kinds.Clock(), "9:00"),
        (kinds.Hours(), "09:00-18:00"),
        (kinds.Hours(), "18:00-09:00;;;;;;"),
    ],
)
def test_what_is_no_value_of_its_kind_is_refused(kind: kinds.Kind[Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        kind.read(text)


def test_a_setting_of_the_wrong_type_from_an_older_release_is_as_if_unset_and_logged_without_its_text(
    portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        set_value(SYSTEM, MARGIN.key, "a secret of three")
        with capture_logs() as logs:
            assert drift_margin() == Decimal(3)
    assert logs == [{"event": "setting.unreadable", "log_level": "warning", "key": MARGIN.key}]


@pytest.mark.parametrize(
    ("setting", "text", "holds"),
    [
        (OPEN_LINKS, "yes", allows_open_links),
        (OPEN_LINKS, "", lambda: not allows_open_links()),
        (SIGNOFF, "yes", signoff_required),
        (SIGNOFF, "no", lambda: not signoff_required()),
        (PERMIT, "yes", holds_permit),
        (MARGIN, "4.5", lambda: drift_margin() == Decimal("4.5")),
    ],
)
def test_what_releases_before_the_registry_stored_is_still_valid(
    portal: Flask, papatya: ClinicInfo, setting: Definition[Any], text: str, holds: Callable[[], bool]
) -> None:
    with clinic_work(portal, papatya.id):
        set_value(SYSTEM, setting.key, text)
        assert holds()


def test_setting_and_setting_back_are_told_in_the_log_and_hold_in_one_clinic(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        set_setting(SYSTEM, MARGIN, Decimal(3))  # as it is: nothing to write
        set_setting(SYSTEM, MARGIN, Decimal("4.5"))
        set_setting(SYSTEM, MARGIN, Decimal("4.5"))
        assert get_setting(MARGIN) == Decimal("4.5")
        reset_setting(SYSTEM, MARGIN)
        reset_setting(SYSTEM, MARGIN)
        session.flush()
        assert get_setting(MARGIN) == Decimal(3)
        rows = session.execute(
            sa.select(ActivityLog.action, ActivityLog.changes).where(ActivityLog.action.like("setting.%"))
        )
        assert [tuple(row) for row in rows] == [
            ("setting.changed", {MARGIN.key: [None, "4.5"]}),
            ("setting.reset", {MARGIN.key: ["4.5", None]}),
        ]
        set_setting(SYSTEM, OPEN_LINKS, True)
    with clinic_work(portal, lale.id):
        assert not allows_open_links()


def test_a_value_out_of_bounds_is_never_stored(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        with pytest.raises(ValueError, match="bounds"):
            set_setting(SYSTEM, MARGIN, Decimal(99))
        assert get_setting(MARGIN) == Decimal(3)


def test_every_default_fits_its_own_kind_and_no_key_is_used_twice() -> None:
    for definition in list_definitions():
        if definition.default != "":
            assert definition.kind.read(definition.kind.write(definition.default)) == definition.default
    with pytest.raises(ValueError, match="two settings"):
        define(Definition(MARGIN.key, kinds.Flag(), False, "another"))
