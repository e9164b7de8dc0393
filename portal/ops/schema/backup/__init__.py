"""Backups: made before every upgrade, proven, listed, pruned; restored whole, by table, or one clinic alone."""

from __future__ import annotations

from flask import current_app

from portal.ops.schema.backup.info import BackupInfo
from portal.ops.schema.backup.vault import Vault
from portal.ops.schema.place import Place

__all__ = ["BackupInfo", "Vault", "current_vault"]


def current_vault(place: Place) -> Vault:
    """Return the running portal's backups of a database of its server."""
    urls = current_app.extensions["database_urls"]
    return Vault(place, current_app.extensions["portal_settings"].backups, urls.backup)
