"""What makes a revision unsafe on a live table, and what it must say about itself.

squawk reads the SQL that was really sent; the rules it lacks are here. A revision may break a rule that it names in
``allow = {"rule": "the reason"}``.
"""

from __future__ import annotations

import ast
import bisect
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.naming import refuse_vague
from portal.ops.schema.observe import Seen
from portal.ops.schema.scripts import Revision

POSTGRESQL = "15"
NOT_OURS = (
    "prefer-text-field",  # lengths are limits the forms share
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",  # numbers of a mouth, a page or a year
    "prefer-robust-stmts",  # re-running is tested by killing, not by IF EXISTS
    "require-statement-timeout",  # a backfill's batches are short, an index may take its time
    "require-lock-timeout",  # the runner sets it, for every statement
    "require-timeout-settings",
    "ban-drop-constraint",
    "ban-drop-default",
    "ban-drop-function",
    "ban-drop-column",  # see drop-without-keep
    "ban-drop-table",
    "transaction-nesting",
)
HEADER = ("What it does", "Warnings", "Downgrade")
_IDENTIFIER = r'"?(?P<{}>[\w.]+)"?'
_CREATE_INDEX = re.compile(
    rf"\s*CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?\w+ ON {_IDENTIFIER.format('table')}", re.I
)
_CREATE_TABLE = re.compile(rf"\s*CREATE TABLE (?:IF NOT EXISTS )?{_IDENTIFIER.format('table')}", re.I)
_WRITE = re.compile(
    rf"\s*(?:WITH .*?\b)?(?:UPDATE|DELETE FROM)\s+(?:ONLY\s+)?{_IDENTIFIER.format('table')}", re.I | re.S
)
_DDL = re.compile(r"\s*(CREATE|ALTER|DROP|GRANT|REVOKE|SET)\b", re.I)
_BATCHED = re.compile(r"\bWITH batch AS\b|\bjsonb_populate_recordset\b|\bops\.migration_step\b")
_DROP_TABLE = re.compile(rf"\s*DROP TABLE (?:IF EXISTS )?{_IDENTIFIER.format('table')}", re.I)
_DROP_COLUMN = re.compile(rf"\s*ALTER TABLE (?:ONLY )?{_IDENTIFIER.format('table')}.*\bDROP COLUMN\b", re.I | re.S)


@dataclass(frozen=True)
class Finding:
    """Something to be said about a revision. ``allowed`` is the reason it gives."""

    rule: str
    message: str
    statement: str | None = None
    allowed: str | None = None

    @property
    def is_dangerous(self) -> bool:
        """Whether it keeps an upgrade from starting."""
        return not self.allowed

    def __str__(self) -> str:
        """Return it on one line."""
        where = f" [{_short(self.statement)}]" if self.statement else ""
        return f"{self.rule}: {self.message}{where}" + (f" Allowed: {self.allowed}" if self.allowed else "")

    def as_json(self) -> dict[str, str | None]:
        """Return it as it is kept and printed."""
        return {
            "rule": self.rule, "message": self.message, "statement": _short(self.statement), "allowed": self.allowed,
        }  # fmt: skip


def lint_revision(revision: Revision, statements: Sequence[Seen]) -> list[Finding]:
    """Return what is to be said about a revision's file and the ``statements`` it sent."""
    found = [*lint_file(revision), *_lint_statements(revision, statements)]
    once = {(one.rule, one.message): one for one in reversed(found)}
    return [
        Finding(one.rule, one.message, one.statement, revision.allowed.get(one.rule)) for one in reversed(once.values())
    ]


def lint_file(revision: Revision) -> Iterator[Finding]:
    """Yield what a revision's file lacks of the house's shape; an exempt one is left in peace."""
    if revision.is_exempt:
        return
    tree = ast.parse(revision.path.read_bytes())
    yield from _lint_words(revision)
    if any(name == "downgrade" and _does_nothing(body) for name, body in _functions(tree)):
        yield Finding("no-downgrade", "The downgrade does nothing, so there is no way back.")
    if any(module.startswith("portal.") and not module.startswith("portal.ops") for module in _imported(tree)):
        yield Finding("imports-portal", "Revisions never import the portal's code: it changes, history does not.")


