"""The vault: makes backups, proves them, finds them again, restores them, and lets old ones go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from config import BackupSettings
from portal.ops.evolve.errors import BackupError, EvolveError
from portal.ops.schema.backup import dump, files, register
from portal.ops.schema.backup.info import CLINIC, DATABASE, BackupInfo, manifest_path, write_manifest
from portal.ops.schema.backup.proof import prove_clinic, prove_database
from portal.ops.schema.backup.prune import expendable
from portal.ops.schema.backup.rows import find_clinic, write_clinic
from portal.ops.schema.backup.tools import Counter, Tell, Tools, find_tools, nobody, server_major
from portal.ops.schema.place import Place
from portal.ops.schema.tables import Direction, MigrationLog, RunStatus, WorkStatus, has_tables

LATEST = "latest"
Listed = list[BackupInfo]  # the method of that name hides the type


@dataclass(frozen=True)
class Vault:
    """The backups of one database. ``dump_url`` is the backup role's; where it cannot read all, the owner dumps."""

    place: Place
    settings: BackupSettings
    dump_url: str | None = None

    def make(
        self, *, reason: str, by: str | None, clinic: str | None = None, prove: bool = True, tell: Tell = nobody
    ) -> BackupInfo:
        """Back the database up, or one clinic's rows, and prove it by restoring it into a scratch database.

        Raises BackupError where that fails: nothing half-written is left, and the history says why. Raises
        EvolveError where there is no such clinic.
        """
        if clinic is not None:
            self._require_clinic(clinic)
        files.open_folder(self.settings.folder)
        register.prepare(self.place)
        kind = CLINIC if clinic else DATABASE
        info = BackupInfo(
            id=uuid7(), kind=kind, clinic=clinic, status=WorkStatus.RUNNING, reason=reason, by=by,
            started_at=datetime.now(UTC), database=self.place.database,
        )  # fmt: skip
        register.record(self.place, info)
        try:
            with files.workspace(self.settings.folder) as work:
                info, draft = self._write(info, work, tell)
                made = self._keep(info, draft, prove, tell)
        except BaseException as error:
            said = str(error).partition("\n")[0] if isinstance(error, EvolveError) else type(error).__name__
            with suppress(sa.exc.SQLAlchemyError):  # where the database is gone, that is what failed
                register.record(self.place, replace(info, status=WorkStatus.FAILED, error=said))
            raise
        register.record(self.place, made)
        return made

    def list(self) -> Listed:
        """Return every backup that was not pruned, newest first; also where the database cannot be asked."""
        return register.list_backups(self.place, self.settings.folder)

    def get(self, id_text: str) -> BackupInfo:
        """Return the backup of that id, or of the only one that begins so, or the ``latest`` good whole one.

        Raises BackupError where there is none, or more than one.
        """
        known = self.list()
        if id_text == LATEST:
            found = [one for one in known if one.is_good and one.kind == DATABASE][:1]
        else:
            wanted = id_text.strip().lower()
            found = [one for one in known if wanted and str(one.id).startswith(wanted)]
        if not found:
            raise BackupError(
                f"There is no backup {id_text!r} in {self.settings.folder}; `flask db backups` lists them."
            )
        if len(found) > 1:
            listed = "\n".join(f"  {one.id}  {one.started_at:%Y-%m-%d %H:%M:%S}" for one in found)
            raise BackupError(f"{len(found)} backups begin with {id_text!r}; give more of the id:\n{listed}")
        return found[0]

    def restore_into(self, backup: BackupInfo, target: Place, tell: Tell = nobody) -> None:
        """Restore a whole backup into an empty database; the file is checked first, the rows are counted afterwards.

        Raises BackupError where the backup is damaged or not a whole one, or the rows are other ones.
        """
        if backup.kind != DATABASE:
            raise BackupError(f"{backup.id} holds the clinic {backup.clinic} alone, not a database.")
        with self.opened(backup) as plain:
            dump.read_dump(self.tools(target), plain, target, tell, backup.counts or {})
        with target.engine.connect() as connection:  # a restored database has no statistics
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")

    def check(self, backup: BackupInfo, tell: Tell = nobody) -> BackupInfo:
        """Prove a backup anew: checksum, then a restore into a scratch database. Raises BackupError where it fails."""
        with self.opened(backup) as plain:
            self._prove(backup, plain, tell)
        return self.mark_proven(backup)

    def mark_proven(self, backup: BackupInfo) -> BackupInfo:
        """Note that a backup was restored and its rows counted, by ``check`` or by a rehearsal."""
        proven = replace(backup, proven_at=datetime.now(UTC))
        write_manifest(proven)
        with suppress(sa.exc.OperationalError):
            register.prepare(self.place)
            register.record(self.place, proven)
        return proven

    def prune(self, dry_run: bool = False) -> Listed:
        """Delete what the rule lets go, and return it; never what the newest applied upgrade would be undone with."""
        gone = expendable(self.list(), self.settings, datetime.now(UTC), self._protected())
        if dry_run or not gone:
            return gone
        for one in gone:
            if one.path is not None:
                one.path.unlink(missing_ok=True)
                manifest_path(one.path).unlink(missing_ok=True)
        register.mark_pruned(self.place, [one.id for one in gone])
        return gone

    @contextmanager
    def opened(self, backup: BackupInfo) -> Iterator[Path]:
        """Yield a backup's plain file, found whole; raises BackupError where it is damaged or cannot be decrypted."""
        self._require_whole(backup)
        assert backup.path is not None
        if not backup.encrypted:
            yield backup.path
            return
        with files.workspace(self.settings.folder) as work:
            plain = work / "plain"
            files.unseal(backup.path, plain, self.settings)
            yield plain

    def tools(self, place: Place | None = None) -> Tools:
        """Return pg_dump and pg_restore fit for a database's server; raises BackupError where there are none."""
        with (place or self.place).engine.connect() as connection:
            return find_tools(self.settings.programs, server_major(connection))

    def _write(self, info: BackupInfo, work: Path, tell: Tell) -> tuple[BackupInfo, Path]:
        """Write the plain file, all of one moment."""
        tools = self.tools() if info.kind == DATABASE else None
        draft = work / "draft"
        with dump.frozen(self.place) as (connection, snapshot):
            facts = _facts(connection, tools)
            info = replace(info, heads=_heads(connection), versions=facts)
            if info.clinic is not None:
                return self._write_clinic(info, connection, draft, tell)
            assert tools is not None
            # While it is encrypted, the plain one and the other lie side by side.
            files.require_space(work, dump.expected_bytes(connection) * (2 if self.settings.recipient else 1))
            counts = dump.count_all(connection)
            url = dump.dump_url(connection, self.place, self.dump_url)
            dump.write_dump(tools, url, snapshot, draft, Counter(tell, "tables dumped", len(counts)))
        return replace(info, counts=counts, versions={**facts, "dumped_as": str(url.username)}), draft

    def _write_clinic(
        self, info: BackupInfo, connection: sa.Connection, draft: Path, tell: Tell
    ) -> tuple[BackupInfo, Path]:
        assert info.clinic is not None
        clinic_id = find_clinic(connection, info.clinic)
        assert clinic_id is not None  # seen a moment before; clinics are never deleted
        about = {"clinic": info.clinic, "heads": info.heads, "made": info.started_at.isoformat()}
        counts = write_clinic(connection, clinic_id, draft, tell, about)
        return replace(info, clinic_id=clinic_id, counts=counts), draft

    def _require_clinic(self, subdomain: str) -> None:
        with self.place.engine.connect() as connection:
            if find_clinic(connection, subdomain) is None:
                raise EvolveError(f"There is no clinic {subdomain!r}.")

    def _keep(self, info: BackupInfo, draft: Path, prove: bool, tell: Tell) -> BackupInfo:
        """Prove and encrypt the draft, and give it its place and its manifest."""
        sealed = self.settings.recipient is not None
        proven = None
        after = sealed and files.can_open(self.settings)  # then what is kept is proven, not what it was made of
        if prove and not after:
            proven = self._prove(info, draft, tell)
        target = self.settings.folder / register.file_name(info)
        if sealed:
            draft, target = files.seal(draft, self.settings), target.with_name(target.name + files.SEALED)
        if prove and after:
            plain = draft.with_name("again")
            files.unseal(draft, plain, self.settings)
            proven = self._prove(info, plain, tell)
        made = replace(
            info, status=WorkStatus.OK, path=target, bytes=draft.stat().st_size, sha256=files.checksum(draft),
            encrypted=sealed, proven_at=proven, finished_at=datetime.now(UTC),
        )  # fmt: skip
        files.put_in_place(draft, target)
        try:
            write_manifest(made)
        except BaseException:
            target.unlink()  # without its manifest nobody could tell what it is
            raise
        return made

    def _prove(self, info: BackupInfo, plain: Path, tell: Tell) -> datetime:
        prover = partial(prove_clinic, self.place) if info.kind == CLINIC else partial(prove_database, self.place)
        try:
            prover(self.tools(), plain, info.counts or {}, tell)
        except (EvolveError, sa.exc.SQLAlchemyError) as error:
            said = str(error) if isinstance(error, EvolveError) else type(error).__name__
            raise BackupError(f"The backup could not be proven by restoring it: {said}") from error
        return datetime.now(UTC)

    def _require_whole(self, backup: BackupInfo) -> None:
        if backup.problem or backup.path is None or not backup.is_good:
            why = backup.problem or backup.error or f"it is {backup.status}."
            raise BackupError(f"The backup {backup.id} cannot be used: {why}")
        if not backup.path.is_file():
            raise BackupError(f"The backup {backup.id} cannot be used: the file {backup.path.name} is gone.")
        if backup.path.stat().st_size != backup.bytes or files.checksum(backup.path) != backup.sha256:
            raise BackupError(
                f"The file {backup.path.name} is damaged: it is not what was written. Nothing was touched; use another "
                "backup, or a copy of this file from elsewhere."
            )

    def _protected(self) -> set[UUID]:
        """Return the backup that the newest applied upgrade names."""
        with self.place.engine.connect() as connection:
            if not has_tables(connection):
                return set()
            newest = (
                sa.select(MigrationLog.backup_id)
                .where(MigrationLog.direction == Direction.UP, MigrationLog.status == RunStatus.APPLIED)
                .where(MigrationLog.backup_id.is_not(None))
                .order_by(MigrationLog.started_at.desc())
                .limit(1)
            )
            return {named for named in connection.execute(newest).scalars() if named}


def _heads(connection: sa.Connection) -> str:
    """Return the revisions of the database at the connection's moment, as the history writes them."""
    if connection.exec_driver_sql("SELECT to_regclass('public.alembic_version') IS NULL").scalar_one():
        return ""
    found = connection.exec_driver_sql("SELECT version_num FROM public.alembic_version ORDER BY 1").scalars()
    return ", ".join(found)


def _facts(connection: sa.Connection, tools: Tools | None) -> Mapping[str, str]:
    server = str(connection.exec_driver_sql("SELECT current_setting('server_version')").scalar_one())
    return {"postgresql": server, **({"pg_dump": tools.version} if tools else {})}
