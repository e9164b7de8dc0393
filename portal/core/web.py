"""The application object: one commit per unsafe request, at one place."""

from __future__ import annotations

from flask import Flask, Request, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from portal.core.database import current_session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Portal(Flask):
    """Flask, with the commit boundary around every view.

    An unsafe request that succeeded commits; a GET never does; a refused or failed request rolls
    back. The response is complete by then, so nothing half-written is ever shown as done, and what
    the commit itself raises reaches the error pages.
    """

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Match addresses whatever the Host header: the gate reads it, and a malformed one gets an error page too."""
        try:
            return super().create_url_adapter(request)
        except HTTPException:
            assert request is not None
            return self.url_map.bind_to_environ({**request.environ, "HTTP_HOST": "invalid"})

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
