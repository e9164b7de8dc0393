"""People who come in as they do in life: these tests are about the way in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.people import Person


@pytest.fixture
def sign_in(portal: Flask) -> Callable[..., Person]:
    """Make somebody signed in, by the form: ``sign_in("doctor")``, ``sign_in("agent", "admin")``."""

    def make(role: str, host: str = "papatya") -> Person:
        return Person(portal, host).log_in(role)

    return make
