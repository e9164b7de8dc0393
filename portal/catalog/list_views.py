"""Pages of price lists: list, make, change, copy with a preview."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog import presenting, price_lists
from portal.catalog.list_forms import AUDIENCES, CopyForm, PriceListForm
from portal.catalog.models import PriceList
from portal.catalog.queries import list_categories
from portal.catalog.views import blueprint
from portal.core.access import Permission, access
from portal.core.clock import today
from portal.core.identity import current_clinic, request_actor


@blueprint.get("/price-lists/")
@access(Permission.CATALOG_READ)
def list_price_lists() -> ResponseReturnValue:
    """List the price lists, ended ones included."""
    day = today(current_clinic().timezone)
    rows = [(row, count, price_lists.is_valid(row, day)) for row, count in price_lists.list_all()]
    return render_template("catalog/price_lists.html", rows=rows, audiences=AUDIENCES, day=day)


@blueprint.route("/price-lists/new", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def new_price_list() -> ResponseReturnValue:
    """Make an empty price list."""
    form = PriceListForm(data={"valid_from": today(current_clinic().timezone)})
    if form.submitted():
        try:
            price_lists.create_price_list(request_actor(), values=form.values())
            return _saved()
        except price_lists.NameTakenError:
            form.refuse_name()
    return render_template("catalog/price_list.html", form=form, price_list=None), 422 if form.errors else 200


@blueprint.route("/price-lists/<uuid:price_list_id>/edit", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def edit_price_list(price_list_id: UUID) -> ResponseReturnValue:
    """Change a price list, or end it by its last day."""
    price_list = price_lists.get_price_list(price_list_id)
    form = PriceListForm(obj=price_list)
    form.fix_currency()
    if form.submitted():
        try:
            price_lists.update_price_list(request_actor(), price_list, values=form.values())
            return _saved()
        except price_lists.NameTakenError:
            form.refuse_name()
    return render_template("catalog/price_list.html", form=form, price_list=price_list), 422 if form.errors else 200


@blueprint.route("/price-lists/<uuid:price_list_id>/copy", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def copy_price_list(price_list_id: UUID) -> ResponseReturnValue:
    """Copy a price list with every price moved; shown first, made when asked for."""
    source = price_lists.get_price_list(price_list_id)
    form = CopyForm(
        data={"valid_from": today(current_clinic().timezone)},
        categories=presenting.category_choices(list_categories()),
    )
    rows: list[presenting.MovedPrice] = []
    if form.submitted():
        try:
            if request.form.get("save"):
                _copy(form, source)
                return _saved()
            rows = presenting.moved_prices(source, form.move())
        except price_lists.NameTakenError:
            form.refuse_name()
        except price_lists.PriceTooLargeError:
            form.refuse_percent()
        except price_lists.TooEarlyError:
            form.refuse_day()
    return _copy_page(form, source, rows)


def _copy(form: CopyForm, source: PriceList) -> None:
    price_lists.copy_price_list(
        request_actor(), source, values=form.values(), move=form.move(), follows=bool(form.follows.data)
    )


def _copy_page(form: CopyForm, source: PriceList, rows: list[presenting.MovedPrice]) -> ResponseReturnValue:
    page = render_template("catalog/copy_price_list.html", form=form, source=source, rows=rows)
    return page, 422 if form.errors else 200


def _saved() -> ResponseReturnValue:
    flash(_("Saved."), "success")
    return redirect(url_for("catalog.list_price_lists"))
