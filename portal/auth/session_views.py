"""The page of one's own sessions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.auth import sessions as logins
from portal.auth.queries import get_account
from portal.auth.views import blueprint
from portal.core.access import SIGNED_IN, Site, access
from portal.core.identity import current_identity, request_actor


@blueprint.get("/account/sessions")
@access(SIGNED_IN, Site.BOTH)
def sessions() -> ResponseReturnValue:
    """List where one is logged in."""
    me = current_identity()
    rows = logins.list_sessions(me.id, current=me.session_id)
    return render_template("auth/sessions.html", rows=rows, person=get_account(me.id))


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@access(SIGNED_IN, Site.BOTH)
def end_session(session_id: UUID) -> ResponseReturnValue:
    """End one of one's own sessions."""
    logins.end_session(request_actor(), session_id)
    flash(_("This session has ended."), "success")
    return redirect(url_for("auth.sessions"))


@blueprint.post("/account/sessions/end")
@access(SIGNED_IN, Site.BOTH)
def end_other_sessions() -> ResponseReturnValue:
    """End every session but the one at hand."""
    count = logins.end_other_sessions(request_actor(), current=current_identity().session_id)
    flash(ngettext("%(num)s session has ended.", "%(num)s sessions have ended.", count), "success")
    return redirect(url_for("auth.sessions"))
