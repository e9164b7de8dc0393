"""The embedded server: shared by its users, gone with the last, keeping its data and touching nobody's folders."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from config import Settings
from portal.core.bootstrap import conninfo, prepare_embedded, start_embedded
from portal.core.embedded import EmbeddedError, EmbeddedServer

QUICK = {"fsync": "off", "max_connections": "10", "shared_buffers": "'4MB'"}


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A folder any account may enter, as the service account's data will lie below it."""
    folder = Path(tempfile.mkdtemp(prefix="clinikoop-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home(base: Path) -> Iterator[Path]:
    """The home of a server that tests start and stop; made once, as making it takes seconds."""
    server = EmbeddedServer(base / "postgres", QUICK)
    server.start()
    server.release()
    yield base / "postgres"
    server.destroy()


def rows(server: EmbeddedServer, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def test_the_last_of_two_users_stops_it(home: Path) -> None:
    first, second = EmbeddedServer(home, QUICK), EmbeddedServer(home, QUICK)
    first.start()
    second.start()
    assert rows(second, "SELECT 1") == [(1,)]
    first.release()
    assert second.running(), "the second still uses it"
    assert rows(second, "SELECT 1") == [(1,)]
    second.release()
    assert not second.running()


def test_releasing_twice_or_unstarted_is_harmless(home: Path) -> None:
    server, other = EmbeddedServer(home, QUICK), EmbeddedServer(home, QUICK)
    server.start()
    other.release()
    assert server.running()
    server.release()
    server.release()
    assert not server.running()


def test_the_data_is_there_after_a_restart(home: Path) -> None:
    server = EmbeddedServer(home, QUICK)
    server.start()
    rows(server, "DROP TABLE IF EXISTS kept")
    rows(server, "CREATE TABLE kept AS SELECT 'Ağrı' AS city")
    server.release()
    again = EmbeddedServer(home, QUICK)
    again.start()
    assert rows(again, "SELECT city FROM kept") == [("Ağrı",)]
    again.release()


def test_it_comes_back_after_its_process_was_killed(home: Path) -> None:
    server = EmbeddedServer(home, QUICK)
    server.start()
    server.stop("immediate")
    assert not server.running()
    server.start()
    assert rows(server, "SELECT 1") == [(1,)]
    server.release()


def test_it_listens_to_nobody_but_its_own_account(home: Path) -> None:
    server = EmbeddedServer(home, QUICK)
    server.start()
    assert rows(server, "SHOW listen_addresses") == [("",)]
    assert rows(server, "SHOW unix_socket_permissions") == [("0700",)]
    assert server.socket.stat().st_mode & 0o777 == 0o700
    assert server.home.stat().st_mode & 0o777 == 0o700
    assert server.data.stat().st_mode & 0o777 == 0o700
    if server.account:
        assert server.data.stat().st_uid == server.account.pw_uid != 0
    server.release()


def test_no_folder_above_is_changed(base: Path) -> None:
    outer = base / "outer"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    outer.chmod(0o751)
    inner.chmod(0o711)
    before = {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in (*base.parents, base, outer, inner)}
    server = EmbeddedServer(inner / "postgres", QUICK)
    server._make_folders()
    assert server.home == inner / "postgres"
    assert {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in before} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_as_root_a_private_folder_above_is_left_private_and_the_data_goes_elsewhere(base: Path) -> None:
    private = base / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedServer(private / "postgres", QUICK)
    assert private not in server.home.parents
    assert private.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["file in the way", "folder that takes nothing"])
def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(kind: str, base: Path) -> None:
    if kind == "file in the way":
        (base / "instance").write_text("")
        home = base / "instance" / "postgres"
    else:
        home = Path("/proc/clinikoop/postgres")  # as root permission bits stop nobody; /proc does
    with pytest.raises(EmbeddedError, match="cannot be used") as caught:
        EmbeddedServer(home, QUICK).start()
    assert str(home) in str(caught.value)
    assert "CLINIKOOP_INSTANCE" in str(caught.value)


def test_a_link_in_place_of_its_folder_is_refused_and_what_it_leads_to_untouched(base: Path) -> None:
    """The socket's folder may lie in /tmp, where anybody can put a link that root would then give away."""
    target, long = base / "target", base / ("x" * 80)
    target.mkdir()
    server = EmbeddedServer(long, QUICK)
    assert server.socket.parent == Path(tempfile.gettempdir())
    server.socket.symlink_to(target)
    owner = target.stat().st_uid
    try:
        with pytest.raises(EmbeddedError, match="link or belongs to somebody else"):
            server.start()
    finally:
        server.socket.unlink()
    assert target.stat().st_uid == owner


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another's folder")
def test_somebody_elses_folder_is_refused(base: Path) -> None:
    server = EmbeddedServer(base / "theirs", QUICK)
    server.home.mkdir()
    os.chown(server.home, pwd.getpwnam("nobody").pw_uid + 1, -1)
    with pytest.raises(EmbeddedError, match="somebody else"):
        server.start()


def test_destroying_removes_every_file(base: Path) -> None:
    server = EmbeddedServer(base / "short-lived", QUICK)
    server._make_folders()
    server.destroy()
    assert not server.home.exists()
    assert not server.socket.exists()


def test_the_portal_makes_its_roles_and_its_database_in_it_once(home: Path) -> None:
    server = EmbeddedServer(home, QUICK)
    server.start()
    first, second = prepare_embedded(server, "portal_once"), prepare_embedded(server, "portal_once")
    assert first == second
    assert len({first.app, first.platform, first.owner}) == 3
    roles = rows(
        server, "SELECT rolname FROM pg_roles WHERE rolname ~ '^clinikoop' AND NOT rolsuper AND NOT rolbypassrls"
    )
    assert len(roles) == 4
    server.release()


def test_the_settings_decide_where_it_lies(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[object] = []
    monkeypatch.setattr("portal.core.bootstrap.atexit.register", registered.append)
    settings = Settings.from_environment(
        {"CLINIKOOP_ENV": "testing", "SECRET_KEY": "x" * 40, "CLINIKOOP_INSTANCE": str(home.parent)}
    )
    urls = start_embedded(settings)
    assert str(home) in urls.app or "clinikoop-" in urls.app
    assert len(registered) == 1
    registered[0]()  # type: ignore[operator]
    assert not EmbeddedServer(home, QUICK).running()


def test_a_folder_with_any_characters_in_its_name_will_do(base: Path) -> None:
    home = base / "Diş, Kliniği +1 & O'ğulları %20"
    server = EmbeddedServer(home / "pg", QUICK)
    server.start()
    try:
        for url in (server.url("postgres", "postgres"), str(sa.make_url(server.url("postgres", "postgres")))):
            with psycopg.connect(conninfo(url)) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            with sa.create_engine(url, poolclass=sa.NullPool).connect() as connected:
                assert connected.scalar(sa.text("SELECT 1")) == 1
    finally:
        server.destroy()
