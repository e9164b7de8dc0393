"""How the catalogue is written: names in two languages, prices, log entries and exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice

from portal.catalog.detail_forms import VARIANT_LABELS, DetailsForm
from portal.catalog.details import list_variants
from portal.catalog.enums import PriceVariant
from portal.catalog.forms import DENTITIONS, PRICINGS, SCOPES, VAT_CLASSES, TreatmentForm
from portal.catalog.models import CatalogTreatment, PriceList
from portal.catalog.price_lists import Move, treatments_moved
from portal.catalog.pricing import prices_of_list
from portal.catalog.queries import PriceListInfo, list_price_lists, list_treatments
from portal.core.activity import Entry, Labels, list_entries
from portal.core.conflicts import NOTHING, Conflict, column_conflicts
from portal.core.forms import plain_number
from portal.core.i18n import LANGUAGES, language
from portal.core.money import Currency
from portal.core.tables import Table
from portal.core.templating import money

ACTIONS: Labels = {
    "treatment.created": _l("added the treatment"),
    "treatment.changed": _l("changed the treatment"),
    "treatment.composed": _l("changed the parts"),
}
FIELDS: Labels = {
    "name_tr": _l("Name in Turkish"), "name_en": _l("Name in English"), "code": _l("Code"),
    "category_id": _l("Category"), "scope": _l("Applies to"), "pricing": _l("Priced"),
    "dentition": _l("Teeth it is done on"), "duration_min": _l("Minutes"), "vat_class": _l("VAT class"),
    "is_active": _l("Offered to patients"),
}  # fmt: skip
DETAILS: Labels = {
    "name_de": _l("Name in German"), "name_ru": _l("Name in Russian"), "aliases": _l("Short forms"),
    "brands": _l("Brands"), "visits": _l("Visits"), "healing_days": _l("Healing in days"),
    "warranty_months": _l("Warranty in months"), "about": _l("What it is, for patients"), "parts": _l("Parts"),
}  # fmt: skip
_WORDS: Mapping[str, Labels] = {
    "scope": SCOPES, "pricing": PRICINGS, "dentition": DENTITIONS, "vat_class": VAT_CLASSES,
}  # fmt: skip
PriceTable = Mapping[tuple[UUID, UUID], Decimal]


@dataclass(frozen=True)
class Names:
    """A name in the reader's language, and in the other one with its code."""

    main: str
    other: str
    other_language: str


def names_of(row: Any, column: str = "name") -> Names:
    """Return the names that ``column``_tr and ``column``_en hold, the reader's language first."""
    mine = language()
    other = next(code for code in LANGUAGES if code != mine)
    return Names(getattr(row, f"{column}_{mine}"), getattr(row, f"{column}_{other}"), other)


def category_choices(categories: Sequence[Any]) -> list[tuple[UUID, str]]:
    """Return (id, name) of the categories for a form."""
    return [(row.id, names_of(row).main) for row in categories]


def part_choices(treatments: Sequence[Any], package_id: UUID) -> list[tuple[UUID, str]]:
    """Return (id, name) of what a package can consist of: everything but itself."""
    return [(row.id, names_of(row).main) for row in treatments if row.id != package_id]


def scope_text(row: Any) -> str:
    """Write what a treatment applies to, with the teeth where only some will do."""
    text = str(SCOPES[row.scope])
    return f"{text}: {', '.join(map(str, row.allowed_teeth))}" if row.allowed_teeth else text


def pricing_text(row: Any) -> str:
    """Write what a treatment's unit price counts."""
    return str(PRICINGS[row.pricing])


def vat_text(row: Any, rates: Mapping[str, Decimal]) -> str:
    """Write a treatment's VAT class with its rate, where one holds."""
    text, rate = str(VAT_CLASSES[row.vat_class]), rates.get(row.vat_class)
    return text if rate is None else _("%(vat_class)s, %(rate)s%%", vat_class=text, rate=plain_number(rate))


def price_title(price_list: PriceListInfo) -> str:
    """Write the heading of a price list's column: its currency, and its name where that is not enough."""
    return f"{price_list.currency} ({price_list.name})" if price_list.shares_currency else price_list.currency


def activity(treatment: CatalogTreatment, categories: Sequence[SelectChoice]) -> list[Entry]:
    """Return what was done to a treatment, stored values written in words; ``categories`` are the form's choices."""
    prices = _price_labels()
    return list_entries(
        treatment.__tablename__,
        treatment.id,
        actions=ACTIONS,
        fields={**FIELDS, **DETAILS, **{key: label for key, (label, _currency) in prices.items()}},
        values={
            **{name: partial(_word, labels) for name, labels in _WORDS.items()},
            "category_id": partial(_word, {choice.value: choice.label for choice in categories}),
            **{key: partial(_amount, currency) for key, (_label, currency) in prices.items()},
        },
    )


