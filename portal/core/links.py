"""Links of a list page: filters, orders and pages, each keeping the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask_babel import LazyString

from portal.core.pagination import Page

Choice = TypeVar("Choice", bound=StrEnum)


def chosen(kind: type[Choice], value: str | None) -> Choice | None:
    """Return the member of ``kind`` that a query parameter names; None where it names none."""
    return kind(value) if value in set(kind) else None


@dataclass(frozen=True)
class Option:
    """A filter or an order as a link."""

    label: str
    url: str
    active: bool


class ListLinks:
    """Makes the links of one list; ``kept`` are the query parameters now in force."""

    def __init__(self, path: str, kept: Mapping[str, Any]) -> None:
        self.path = path
        self.kept = {name: str(value) for name, value in kept.items() if value not in (None, "")}

    def url(self, **changed: Any) -> str:
        """Return the list's address with some parameters changed; None takes one away."""
        wanted = {**self.kept, **{name: None if value is None else str(value) for name, value in changed.items()}}
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def options(self, name: str, choices: Mapping[Any, str | LazyString]) -> list[Option]:
        """Return one link a choice of the parameter ``name``; the key None stands for its absence."""
        current = self.kept.get(name)
        return [
            Option(str(label), self.url(**{name: key}), current == (None if key is None else str(key)))
            for key, label in choices.items()
        ]

    def without(self, *names: str) -> dict[str, str]:
        """Return the parameters in force but for ``names``, for the hidden fields of a form."""
        return {name: value for name, value in self.kept.items() if name not in names}

    def pages(self, page: Page[Any]) -> tuple[str | None, str | None]:
        """Return the addresses of the page before and the page after."""
        before, after = page.previous_cursor, page.next_cursor
        return (self.url(at=before) if before else None, self.url(at=after) if after else None)
