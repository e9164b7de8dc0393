"""The forms of a clinic's settings, as a browser would send them again."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.architecture.markup import read
from tests.support.people import Person


def fields_of(person: Person, path: str) -> dict[str, Any]:
    """Return the fields of a settings page's form as it stands."""
    page = person.get(path)
    assert page.status_code == 200, page.text
    form = next(form for form in read(page.text, path).forms if form.action == path)
    return {name: values for name, values in form.data().items() if name != "csrf_token"}


def save(person: Person, path: str, **changes: Any) -> TestResponse:
    """Open a settings page, change some fields and save it; None leaves a field out."""
    fields = {**fields_of(person, path), **changes}
    return person.post(path, {name: value for name, value in fields.items() if value is not None})
