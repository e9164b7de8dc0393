"""The portal's entry point: ``granian --interface wsgi wsgi:app``, and what ``flask`` commands load."""

import os
import sys

from config import SettingsError
from portal.app import create_app
from portal.core.database import PLATFORM_BIND, db
from portal.core.embedded import EmbeddedError
from portal.core.roles import UnsafeRoleError, refuse_unsafe_start

try:
    app = create_app()
    # Commands start without the check: `flask db roles` is what makes the roles.
    if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        with app.app_context():
            refuse_unsafe_start([db.engine, db.engines[PLATFORM_BIND]])
except (SettingsError, EmbeddedError, UnsafeRoleError) as error:
    sys.exit(f"Clinikoop cannot start: {error}")
