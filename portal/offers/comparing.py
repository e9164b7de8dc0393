"""How the difference between two versions of an offer is written on its page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalog.teeth import format_teeth, tooth_name
from portal.core.forms import plain_number
from portal.core.templating import money
from portal.offers.difference import LineChange, difference, option_of
from portal.offers.models import Offer, Treatment
from portal.offers.options import TypedOption, stored_options, stored_sums
from portal.offers.presenting import JAW_WORDS, where
from portal.offers.queries import list_options, list_visits
from portal.offers.totals import DiscountKind
from portal.offers.visit_words import visit_words
from portal.offers.visits import stored_visits

FIELDS = {
    "name": _l("Name on the offer"), "arch": _l("Jaw"), "quantity": _l("Quantity"), "unit_price": _l("Unit price"),
    "discount": _l("Discount"), "vat_rate": _l("VAT rate"), "brand": _l("Brand"), "material": _l("Material"),
    "abutment": _l("Abutment"), "visit_no": _l("Visit"), "healing_days": _l("Healing in days"),
    "warranty_months": _l("Warranty in months"),
    "is_included": _l("Included in a package"), "line_gross": _l("Total"), "option": _l("Part of"),
}  # fmt: skip
_MONEY = frozenset({"unit_price", "line_gross"})


class ChangesView:
    """What the page of a difference shows."""

    where = staticmethod(where)
    format_teeth = staticmethod(format_teeth)

    def __init__(self, before: Offer, after: Offer, revisions: Sequence[Offer]) -> None:
        self.before, self.after = before, after
        self.others = [row for row in revisions if row.id != after.id]
        self._options = list_options(before.id), list_options(after.id)
        self._labels = {row.id: row.label for rows in self._options for row in rows}
        self.difference = difference(before, after, self._labels)

    def tooth(self, number: int) -> str:
        """Name a tooth in words."""
        return str(tooth_name(number))

    def details(self, change: LineChange) -> list[tuple[str, str, str]]:
        """Return (label, before, after) of each part of a line that changed, its teeth apart."""
        old, new = change.before, change.after
        if old is None or new is None:
            return []
        names = dict.fromkeys("discount" if name.startswith("discount") else name for name in change.fields)
        currencies = self.before.currency, self.after.currency
        return [
            (str(FIELDS[name]), self._written(old, name, currencies[0]), self._written(new, name, currencies[1]))
            for name in names
        ]  # fmt: skip

    def _written(self, line: Treatment, name: str, currency: str) -> str:
        if name != "option":
            return _written(line, name, currency)
        label = option_of(line, self._labels)
        return _("Option %(label)s", label=label) if label else _("All options")

    def options(self) -> Iterable[tuple[str, str, str]]:
        """Return (label, before, after) of each option that differs: what it is called and comes to."""
        sides = []
        for offer, rows in zip((self.before, self.after), self._options, strict=True):
            sums = stored_sums(offer, rows) if rows else []
            sides.append({
                option.label: _option_words(option, money(row.totals.gross, offer.currency))
                for option, row in zip(stored_options(rows), sums, strict=True)
            })  # fmt: skip
        old, new = sides
        for label in sorted({*old, *new}):
            if old.get(label) != new.get(label):
                yield _("Option %(label)s", label=label), old.get(label, ""), new.get(label, "")

    def visits(self) -> list[list[str]]:
        """Return the visits before and after in words; nothing where they are the same."""
        sides = [visit_words(stored_visits(list_visits(offer.id))) for offer in (self.before, self.after)]
        return sides if sides[0] != sides[1] else []

    def gain(self, amount: Decimal) -> str:
        """Write by how much something became dearer or cheaper."""
        sign = "+" if amount > 0 else "−" if amount < 0 else ""
        return f"{sign}{money(abs(amount), self.after.currency)}"

    def totals(self) -> Iterable[tuple[str, str, str, str]]:
        """Return (label, before, after, difference) of each sum; no difference across two currencies."""
        rows = (
            (_("Subtotal"), "subtotal"), (_("Discount"), "discount_total"), (_("Net"), "net_total"),
            (_("VAT"), "vat_total"), (_("Total"), "grand_total"),
        )  # fmt: skip
        one_currency = self.before.currency == self.after.currency
        for label, name in rows:
            old, new = getattr(self.before, name), getattr(self.after, name)
            gain = self.gain(new - old) if one_currency else ""
            yield label, money(old, self.before.currency), money(new, self.after.currency), gain


def _option_words(option: TypedOption, total: str) -> str:
    parts = [option.title, total, _("Recommended") if option.recommended else ""]
    return " · ".join(part for part in parts if part)


def _written(line: Any, name: str, currency: str) -> str:
    if name == "discount":
        percent = line.discount_kind == DiscountKind.PERCENT
        value, name = line.discount_value, "vat_rate" if percent else "unit_price"  # written as these are
    else:
        value = getattr(line, name)
    if value is None:
        return ""
    if name in _MONEY:
        return money(value, currency)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "arch":
        return str(JAW_WORDS[value])
    number = plain_number(value) if isinstance(value, Decimal) else str(value)
    return _("%(rate)s%%", rate=number) if name == "vat_rate" else number
