"""The portal's entry point: ``granian --interface wsgi wsgi:app``, and what ``flask`` commands load."""

import sys

from config import SettingsError
from portal.app import create_app
from portal.core.embedded import EmbeddedError

try:
    app = create_app()
except (SettingsError, EmbeddedError) as error:
    sys.exit(f"Clinikoop cannot start: {error}")
