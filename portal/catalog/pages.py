"""The catalogue's blueprint with all its pages."""

from portal.catalog import detail_views, list_views, part_views, sheet_views, tax_views
from portal.catalog.views import blueprint

__all__ = ["blueprint", "detail_views", "list_views", "part_views", "sheet_views", "tax_views"]
