"""The settings' blueprint with all its pages."""

from portal.settings import section_views
from portal.settings.views import blueprint

__all__ = ["blueprint", "section_views"]
