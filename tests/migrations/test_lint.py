"""Our own revisions lock briefly: squawk reads the DDL they really send."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

SQUAWK = Path(sys.executable).with_name("squawk")
NOT_OURS = (
    "prefer-text-field",  # lengths are limits the forms share
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",  # numbers of a mouth, a page or a year
    "prefer-robust-stmts",  # re-running is tested by killing, not by IF EXISTS
    "require-statement-timeout",  # a backfill's batches are short, an index may take its time
    # Contract phases drop on purpose, after the rows are kept.
    "ban-drop-constraint",
    "ban-drop-default",
    "ban-drop-function",
    "ban-drop-column",
    "ban-drop-table",
)


def complaints(statements: list[str], folder: Path) -> list[tuple[str, str]]:
    """Return squawk's (rule, message) for ``statements``."""
    script = folder / "sent.sql"
    script.write_text(";\n".join(statements) + ";\n")
    command = [SQUAWK, "--pg-version", "15", "--reporter", "json", f"--exclude={','.join(NOT_OURS)}", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [(found["rule_name"], found["message"]) for found in json.loads(done.stdout)]


def ddl_of(database, action) -> list[str]:
    """Run ``action`` and return the DDL it sent, without the indexes of tables it made itself."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_arguments):
        if re.match(r"\s*(CREATE|ALTER|DROP|SET)\b", statement) and "procrastinate" not in statement:
            sent.append(statement)

    sa.event.listen(database.engine(), "before_cursor_execute", note)
    action()
    made = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", "\n".join(sent)))
    return [
        one
        for one in sent
        if not ((index := re.match(r"CREATE INDEX (?:IF NOT EXISTS )?\w+ ON (\w+)", one)) and index[1] in made)
    ]


def test_squawk_finds_no_dangerous_lock_in_our_own_revisions(legacy, tmp_path):
    legacy.upgrade("20250720211648", orphans="quarantine")
    statements = ddl_of(legacy, legacy.upgrade)
    assert len(statements) > 300
    assert complaints(statements, tmp_path) == []


def test_squawk_would_find_a_blocking_index(tmp_path):
    assert complaints(["SET lock_timeout = '1s'", "CREATE INDEX i ON offers (title)"], tmp_path) != []
