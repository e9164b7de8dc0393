"""Checks that the Turkish texts are complete: run by ``make texts``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

CATALOG = Path("portal/translations/tr/LC_MESSAGES/messages.po")
EXTRACT = ["-F", "babel.cfg", "-k", "_l", "-k", "lazy_gettext", "--no-location"]


def main() -> int:
    """Say which texts lack a translation, are marked fuzzy, or lost a placeholder; return the exit code."""
    with CATALOG.open("rb") as file:
        catalog = read_po(file, locale="tr")
    problems = [*_missing(catalog), *_broken(catalog)]
    if catalog.fuzzy:
        problems.append("the catalogue is marked fuzzy or has no header: it would not be compiled at all")
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201 - a command's output
    print(f"{len(catalog)} texts, {len(problems)} problems")  # noqa: T201
    return 1 if problems else 0


def _missing(catalog: Catalog) -> list[str]:
    with tempfile.NamedTemporaryFile(suffix=".pot") as file:
        babel = Path(sys.executable).parent / "pybabel"
        subprocess.run([babel, "-q", "extract", *EXTRACT, "-o", file.name, "portal", "templates"], check=True)
        wanted = read_po(file)
    problems = []
    for message in wanted:
        known = catalog.get(message.id) if message.id else None
        if message.id and (known is None or known.fuzzy or not all(_texts(known.string))):
            problems.append(f"no Turkish: {message.id!r}")
    return problems


def _broken(catalog: Catalog) -> list[str]:
    return [f"{message.id!r}: {error}" for message, errors in catalog.check() for error in errors]


def _texts(string: str | list[str] | tuple[str, ...]) -> list[str]:
    return [string] if isinstance(string, str) else list(string)


if __name__ == "__main__":
    sys.exit(main())
