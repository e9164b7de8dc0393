"""Checks that the texts are complete, for staff and for patients: run by ``make texts``.

``python -m tests.texts english`` fills in the patients' English, which is what stands in the code.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from portal.core.patient_texts import PATIENT_LANGUAGES

FOLDER = Path("portal/translations")
EXTRACT = ["-F", "babel.cfg", "--no-location", "-k", "tooth_word"]


@dataclass(frozen=True)
class Domain:
    """A set of texts: its languages, and the words in the code that mark it."""

    name: str
    languages: Sequence[str]
    options: Sequence[str]

    def path(self, language: str) -> Path:
        """Return the file of one language."""
        return FOLDER / language / "LC_MESSAGES" / f"{self.name}.po"


STAFF = Domain("messages", ["tr"], ["-k", "_l", "-k", "lazy_gettext"])
PATIENT = Domain(
    "patient", PATIENT_LANGUAGES, ["--no-default-keywords", "-k", "phrase", "-k", "phrase_n:1,2", "-k", "mark_phrase"]
)


def main() -> int:
    """Say which texts lack a translation, are marked fuzzy, or lost a placeholder; return the exit code."""
    if sys.argv[1:] == ["english"]:
        fill_english()
        return 0
    problems = []
    for domain in (STAFF, PATIENT):
        wanted = _wanted(domain)
        for language in domain.languages:
            problems += [f"{language}, {domain.name}: {problem}" for problem in _problems(domain, language, wanted)]
        print(f"{len(wanted)} texts of {domain.name} in {', '.join(domain.languages)}")  # noqa: T201
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201 - a command's output
    print(f"{len(problems)} problems")  # noqa: T201
    return 1 if problems else 0


def fill_english() -> None:
    """Write every text of the patients' English as its own translation."""
    path = PATIENT.path("en")
    catalog = _read(path, "en")
    for message in catalog:
        if message.id:
            message.string = message.id
    with path.open("wb") as file:
        write_po(file, catalog, ignore_obsolete=True, width=76)


def _problems(domain: Domain, language: str, wanted: Catalog) -> list[str]:
    catalog = _read(domain.path(language), language)
    problems = [*_missing(catalog, wanted), *_broken(catalog)]
    if catalog.fuzzy:
        problems.append("the catalogue is marked fuzzy or has no header: it would not be compiled at all")
    return problems


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _wanted(domain: Domain) -> Catalog:
    with tempfile.NamedTemporaryFile(suffix=".pot") as file:
        babel = Path(sys.executable).parent / "pybabel"
        command = [babel, "-q", "extract", *EXTRACT, *domain.options, "-o", file.name, "portal", "templates"]
        subprocess.run(command, check=True)
        return read_po(file)


def _missing(catalog: Catalog, wanted: Catalog) -> list[str]:
    problems = []
    for message in wanted:
        known = catalog.get(message.id) if message.id else None
        if message.id and (known is None or known.fuzzy or not all(_texts(known.string))):
            problems.append(f"no translation: {message.id!r}")
    return problems


def _broken(catalog: Catalog) -> list[str]:
    return [f"{message.id!r}: {error}" for message, errors in catalog.check() for error in errors]


def _texts(string: str | list[str] | tuple[str, ...]) -> list[str]:
    return [string] if isinstance(string, str) else list(string)


if __name__ == "__main__":
    sys.exit(main())
