"""The staff blueprint with all its pages."""

from portal.staff import invite_views, leaving_views, security_views
from portal.staff.views import blueprint

__all__ = ["blueprint", "invite_views", "leaving_views", "security_views"]
