"""The blueprints of privacy with all their pages."""

from portal.privacy import text_views
from portal.privacy.consent_views import blueprint as patient_blueprint
from portal.privacy.views import blueprint

__all__ = ["blueprint", "patient_blueprint", "text_views"]
