"""The reminders' blueprint with all its pages."""

from portal.reminders import calendar_views, rule_views
from portal.reminders.feed_views import feed
from portal.reminders.views import blueprint

__all__ = ["blueprint", "calendar_views", "feed", "rule_views"]
