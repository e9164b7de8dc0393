"""Health, and the operators' pages on the admin host: migrations, backups, rehearsals, verifications, sizes."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import PUBLIC, Permission, Site, access
from portal.core.identity import request_actor
from portal.core.settings import settings
from portal.ops import drawing, listing, presenting, showing
from portal.ops.queries import HistoryMissingError, database_answers
from portal.ops.services import Work, start_work
from portal.ops.sizing import SizesView

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
@access(PUBLIC, Site.ANY)
def alive() -> ResponseReturnValue:
    """Say that the process answers; asks nothing else."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@access(PUBLIC, Site.ANY)
def ready() -> ResponseReturnValue:
    """Say whether the database answers both roles, for a load balancer; 503 where it does not.

    And whether mails go out: without a server they stay queued, which stops no page.
    """
    answers, mail = database_answers(), "on" if settings().mail else "not set up: mails stay queued"
    return {"status": "ok" if answers else "database unavailable", "mail": mail}, 200 if answers else 503


@blueprint.get("/ops/migrations")
@access(Permission.OPS_READ, Site.PLATFORM)
def migrations() -> ResponseReturnValue:
    """Show where the database stands, what is pending, and what goes on."""
    return _page("migrations", view=showing.StatusView())


@blueprint.get("/ops/now")
@access(Permission.OPS_READ, Site.PLATFORM)
def now() -> ResponseReturnValue:
    """Return the part of a page that tells what goes on, for the script that keeps it fresh."""
    return _page("_now", now=showing.current_now())


@blueprint.get("/ops/migrations/history")
@access(Permission.OPS_READ, Site.PLATFORM)
def history() -> ResponseReturnValue:
    """List what was run, newest first."""
    return _page("history", view=listing.HistoryView(request.args))


@blueprint.get("/ops/migrations/history/<uuid:log_id>")
@access(Permission.OPS_READ, Site.PLATFORM)
def run(log_id: UUID) -> ResponseReturnValue:
    """Show one run whole."""
    return _page("run", view=showing.RunView(log_id))


@blueprint.get("/ops/backups")
@access(Permission.OPS_READ, Site.PLATFORM)
def backups() -> ResponseReturnValue:
    """List the backups."""
    return _page("backups", view=listing.backups(request.args), now=showing.current_now())


@blueprint.post("/ops/backups/start")
@access(Permission.OPS_RUN, Site.PLATFORM)
def start_backup() -> ResponseReturnValue:
    """Ask for a backup."""
    asked = start_work(request_actor(), Work.BACKUP)
    return _told(asked, _("A backup is queued."), _("A backup is queued or being made already."), "backups")


@blueprint.get("/ops/rehearsals")
@access(Permission.OPS_READ, Site.PLATFORM)
def rehearsals() -> ResponseReturnValue:
    """List the rehearsals."""
    return _page("rehearsals", view=listing.rehearsals(request.args), now=showing.current_now())


@blueprint.post("/ops/rehearsals/start")
@access(Permission.OPS_RUN, Site.PLATFORM)
def start_rehearsal() -> ResponseReturnValue:
    """Ask for a rehearsal."""
    asked = start_work(request_actor(), Work.REHEARSAL)
    return _told(asked, _("A rehearsal is queued."), _("A rehearsal is queued or running already."), "rehearsals")


@blueprint.get("/ops/rehearsals/<uuid:rehearsal_id>")
@access(Permission.OPS_READ, Site.PLATFORM)
def rehearsal(rehearsal_id: UUID) -> ResponseReturnValue:
    """Show one rehearsal, statement by statement."""
    return _page("rehearsal", view=showing.RehearsalView(rehearsal_id))


@blueprint.get("/ops/verifications")
@access(Permission.OPS_READ, Site.PLATFORM)
def verifications() -> ResponseReturnValue:
    """List the verifications."""
    return _page("verifications", view=listing.verifications(request.args), now=showing.current_now())


@blueprint.post("/ops/verifications/start")
@access(Permission.OPS_RUN, Site.PLATFORM)
def start_verification() -> ResponseReturnValue:
    """Ask for a verification."""
    asked = start_work(request_actor(), Work.VERIFICATION)
    told = _("A verification is queued."), _("A verification is queued or running already.")
    return _told(asked, *told, "verifications")


@blueprint.get("/ops/verifications/<uuid:verification_id>")
@access(Permission.OPS_READ, Site.PLATFORM)
def verification(verification_id: UUID) -> ResponseReturnValue:
    """Show one verification, check by check."""
    return _page("verification", view=showing.VerificationView(verification_id))


@blueprint.get("/ops/sizes")
@access(Permission.OPS_READ, Site.PLATFORM)
def sizes() -> ResponseReturnValue:
    """Show how large the tables are and how they grew."""
    view, title = SizesView(), _("Size of the largest tables, day by day")
    text = _("The same numbers stand in the table below.")
    charts = [
        drawing.draw(shape, view.lines, view.days, title=title, text=text)
        for shape in (drawing.WIDE, drawing.NARROW)
        if len(view.days) > 1
    ]
    return _page("sizes", view=view, charts=charts)


@blueprint.errorhandler(HistoryMissingError)
def missing(_error: HistoryMissingError) -> ResponseReturnValue:
    """Say how the history comes to be, where the database has none yet."""
    return _page("_missing_part" if request.endpoint == "ops.now" else "missing")


def _page(name: str, **context: object) -> str:
    """Render one of the operators' templates with the words they share."""
    return render_template(f"ops/{name}.html", words=presenting, **context)


def _told(asked: bool, queued: str, refused: str, endpoint: str) -> ResponseReturnValue:
    """Lead back to the list with what became of the wish."""
    flash(queued if asked else refused, "success" if asked else "info")
    return redirect(url_for(f"ops.{endpoint}"))
