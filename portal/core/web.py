"""The application object: one commit per unsafe request, at one place."""

from __future__ import annotations

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from portal.core.database import current_session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Portal(Flask):
    """Flask, with the commit boundary around every view.

    An unsafe request that succeeded commits; a GET never does; a refused or failed request rolls
    back. The response is complete by then, so nothing half-written is ever shown as done, and what
    the commit itself raises reaches the error pages.
    """

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view, then commit or roll back."""
        response = self.make_response(super().dispatch_request())
        finish_transaction(response)
        return response


def finish_transaction(response: Response) -> None:
    """Commit what an unsafe, successful request wrote; roll back everything else."""
    session = current_session()
    if session.scope is None:
        return
    if request.method in SAFE_METHODS or response.status_code >= 400:
        session.rollback()
    else:
        session.commit()
