"""The running application's settings, typed."""

from __future__ import annotations

from flask import current_app

from config import Settings


def settings() -> Settings:
    """Return the settings the current application was made with."""
    value = current_app.extensions["portal_settings"]
    assert isinstance(value, Settings)
    return value
