"""The application factory: a short list of what a portal is made of."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from config import ROOT, Settings
from portal import models
from portal.auth import jobs as auth_jobs
from portal.auth.login import configure_login
from portal.auth.pages import blueprint as auth
from portal.catalog import jobs as catalog_jobs
from portal.catalog.pages import blueprint as catalog
from portal.cli import configure_commands
from portal.core import delivery
from portal.core.access import Permission, Site
from portal.core.bootstrap import configure_database
from portal.core.database import db
from portal.core.errors import configure_errors
from portal.core.gate import check_declarations, configure_gate
from portal.core.headers import configure_headers
from portal.core.i18n import configure_i18n
from portal.core.jobs import configure_jobs
from portal.core.logs import configure_logs
from portal.core.templating import MenuEntry, configure_templating
from portal.core.web import Portal
from portal.home.views import blueprint as home
from portal.notes import timeline as notes_timeline
from portal.notes.views import blueprint as notes
from portal.offers import handover as offers_handover
from portal.offers import jobs as offers_jobs
from portal.offers import timeline as offers_timeline
from portal.offers.board_views import blueprint as offer_board
from portal.offers.list_views import blueprint as offer_lists
from portal.offers.pdf.views import blueprint as offer_documents
from portal.offers.revision_views import blueprint as offer_revisions
from portal.offers.signoff_views import blueprint as offer_signoff
from portal.offers.status_views import blueprint as offer_statuses
from portal.offers.views import blueprint as offers
from portal.ops import jobs as ops_jobs
from portal.ops.views import blueprint as ops
from portal.patients import handover as patients_handover
from portal.patients.moving_views import blueprint as source_moves
from portal.patients.pages import blueprint as patients
from portal.platform.views import blueprint as platform
from portal.preferences import jobs as preferences_jobs
from portal.preferences.bell import blueprint as bell
from portal.preferences.views import blueprint as preferences
from portal.privacy import timeline as privacy_timeline
from portal.privacy.pages import blueprint as privacy
from portal.privacy.pages import patient_blueprint as patient_privacy
from portal.privacy.reading import configure_reading
from portal.records import jobs as records_jobs
from portal.records import timeline as records_timeline
from portal.records.file_views import blueprint as files
from portal.records.views import blueprint as medical
from portal.referrals.views import blueprint as sources
from portal.reminders import handover as reminders_handover
from portal.reminders import jobs as reminders_jobs
from portal.reminders import timeline as reminders_timeline
from portal.reminders.pages import blueprint as reminders
from portal.reminders.pages import feed as calendar_feed
from portal.reports.views import blueprint as reports
from portal.settings.pages import blueprint as settings_pages
from portal.sharing.public import blueprint as link
from portal.sharing.views import blueprint as sharing
from portal.staff.pages import blueprint as staff

__all__ = ["HANDOVERS", "JOBS", "TIMELINES", "create_app", "models"]

# Importing them registers their tasks with the queue.
JOBS = (delivery, auth_jobs, catalog_jobs, offers_jobs, ops_jobs, preferences_jobs, records_jobs, reminders_jobs)
TIMELINES = (offers_timeline, notes_timeline, privacy_timeline, records_timeline, reminders_timeline)  # as do these
HANDOVERS = (offers_handover, patients_handover, reminders_handover)
BLUEPRINTS = (
    home, auth, preferences, bell, patients, medical, files, notes, privacy, patient_privacy, offers,
    offer_board, offer_lists, offer_revisions, offer_documents,
    offer_signoff, offer_statuses, sharing, link, catalog, sources, source_moves, reports, settings_pages, staff,
    reminders, calendar_feed, platform, ops,
)  # fmt: skip

MENU = [
    MenuEntry("home", _l("Today"), "/", "house"),
    MenuEntry("patients", _l("Patients"), "/patients/", "people", permission=Permission.PATIENTS_READ),
    MenuEntry("reminders", _l("Reminders"), "/reminders/", "bell", permission=Permission.PATIENTS_READ),
    MenuEntry("offers", _l("Offers"), "/offers/", "file-earmark-text", permission=Permission.OFFERS_READ),
    MenuEntry("catalog", _l("Treatments and prices"), "/catalog/", "tags", permission=Permission.CATALOG_READ),
    MenuEntry("referrals", _l("Referral sources"), "/sources/", "signpost", permission=Permission.SOURCES_WRITE),
    MenuEntry("staff", _l("Staff"), "/staff/", "person-badge", permission=Permission.STAFF_WRITE),
    MenuEntry("settings", _l("Settings"), "/settings/", "gear", permission=Permission.SETTINGS_WRITE),
    MenuEntry("privacy", _l("Privacy"), "/privacy/texts", "shield-lock", permission=Permission.PRIVACY_MANAGE),
    MenuEntry("platform", _l("Clinics"), "/clinics/", "hospital", Site.PLATFORM, Permission.CLINICS_READ),
    MenuEntry("ops", _l("Database"), "/ops/migrations", "database", Site.PLATFORM, Permission.OPS_READ),
]


def create_app(settings: Settings | None = None) -> Flask:
    """Make the portal. Raises SettingsError, EmbeddedError or UndeclaredAccessError where it cannot stand."""
    settings = settings or Settings.from_environment()
    app = Portal(
        "portal", root_path=str(ROOT / "portal"), template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"), instance_path=str(settings.instance),
    )  # fmt: skip
    configure_basics(app, settings)
    configure_logs(app, settings.log_format)
    configure_database(app, settings)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    configure_gate(app)
    configure_login(app)
    configure_i18n(app)
    configure_templating(app, MENU)
    configure_errors(app)
    configure_reading(app)
    configure_headers(app)
    configure_jobs(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    configure_commands(app)
    check_declarations(app)
    return app


def configure_basics(app: Flask, settings: Settings) -> None:
    """Set what Flask itself and Bootstrap-Flask need."""
    app.extensions["portal_settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_form_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_form_bytes,
        MAX_FORM_PARTS=5000,  # an offer of 100 lines has some 1,600 fields
        TESTING=settings.environment == "testing",
        PROPAGATE_EXCEPTIONS=False,
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    Bootstrap5(app)
    if settings.proxies:
        # The host is never taken from a forwarded header: it would choose the clinic.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0)  # type: ignore[method-assign]
