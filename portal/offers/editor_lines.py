"""A line of the editor's form: empty, filled from what was typed as text, or from a stored one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.choices import SelectChoice

from portal.catalog.enums import ToothRole
from portal.catalog.teeth import format_teeth
from portal.core.i18n import language
from portal.offers.editing import LineError, PriceBook, TypedLine
from portal.offers.models import Jaw, Treatment
from portal.offers.options import TypedOption
from portal.offers.row_forms import LineForm
from portal.offers.totals import DiscountKind


def blank_line(book: PriceBook, options: Sequence[TypedOption] = ()) -> LineForm:
    """Return one empty line named ``lines-__index__``, which the page's script copies."""
    line = LineForm(formdata=MultiDict(), prefix="lines-__index__-")
    line.set_choices(treatment_groups(book), options)
    return line


def treatment_groups(book: PriceBook) -> dict[str, list[SelectChoice]]:
    """Return the treatments under their headings, in the reader's language."""
    groups: dict[str, list[SelectChoice]] = {}
    turkish = language() == "tr"
    for row in book.treatments.values():
        heading = row.category_tr if turkish else row.category_en
        name = row.name_tr if turkish else row.name_en
        label = name if row.is_active else _("%(name)s (no longer offered)", name=name)
        groups.setdefault(heading, []).append(SelectChoice(str(row.id), label))
    return groups


def typed_data(typed: TypedLine) -> dict[str, Any]:
    """Return a line that was typed as text for its form."""
    key = package_key(str(typed.catalog_id or ""), typed.arch)
    return {
        **asdict(typed), "catalog_id": str(typed.catalog_id or ""), "arch": typed.arch or "", "parts_of": key,
    }  # fmt: skip


def package_key(catalog_id: str, arch: Jaw | None) -> str:
    """Return what a line remembers of the package whose parts stand after it; "" for no treatment."""
    return f"{catalog_id} {arch or ''}".strip() if catalog_id else ""


def _pontics(line: Treatment) -> str:
    """Return a bridge's pontics as typed; "" where they are what an empty field means."""
    pontics = [tooth.tooth for tooth in line.teeth if tooth.role == ToothRole.PONTIC]
    usual = [tooth.tooth for tooth in line.teeth][1:-1]
    return "" if pontics == usual else format_teeth(pontics).replace("–", "-")


def line_data(line: Treatment, book: PriceBook, option: str | None = None) -> dict[str, Any]:
    """Return a stored line for its form.

    What the catalogue would fill in by itself stays empty, so that it follows when the treatment, the
    teeth or the currency are changed.
    """
    data = _stored_data(line, option)
    arch = Jaw(line.arch) if line.arch else None
    typed = TypedLine(
        line.catalog_id, None, data["teeth"], arch, None, None, DiscountKind.PERCENT, None, None,
        surfaces=data["surfaces"] or "", pontics=data["pontics"], included=line.is_included,
    )  # fmt: skip
    try:
        filled = book.price_line(typed)
    except LineError:
        return data
    amounts = filled.amounts
    known = {
        "name": filled.name, "quantity": amounts.quantity, "unit_price": amounts.unit_price,
        "vat_rate": amounts.vat_rate, "healing_days": filled.healing_days, "warranty_months": filled.warranty_months,
    }  # fmt: skip
    return {**data, **{name: None for name, value in known.items() if data[name] == value}}


def _stored_data(line: Treatment, option: str | None) -> dict[str, Any]:
    """Return a line as it is stored."""
    return {
        "catalog_id": str(line.catalog_id) if line.catalog_id else "",
        "name": line.name,
        "teeth": format_teeth(tooth.tooth for tooth in line.teeth).replace("–", "-"),
        "arch": line.arch or "",
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount_kind": line.discount_kind or "percent",
        "discount_value": line.discount_value,
        "vat_rate": line.vat_rate,
        "surfaces": next((tooth.surfaces for tooth in line.teeth), None),
        "pontics": _pontics(line),
        **{name: getattr(line, name) for name in ("brand", "material", "abutment")},
        "included": line.is_included,
        "option": option or "",
        "parts_of": package_key(str(line.catalog_id or ""), Jaw(line.arch) if line.arch else None),
        **{name: getattr(line, name) for name in ("visit_no", "healing_days", "warranty_months")},
    }
