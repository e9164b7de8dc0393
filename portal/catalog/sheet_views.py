"""Pages that take a price list out as CSV and in again, shown first and taken when asked for."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.catalog import price_taking
from portal.catalog.models import PriceList
from portal.catalog.price_lists import get_price_list
from portal.catalog.price_sheets import MAX_SHOWN, Preview, export_table, preview_of
from portal.catalog.sheet_forms import MAX_BYTES, SheetForm
from portal.catalog.views import blueprint
from portal.core.access import Permission, access
from portal.core.errors import StaleVersionError
from portal.core.identity import request_actor
from portal.core.tables import csv_download


@blueprint.post("/price-lists/<uuid:price_list_id>/export")
@access(Permission.CATALOG_WRITE)
def export_price_list(price_list_id: UUID) -> ResponseReturnValue:
    """Download a price list as CSV; what leaves the portal is logged."""
    price_list = get_price_list(price_list_id)
    table = export_table(price_list)
    price_taking.record_export(request_actor(), price_list, count=len(list(table.rows)))
    return csv_download(_("prices"), table)


@blueprint.route("/price-lists/<uuid:price_list_id>/import", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE, max_bytes=MAX_BYTES)
def import_price_list(price_list_id: UUID) -> ResponseReturnValue:
    """Take prices from a table: shown first, and again where the table or the list is not what was shown."""
    price_list = get_price_list(price_list_id)
    form = SheetForm()
    if not form.submitted():
        return _page(form, price_list)
    preview = preview_of(price_list, form.table())
    if form.confirmed() and not preview.sheet.problems:
        try:
            return _take(form, price_list, preview)
        except StaleVersionError:
            return _page(form, price_list, preview_of(price_list, form.table()), stale=True)
    return _page(form, price_list, preview)


def _take(form: SheetForm, price_list: PriceList, preview: Preview) -> ResponseReturnValue:
    count = price_taking.take_prices(
        request_actor(), price_list, version=form.version.data or "", wanted=preview.wanted()
    )
    flash(ngettext("%(num)s price changed.", "%(num)s prices changed.", count), "success")
    return redirect(url_for("catalog.edit_price_list", price_list_id=price_list.id))


def _page(
    form: SheetForm, price_list: PriceList, preview: Preview | None = None, *, stale: bool = False
) -> ResponseReturnValue:
    form.show(preview.version if preview else "")
    page = render_template(
        "catalog/import_price_list.html",
        form=form, price_list=price_list, preview=preview, stale=stale, max_shown=MAX_SHOWN,
    )  # fmt: skip
    bad = form.errors or (preview and preview.sheet.problems)
    return page, 409 if stale else 422 if bad else 200
