"""The page of a treatment's details."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog import details, presenting, queries
from portal.catalog.detail_forms import details_form
from portal.catalog.views import blueprint
from portal.core.access import Permission, access
from portal.core.clock import today
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.identity import current_clinic, request_actor


@blueprint.route("/<uuid:treatment_id>/details", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def edit_details(treatment_id: UUID) -> ResponseReturnValue:
    """Change names in other languages, aliases, brands, visits, texts for patients and further prices."""
    treatment = queries.get_treatment(treatment_id)
    lists = queries.list_price_lists(today(current_clinic().timezone))
    form, conflicts = details_form(treatment, lists, details.list_variants(treatment_id)), list[Conflict]()
    if form.submitted():
        try:
            details.update_details(
                request_actor(), treatment, version=form.version.data, values=form.values(), variants=form.variants()
            )
            flash(_("Saved."), "success")
            return redirect(url_for("catalog.edit", treatment_id=treatment_id))
        except StaleVersionError:
            conflicts = presenting.detail_conflicts(form, treatment)
            form.version.data = treatment.version
    name = presenting.names_of(treatment).main
    page = render_template("catalog/details.html", form=form, treatment=treatment, name=name, conflicts=conflicts)
    return page, 409 if conflicts else 422 if form.errors else 200
