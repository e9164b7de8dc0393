"""The databases of the migrations' tests, for what stands above the revisions."""

from __future__ import annotations

from tests.migrations.conftest import _templates, current, database, legacy, make_database, server

__all__ = ["_templates", "current", "database", "legacy", "make_database", "server"]
