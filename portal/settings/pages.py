"""The settings' blueprint with all its pages."""

from portal.settings import message_views, section_views
from portal.settings.views import blueprint

__all__ = ["blueprint", "message_views", "section_views"]
