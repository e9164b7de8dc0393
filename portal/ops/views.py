"""Health: whether the process lives, and whether it can serve."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.core.access import PUBLIC, Site, access
from portal.ops.queries import database_answers

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
@access(PUBLIC, Site.ANY)
def alive() -> ResponseReturnValue:
    """Say that the process answers; asks nothing else."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@access(PUBLIC, Site.ANY)
def ready() -> ResponseReturnValue:
    """Say whether the database answers both roles, for a load balancer; 503 where it does not."""
    answers = database_answers()
    return {"status": "ok" if answers else "database unavailable"}, 200 if answers else 503