def _lint_words(revision: Revision) -> Iterator[Finding]:
    try:
        refuse_vague(revision.name)
    except EvolveError as error:
        yield Finding("name", str(error))
    for section in HEADER:
        text = revision.header.get(section, "")
        if not text or text.startswith("<"):
            yield Finding("header", f"The docstring does not say {section!r}.")
    if revision.phase is None:
        yield Finding("phase", 'The revision does not say phase = "expand" or phase = "contract".')
    for rule, reason in revision.allowed.items():
        if not str(reason).strip():
            yield Finding("allow", f"{rule!r} is allowed without a reason.")


def _lint_statements(revision: Revision, statements: Sequence[Seen]) -> Iterator[Finding]:
    made = {match["table"] for seen in statements if (match := _CREATE_TABLE.match(seen.statement))}
    yield from squawk([
        seen.statement for seen in statements if _DDL.match(seen.statement) and not _is_own_index(seen.statement, made)
    ])  # fmt: skip
    kept: set[str] = set()
    for seen in statements:
        text = seen.statement
        if f"keep_{revision.id}_" in text or "_quarantine" in text:
            kept.update(re.findall(rf"keep_{revision.id}_(\w+)", text))
        for name in seen.rewrites:
            if name not in made:
                yield Finding("rewrites-table", f"{name} is written anew while everybody waits.", text)
        match = _WRITE.match(text)
        if match and match["table"] not in made and not _BATCHED.search(text) and "keep_" not in match["table"]:
            yield Finding("update-whole-table", f"All rows of {match['table']} at once; use evolve.backfill().", text)
        dropped = _DROP_TABLE.match(text) or _DROP_COLUMN.match(text)
        if dropped and not _is_kept(dropped["table"], made, kept) and "keep_" not in dropped["table"]:
            yield Finding(
                "drop-without-keep",
                f"What {dropped['table']} loses is not kept; use evolve.keep_columns/keep_table.",
                text,
            )


def squawk(statements: Sequence[str]) -> list[Finding]:
    """Return what squawk finds in SQL that was sent; raises EvolveError where it cannot be run."""
    if not statements:
        return []
    program = _squawk_program()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "sent.sql"
        texts = [statement.strip().rstrip(";") + ";\n" for statement in statements]
        script.write_text("".join(texts))
        command = [
            str(program),
            "--pg-version",
            POSTGRESQL,
            "--reporter",
            "json",
            f"--exclude={','.join(NOT_OURS)}",
            str(script),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    try:
        rows = json.loads(done.stdout)
    except ValueError as error:
        raise EvolveError(f"squawk could not read the SQL: {(done.stderr or done.stdout).strip()}") from error
    starts = list(accumulate((text.count("\n") for text in texts), initial=0))
    return [
        Finding(row["rule_name"], " ".join(row["message"].split()), texts[bisect.bisect_right(starts, row["line"]) - 1])
        for row in rows
    ]


def _squawk_program() -> Path:
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.exists() else shutil.which("squawk")
    if found is None:
        raise EvolveError("squawk is not installed, and without it no revision can be judged: see requirements.txt.")
    return Path(found)


def _is_kept(table: str, made: set[str], kept: set[str]) -> bool:
    """Tell whether the revision made ``table`` itself, or put its rows aside before."""
    return table in made or any(name == table or name.startswith(f"{table}_") for name in kept)


def _does_nothing(body: list[ast.stmt]) -> bool:
    """Tell whether a function only passes, raises or holds a docstring."""
    return all(
        isinstance(node, ast.Pass | ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def _is_own_index(statement: str, made: set[str]) -> bool:
    """Tell whether a statement builds an index on a table the revision made: nobody waits for that."""
    match = _CREATE_INDEX.match(statement)
    return bool(match and match["table"] in made)


def _functions(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.body


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield f"{node.module}.{node.names[0].name}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _short(statement: str | None) -> str | None:
    return None if statement is None else " ".join(statement.split())[:200]
