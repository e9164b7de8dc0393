"""Revision files: what they say about themselves, and whether they are what was applied."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.script import Script, ScriptDirectory

from portal.ops.evolve.errors import EvolveError

# The last revision that landed before the rules below were kept; older ones are exempt and never edited.
LAST_EXEMPT = "20261123101100"
_SECTION = re.compile(r"^(What it does|Warnings|Phases|Downgrade): ", re.MULTILINE)
_NAME = re.compile(r"^\d+_(?P<name>\w+)$")


class Phase(StrEnum):
    """Whether the release before a revision can go on working beside it."""

    EXPAND = "expand"  # it can
    CONTRACT = "contract"  # it cannot: deploy the new release first
    BOTH = "both"  # expands and contracts in one go; only revisions from before the rule


# Exempt revisions that say it in their header only.
_LANDED_PHASES = {
    "20250720203715": Phase.BOTH,
    "20261123100000": Phase.CONTRACT,
    "20261123100500": Phase.BOTH,
    "20261123100600": Phase.BOTH,
}


@dataclass(frozen=True)
class Revision:
    """One revision file. ``header`` holds the sections of its docstring, "What it does" and so on."""

    id: str
    name: str
    path: Path
    down: tuple[str, ...]
    title: str
    header: Mapping[str, str]
    phase: Phase | None
    allowed: Mapping[str, str]  # rule -> the reason why the revision may break it
    checksum: str
    ast_checksum: str

    @property
    def is_exempt(self) -> bool:
        """Whether it landed before the house's rules."""
        return self.id <= LAST_EXEMPT


def read_revisions(directory: ScriptDirectory) -> list[Revision]:
    """Return every revision, oldest first; where there are several heads, in one possible order."""
    return [_read(script) for script in reversed(list(directory.walk_revisions()))]


def _read(script: Script) -> Revision:
    path = Path(script.path)
    checksum, ast_checksum = checksums(path.read_bytes())
    doc = script.module.__doc__ or ""
    named = _NAME.match(path.stem)
    stated = getattr(script.module, "phase", None)
    exempt = script.revision <= LAST_EXEMPT
    return Revision(
        id=script.revision,
        name=named["name"] if named else path.stem,
        path=path,
        down=tuple(_listed(script.down_revision)),
        title=doc.strip().partition("\n")[0].rstrip("."),
        header=read_header(doc),
        phase=_LANDED_PHASES.get(script.revision, Phase.EXPAND) if exempt else _phase(stated),
        allowed=dict(getattr(script.module, "allow", {})),
        checksum=checksum,
        ast_checksum=ast_checksum,
    )


def _phase(stated: Any) -> Phase | None:
    return Phase(stated) if stated in set(Phase) else None


def _listed(down: str | Sequence[str] | None) -> Sequence[str]:
    if down is None:
        return ()
    return (down,) if isinstance(down, str) else down


def read_header(doc: str) -> dict[str, str]:
    """Return the sections of a revision's docstring, each on one line."""
    parts = _SECTION.split(doc.partition("\nRevision ID:")[0])
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@lru_cache(maxsize=512)
def checksums(source: bytes) -> tuple[str, str]:
    """Return a file's SHA-256 with its line ends made equal, and one of its code alone.

    The second does not change with comments, docstrings and layout: editing those warns, editing code blocks.
    """
    text = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            del body[0]
    return hashlib.sha256(text).hexdigest(), hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def resolve_target(scripts: ScriptDirectory, revision: str) -> str:
    """Return the full id of a revision named in part; raises EvolveError where none is."""
    found = scripts.get_revision(revision)
    if found is None:
        raise EvolveError(f"There is no revision {revision!r}.")
    return str(found.revision)
