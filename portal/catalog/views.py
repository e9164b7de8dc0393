"""Pages of the catalogue: list, add, edit, export."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog import presenting, queries, services
from portal.catalog.forms import TreatmentForm, treatment_form
from portal.catalog.listing import CatalogView, filter_from_args
from portal.catalog.models import CatalogTreatment
from portal.core.access import Permission, access
from portal.core.clock import today
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.identity import current_clinic, request_actor
from portal.core.tables import csv_download

blueprint = Blueprint("catalog", __name__, url_prefix="/catalog")


@blueprint.get("/")
@access(Permission.CATALOG_READ)
def index() -> ResponseReturnValue:
    """List the treatments by category, with today's prices."""
    view = CatalogView(filter_from_args(request.args), today(current_clinic().timezone))
    return render_template("catalog/index.html", view=view)


@blueprint.post("/export")
@access(Permission.CATALOG_WRITE)
def export() -> ResponseReturnValue:
    """Download the list as CSV; what leaves the portal is logged."""
    view = CatalogView(filter_from_args(request.form), today(current_clinic().timezone))
    services.record_export(request_actor(), view.wanted.parameters, count=len(view.rows))
    return csv_download(_("treatments"), presenting.export_table(view.rows, view.lists, view.prices))


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def new() -> ResponseReturnValue:
    """Add a treatment."""
    form = _form()
    if form.submitted():
        try:
            treatment = services.create_treatment(request_actor(), values=form.values(), prices=form.prices())
        except services.CodeTakenError:
            form.refuse_code()
        else:
            flash(_("%(name)s is in the catalogue.", name=presenting.names_of(treatment).main), "success")
            return redirect(url_for("catalog.index"))
    return render_template("catalog/edit.html", form=form, treatment=None), 422 if form.errors else 200


@blueprint.route("/<uuid:treatment_id>/edit", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def edit(treatment_id: UUID) -> ResponseReturnValue:
    """Change a treatment and its prices; who saves second sees both versions."""
    treatment = queries.get_treatment(treatment_id)
    form = _form(treatment)
    conflicts: list[Conflict] = []
    if form.submitted():
        values, prices = form.values(), form.prices()
        try:
            services.update_treatment(
                request_actor(), treatment, version=form.version.data, values=values, prices=prices
            )
            flash(_("Saved."), "success")
            return redirect(url_for("catalog.index"))
        except services.CodeTakenError:
            form.refuse_code()
        except StaleVersionError:
            conflicts = presenting.conflicts(form, treatment, queries.treatment_prices(treatment.id))
            form.version.data = treatment.version
    return _edit_page(form, treatment, conflicts)


def _edit_page(form: TreatmentForm, treatment: CatalogTreatment, conflicts: list[Conflict]) -> ResponseReturnValue:
    """Return the page that changes a treatment and shows what was done to it."""
    page = render_template(
        "catalog/edit.html",
        form=form,
        treatment=treatment,
        name=presenting.names_of(treatment).main,
        conflicts=conflicts,
        entries=presenting.activity(treatment, form.category_id.choices),
    )
    return page, 409 if conflicts else 422 if form.errors else 200


def _form(treatment: CatalogTreatment | None = None) -> TreatmentForm:
    """Return the form of a treatment, a new one without, with its prices in the lists valid today."""
    return treatment_form(
        presenting.category_choices(queries.list_categories()),
        queries.list_price_lists(today(current_clinic().timezone)),
        treatment=treatment,
        prices=queries.treatment_prices(treatment.id) if treatment else None,
    )