def conflicts(form: TreatmentForm, treatment: CatalogTreatment, prices: Mapping[UUID, Decimal]) -> list[Conflict]:
    """Return where a refused form differs from the stored treatment and its ``prices`` by price list."""
    amounts = [
        Conflict(_price_label(item), _price_or_none(prices.get(item.id), item), _price_or_none(price, item))
        for item, price in form.prices().items()
        if price != prices.get(item.id)
    ]
    return [*column_conflicts(form, treatment, form.values(), FIELDS), *amounts]


def detail_conflicts(form: DetailsForm, treatment: CatalogTreatment) -> list[Conflict]:
    """Return where a refused form of details differs from the stored treatment, its further prices included."""
    values, stored = form.values(), list_variants(treatment.id)
    texts = [
        Conflict(str(label), _detail(getattr(treatment, name)), _detail(values[name]))
        for name, label in DETAILS.items()
        if name in values and values[name] != getattr(treatment, name)
    ]
    rows = {slot: stored.get((slot[0].id, slot[1])) for slot in form.slots}
    prices = {slot: None if row is None else row.unit_price for slot, row in rows.items()}
    amounts = [
        Conflict(variant_label(slot[1], slot[0].currency), _price_or_none(prices[slot], slot[0]),
                 _price_or_none(price, slot[0]))
        for slot, price in form.variants().items()
        if price != prices[slot]
    ]  # fmt: skip
    return [*texts, *amounts]


def _detail(value: Any) -> str:
    """Write a detail for the table of conflicts."""
    if isinstance(value, dict):
        value = [f"{language}: {text}" for language, text in sorted(value.items())]
    return (", ".join(value) if isinstance(value, list) else str(value or "")) or NOTHING


def _price_or_none(price: Decimal | None, price_list: PriceListInfo) -> str:
    return NOTHING if price is None else money(price, price_list.currency)


def _price_labels() -> dict[str, tuple[str, str]]:
    """Return log key -> (label, currency) of every price a log entry may name."""
    labels = {f"price {code}": (_("Unit price in %(currency)s", currency=code), str(code)) for code in Currency}
    for item in list_price_lists():
        shared = replace(item, shares_currency=True)
        labels[shared.log_key] = (_price_label(shared), item.currency)
    variants = {
        f"{key} {variant}": (f"{label}: {variant_label(variant, currency)}", currency)
        for key, (label, currency) in labels.items()
        for variant in PriceVariant
    }
    return {**labels, **variants}


def variant_label(variant: str, currency: str) -> str:
    """Write what a further price is for, with its currency."""
    return str(VARIANT_LABELS[variant]) % {"currency": currency}


def _price_label(price_list: PriceListInfo) -> str:
    if price_list.shares_currency:
        return str(_("Unit price in %(currency)s, %(name)s", currency=price_list.currency, name=price_list.name))
    return str(_("Unit price in %(currency)s", currency=price_list.currency))


def _word(labels: Labels, value: str) -> str:
    return str(labels.get(value, value))


def _amount(currency: str, value: str) -> str:
    return money(Decimal(value), currency)


def export_table(rows: Sequence[Any], lists: Sequence[PriceListInfo], prices: PriceTable) -> Table:
    """Return the list as a table to download; prices are plain numbers, their currency is in the heading."""
    headings = [
        _("Category"), _("Code"), _("Name in Turkish"), _("Name in English"), _("Applies to"), _("Priced"),
        _("Teeth it is done on"), _("Minutes"), _("VAT class"), _("Offered to patients"), *map(price_title, lists),
    ]  # fmt: skip
    return Table(headings, (_export_row(row, lists, prices) for row in rows))


def _export_row(row: Any, lists: Sequence[PriceListInfo], prices: PriceTable) -> list[str | None]:
    found = (prices.get((row.id, price_list.id)) for price_list in lists)
    return [
        names_of(row, "category").main, row.code, row.name_tr, row.name_en, scope_text(row), pricing_text(row),
        str(DENTITIONS[row.dentition]), "" if row.duration_min is None else str(row.duration_min),
        str(VAT_CLASSES[row.vat_class]), _("yes") if row.is_active else _("no"),
        *("" if price is None else plain_number(price) for price in found),
    ]  # fmt: skip


@dataclass(frozen=True)
class MovedPrice:
    """A price before and after, as the preview of a copy writes it."""

    name: str
    before: str
    after: str


def moved_prices(source: PriceList, move: Move) -> list[MovedPrice]:
    """Return the unit prices that move, before and after, in the catalogue's order. Raises PriceTooLargeError."""
    prices, currency, some = prices_of_list(source.id), source.currency, treatments_moved(move)
    return [
        MovedPrice(names_of(row).main, money(prices[row.id], currency), money(move.moved(prices[row.id]), currency))
        for row in list_treatments()
        if row.id in prices and (some is None or row.id in some)
    ]
