"""What the tests of backups share: a vault beside a test database, and hashes of what a database holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from config import ROOT, BackupSettings
from portal.core.roles import BACKUP_ROLE
from portal.ops.schema.backup import Vault
from portal.ops.schema.place import Place
from portal.ops.schema.snapshot import Rows, hash_rows, hash_table

FIRST, SECOND = "default", "deniz"
SECOND_ID = "c2000000-0000-7000-8000-000000000001"


def place_of(database: Any) -> Place:
    """Return the place of a test database."""
    return Place(database.engine(), ROOT / "migrations", {"lock_wait": "5"})


def vault_of(database: Any, folder: Path, *, as_backup: bool = True, **settings: Any) -> Vault:
    """Return the vault of a test database, in a folder of its own."""
    url = database.server.url(database.name, BACKUP_ROLE) if as_backup else None
    return Vault(place_of(database), BackupSettings(folder=folder / "backups", **settings), url)


def with_settings(vault: Vault, **settings: Any) -> Vault:
    """Return the same vault with other settings."""
    return replace(vault, settings=replace(vault.settings, **settings))


def make(vault: Vault, **given: Any) -> Any:
    """Make a backup as a test."""
    return vault.make(**{"reason": "a test", "by": "Ada", "prove": False, **given})


def hashes(place: Place) -> dict[str, Rows]:
    """Return count and hash of every table, those put aside included."""
    with place.engine.connect() as connection:
        return hash_rows(connection, aside=True)


def clinic_hashes(database: Any, clinic: str = SECOND_ID, *, others: bool = False) -> dict[str, Rows]:
    """Return count and hash of one clinic's rows in every table that has some, or of all other rows."""
    found = {}
    with database.engine().connect() as connection:
        for table in database.tables():
            columns = {name for (name,) in database.execute(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = :t", t=table
            )}  # fmt: skip
            column = "id" if table == "clinics" else "clinic_id"
            owned = table == "clinics" or "clinic_id" in columns
            if others:
                where = f"t.{column} IS DISTINCT FROM '{clinic}'" if owned else "true"
            elif owned:
                where = f"t.{column} = '{clinic}'"
            else:
                continue
            found[table] = hash_table(connection, table, (), where)
    return found


def left_behind(folder: Path) -> list[str]:
    """Return what lies in the backups' folder."""
    return sorted(path.name for path in (folder / "backups").iterdir())
