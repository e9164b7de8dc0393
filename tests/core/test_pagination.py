from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import pagination
from portal.core.clinics import ClinicInfo
from portal.core.pagination import Order, Page, keyset_page
from portal.core.work import clinic_work
from portal.patients.models import Patient
from tests.support.data import add_patient

ORDERS = {
    "newest": Order((Patient.id,), descending=True),
    "name": Order((Patient.name_key, Patient.id)),
    "name downwards": Order((Patient.name_key, Patient.id), descending=True),
}
NAMES = ["Ali", "Ali", "Ali", "Çağ 'x\" \\", "Ünal", "محمد", "😀"]
_ROWS = sa.select(Patient.id, Patient.name_key).where(Patient.last_name == "Sayfa")


@pytest.fixture(params=ORDERS)
def order(request: pytest.FixtureRequest, portal: Flask, papatya: ClinicInfo) -> Iterator[Order]:
    """An order over seven patients, three of one name."""
    with clinic_work(portal, papatya.id) as session:
        for name in NAMES:
            add_patient(first_name=name, last_name="Sayfa")
        session.flush()
        yield ORDERS[request.param]


def walk(order: Order, size: int, page: Page[object], cursor: str) -> list[Page[object]]:
    pages = [page]
    while (following := getattr(pages[-1], cursor)) is not None:
        pages.append(keyset_page(_ROWS, order, following, size=size))
    return pages


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
def test_pages_show_every_row_once_in_order_forwards_and_backwards(order: Order, size: int) -> None:
    everything = list(keyset_page(_ROWS, order, None, size=100).items)
    forwards = walk(order, size, keyset_page(_ROWS, order, None, size=size), "next_cursor")
    assert [row for page in forwards for row in page.items] == everything
    assert len(forwards) == -(-len(NAMES) // size)
    backwards = walk(order, size, forwards[-1], "previous_cursor")
    assert [row for page in reversed(backwards) for row in page.items] == everything
    assert [page.previous_cursor is None for page in forwards] == [True] + [False] * (len(forwards) - 1)


def test_nothing_to_show_is_one_page_without_neighbours(order: Order) -> None:
    page = keyset_page(_ROWS.where(sa.false()), order, None)
    assert (list(page.items), page.next_cursor, page.previous_cursor) == ([], None, None)


def test_a_cursor_with_no_row_beyond_it_shows_the_first_page(order: Order) -> None:
    first = keyset_page(_ROWS, order, None, size=5)
    last = keyset_page(_ROWS, order, first.next_cursor, size=5)
    shown_before = Patient.id.in_([row.id for row in first.items])
    assert last.items
    beyond = keyset_page(_ROWS.where(shown_before), order, first.next_cursor, size=5)
    assert (beyond.items, beyond.previous_cursor) == (first.items, None)


def test_every_row_comes_once_however_many_fit_at_a_time(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = list(keyset_page(_ROWS, order, None, size=100).items)
    for size in (1, 3, 7, 100):
        monkeypatch.setattr(pagination, "EVERY_SIZE", size)
        assert list(pagination.every_row(_ROWS, order)) == everything


def test_a_cursor_means_nothing_in_an_order_of_other_columns(order: Order) -> None:
    cursor = keyset_page(_ROWS, order, None, size=2).next_cursor
    others = [other for other in ORDERS.values() if len(other.columns) != len(order.columns)]
    for other in others:
        assert keyset_page(_ROWS, other, cursor, size=2).items == keyset_page(_ROWS, other, None, size=2).items
