"""Pages of referral sources: list, add, change, order, archive."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.identity import request_actor
from portal.referrals import presenting, queries, services
from portal.referrals.forms import SourceForm
from portal.referrals.models import ReferralSource

blueprint = Blueprint("referrals", __name__, url_prefix="/sources")


@blueprint.get("/")
@access(Permission.SOURCES_WRITE)
def index() -> ResponseReturnValue:
    """List the sources by group."""
    return render_template("referrals/index.html", view=presenting.SourcesView(request.args), words=presenting)


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.SOURCES_WRITE)
def new() -> ResponseReturnValue:
    """Add a source."""
    form = SourceForm()
    if form.submitted():
        try:
            services.create_source(request_actor(), values=form.values(), group=form.group.data or "")
            flash(_("Saved."), "success")
            return redirect(url_for("referrals.index"))
        except services.NameTakenError:
            form.refuse_name()
    return _form_page(form, None, 422 if form.errors else 200)


@blueprint.route("/<uuid:source_id>/edit", methods=["GET", "POST"])
@access(Permission.SOURCES_WRITE)
def edit(source_id: UUID) -> ResponseReturnValue:
    """Change a source; who saves second sees both versions."""
    source = queries.get_source(source_id)
    group = presenting.group_name(source, queries.list_groups())
    form = SourceForm(obj=source, group=group)
    conflicts: list[Conflict] = []
    if form.submitted():
        try:
            _update(form, source)
            flash(_("Saved."), "success")
            return redirect(url_for("referrals.index"))
        except services.NameTakenError:
            form.refuse_name()
        except StaleVersionError:
            conflicts = presenting.conflicts(form, source, group)
            form.version.data = source.version
    return _form_page(form, source, 409 if conflicts else 422 if form.errors else 200, conflicts)


@blueprint.post("/<uuid:source_id>/up")
@access(Permission.SOURCES_WRITE)
def move_up(source_id: UUID) -> ResponseReturnValue:
    """Put a source one place higher."""
    services.shift_source(request_actor(), queries.get_source(source_id), by=services.UP)
    return redirect(url_for("referrals.index", _anchor=f"source-{source_id}"))


@blueprint.post("/<uuid:source_id>/down")
@access(Permission.SOURCES_WRITE)
def move_down(source_id: UUID) -> ResponseReturnValue:
    """Put a source one place lower."""
    services.shift_source(request_actor(), queries.get_source(source_id), by=services.DOWN)
    return redirect(url_for("referrals.index", _anchor=f"source-{source_id}"))


@blueprint.post("/<uuid:source_id>/archive")
@access(Permission.SOURCES_WRITE)
def archive(source_id: UUID) -> ResponseReturnValue:
    """Offer a source in forms no longer, with an undo."""
    source = queries.get_source(source_id)
    services.archive_source(request_actor(), source)
    undo = url_for("referrals.restore", source_id=source_id)
    flash({"text": _("%(name)s is archived.", name=source.name), "undo_url": undo}, "success")  # type: ignore[arg-type]
    return redirect(url_for("referrals.index"))


@blueprint.post("/<uuid:source_id>/restore")
@access(Permission.SOURCES_WRITE)
def restore(source_id: UUID) -> ResponseReturnValue:
    """Offer an archived source again."""
    source = queries.get_source(source_id)
    services.restore_source(request_actor(), source)
    flash(_("%(name)s is back on the list.", name=source.name), "success")
    return redirect(url_for("referrals.index"))


def _update(form: SourceForm, source: ReferralSource) -> None:
    services.update_source(
        request_actor(), source, version=form.version.data, values=form.values(), group=form.group.data or ""
    )


def _form_page(
    form: SourceForm, source: ReferralSource | None, status: int, conflicts: list[Conflict] | None = None
) -> ResponseReturnValue:
    page = render_template(
        "referrals/edit.html", form=form, source=source, conflicts=conflicts, groups=queries.list_groups(),
        entries=presenting.activity(source) if source else [], moves=presenting.moves(source) if source else [],
    )  # fmt: skip
    return page, status
