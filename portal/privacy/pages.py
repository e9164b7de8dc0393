"""The blueprints of privacy with all their pages."""

from portal.privacy import person_views, request_views, text_views
from portal.privacy.consent_views import blueprint as patient_blueprint
from portal.privacy.views import blueprint

__all__ = ["blueprint", "patient_blueprint", "person_views", "request_views", "text_views"]
