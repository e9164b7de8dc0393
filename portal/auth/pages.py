"""The auth blueprint with all its pages."""

from portal.auth import link_views, second_step_views, session_views
from portal.auth.views import blueprint

__all__ = ["blueprint", "link_views", "second_step_views", "session_views"]
