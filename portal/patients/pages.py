"""The patients' blueprint with all its pages."""

from portal.patients import merging_views
from portal.patients.views import blueprint

__all__ = ["blueprint", "merging_views"]
