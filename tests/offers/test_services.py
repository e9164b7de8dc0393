from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.errors import RuleError, StaleVersionError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import services
from portal.offers.editing import LineError, PriceBook, PricedLine, TypedLine
from portal.offers.models import Offer, OfferKind, Treatment, TreatmentTooth
from portal.offers.queries import default_status, get_offer
from portal.offers.totals import DiscountKind, offer_totals
from tests.support.data import add_offer, add_patient


@pytest.fixture
def clinic(portal: Flask, papatya: ClinicInfo) -> Iterator[ClinicInfo]:
    """Papatya, with its work open and its messages in English."""
    with clinic_work(portal, papatya.id), force_locale("en"):
        yield papatya


@pytest.fixture
def offer(clinic: ClinicInfo) -> Offer:
    """A draft of one line of three crowns."""
    return get_offer(add_offer(clinic, add_patient()).id)


def book(**changed: Any) -> PriceBook:
    settings = {"currency": "TRY", "on": date.today(), "language": "tr", "prices_include_vat": True, **changed}
    return PriceBook(settings.pop("currency"), settings.pop("on"), settings.pop("language"), **settings)


def priced(*names: str) -> list[PricedLine]:
    typed = [TypedLine(None, name, "", None, None, Decimal(100), DiscountKind.PERCENT, None, None) for name in names]
    return [book().price_line(line) for line in typed]


def values(offer: Offer, **changed: Any) -> dict[str, Any]:
    names = ("title", "currency", "valid_until", "patient_note", "internal_note")
    return {**{name: getattr(offer, name) for name in names}, **changed}


def create(form_key: Any = None, year: int = 2031, **changed: Any) -> Offer:
    columns = {"title": "Plan", "currency": "TRY", "valid_until": date.today() + timedelta(days=5), **changed}
    return services.create_offer(
        SYSTEM, add_patient(), form_key=form_key, year=year, prices_include_vat=True, values=columns, lines=priced("x")
    )


def test_numbers_count_up_in_each_year_and_clinic(portal: Flask, papatya: ClinicInfo, lale: ClinicInfo) -> None:
    made = []
    for clinic in (papatya, lale, papatya):
        with clinic_work(portal, clinic.id):
            made.append([create(year=year).offer_no for year in (2031, 2032, 2031)])
    first = ["2031-00001", "2032-00001", "2031-00002"]
    assert made == [first, first, ["2031-00003", "2032-00002", "2031-00004"]]


def test_the_same_form_gives_its_number_back(portal: Flask, papatya: ClinicInfo) -> None:
    key, made = uuid4(), []
    for form_key in (key, key, uuid4()):
        with clinic_work(portal, papatya.id):
            made.append(create(form_key).offer_no)
    assert made == ["2031-00001", "2031-00001", "2031-00002"]


def test_stored_totals_are_those_of_the_stored_lines(clinic: ClinicInfo, offer: Offer) -> None:
    services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("a", "b"))
    current_session().expire_all()
    stored = get_offer(offer.id)
    totals = offer_totals([line.amounts for line in priced("a", "b")], prices_include_vat=True)
    assert (stored.subtotal, stored.net_total, stored.vat_total, stored.grand_total) == (
        totals.subtotal, totals.net, totals.vat, totals.gross,
    )  # fmt: skip
    assert sum(line.line_gross for line in stored.lines) == stored.grand_total
    assert sum(line.line_net + line.line_vat for line in stored.lines) == stored.grand_total


def test_replaced_lines_and_their_teeth_leave_nothing_behind(clinic: ClinicInfo, offer: Offer) -> None:
    services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("a"))
    session = current_session()
    count = sa.select(sa.func.count()).select_from(Treatment).where(Treatment.offer_id == offer.id)
    assert session.execute(count).scalar_one() == 1
    left = sa.select(TreatmentTooth.id).where(~TreatmentTooth.treatment_id.in_(sa.select(Treatment.id)))
    assert session.execute(left).all() == []


def test_a_change_of_lines_alone_makes_a_new_version(clinic: ClinicInfo, offer: Offer) -> None:
    services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("a"))
    assert offer.version == 2
    with pytest.raises(StaleVersionError):
        services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("b"))


