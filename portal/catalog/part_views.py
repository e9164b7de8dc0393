"""The page that composes a package."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog import composing, presenting, queries
from portal.catalog.part_forms import parts_form
from portal.catalog.views import blueprint
from portal.core.access import Permission, access
from portal.core.errors import StaleVersionError
from portal.core.identity import request_actor


@blueprint.route("/<uuid:treatment_id>/parts", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def edit_parts(treatment_id: UUID) -> ResponseReturnValue:
    """Choose the treatments a package expands into."""
    package = queries.get_treatment(treatment_id)
    choices = presenting.part_choices(queries.list_treatments(), package.id)
    form, stale = parts_form(package.version, composing.list_parts(package.id), choices), False
    if form.submitted():
        try:
            composing.compose_package(request_actor(), package, version=form.version.data, parts=form.typed())
            flash(_("Saved."), "success")
            return redirect(url_for("catalog.edit", treatment_id=package.id))
        except StaleVersionError:
            stale, form.version.data = True, package.version
    name = presenting.names_of(package).main
    page = render_template("catalog/parts.html", form=form, treatment=package, name=name, stale=stale)
    return page, 409 if stale else 422 if form.errors else 200