def test_saving_what_is_stored_is_no_change_whatever_the_version(clinic: ClinicInfo, offer: Offer) -> None:
    services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("a"))
    services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("a"))
    assert offer.version == 2


def test_rules_go_by_the_kind_of_a_status_whatever_a_clinic_calls_it(clinic: ClinicInfo, offer: Offer) -> None:
    sent = default_status(OfferKind.SENT)
    services.move_offer(SYSTEM, offer, status=sent)
    current_session().execute(sa.update(type(sent)).where(type(sent).id == sent.id).values(label_en="Draft"))
    with pytest.raises(RuleError, match="A sent offer is locked"):
        services.update_offer(SYSTEM, offer, version=offer.version, values=values(offer, title="x"), lines=[])
    assert offer.title == "Teklif"


def test_reopening_a_decided_offer_forgets_when_it_was_decided(clinic: ClinicInfo, offer: Offer) -> None:
    for kind in (OfferKind.SENT, OfferKind.DECLINED):
        services.move_offer(SYSTEM, offer, status=default_status(kind))
    assert offer.decided_at is not None
    services.move_offer(SYSTEM, offer, status=default_status(OfferKind.NEGOTIATING))
    assert (offer.decided_at, offer.sent_at is not None) == (None, True)


def logged(offer: Offer) -> list[dict[str, Any]]:
    """Return what the log holds of an offer's changes, oldest first."""
    current_session().flush()
    statement = sa.select(ActivityLog.changes).where(ActivityLog.object_id == offer.id).order_by(ActivityLog.id)
    return list(current_session().scalars(statement))


def test_the_log_holds_no_treatment_and_no_title(clinic: ClinicInfo, offer: Offer) -> None:
    services.update_offer(SYSTEM, offer, version=1, values=values(offer, title="Sır"), lines=priced("Gizli", "Sır"))
    created, changed = logged(offer)
    assert created == {"line_count": [None, 1], "grand_total": [None, "21600.00"], "currency": [None, "TRY"]}
    assert (changed["title"], changed["line_count"], changed["grand_total"]) == (None, [1, 2], ["21600.00", "200.00"])
    told = str([created, changed])
    assert not any(word in told for word in ("Sır", "Gizli", "Teklif", "Zirkonyum", "11", "lines"))


def test_lines_changed_at_the_same_count_and_total_are_in_the_log_as_a_change(clinic: ClinicInfo, offer: Offer) -> None:
    services.update_offer(SYSTEM, offer, version=1, values=values(offer), lines=priced("a", "b"))
    services.update_offer(SYSTEM, offer, version=2, values=values(offer), lines=priced("a", "c"))
    services.update_offer(SYSTEM, offer, version=3, values=values(offer, internal_note="x"), lines=priced("a", "c"))
    assert logged(offer)[2:] == [{"lines": None}, {"internal_note": None}]


def test_prices_and_vat_hold_on_their_days(clinic: ClinicInfo) -> None:
    crown = next(key for key, row in book().treatments.items() if row.code == "zirkonyum-kron")
    typed = TypedLine(crown, None, "11", None, None, Decimal(100), DiscountKind.PERCENT, None, None)
    rates = {day: book(on=day).price_line(typed).amounts.vat_rate for day in (date(2023, 7, 9), date(2023, 7, 10))}
    assert rates == {date(2023, 7, 9): 8, date(2023, 7, 10): 10}
    with pytest.raises(LineError) as refused:
        book(on=date(2007, 1, 1)).price_line(typed)
    assert refused.value.field == "vat_rate"


def test_a_treatment_is_named_in_the_patients_language(clinic: ClinicInfo) -> None:
    crown = next(row for row in book().treatments.values() if row.code == "zirkonyum-kron")
    typed = TypedLine(crown.id, None, "11", None, None, None, DiscountKind.PERCENT, None, None)
    names = [book(language=language).price_line(typed).name for language in ("tr", "en", "de")]
    assert names == [crown.name_tr, crown.name_en, crown.name_en]
