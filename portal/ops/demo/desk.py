"""What the makers of invented rows need to know of the clinic they work in, read once."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core.access import ClinicRole
from portal.core.clinics import Clinic
from portal.core.clock import today
from portal.core.database import current_session, require_scope
from portal.core.numbers import Counter, next_number
from portal.core.scope import ClinicScope, ScopeError
from portal.offers.editing import PriceBook
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.queries import default_status
from portal.ops.demo.dice import Dice, PastYear
from portal.referrals.queries import list_sources

_WRITERS = (ClinicRole.OWNER, ClinicRole.ADMIN, ClinicRole.COORDINATOR, ClinicRole.DOCTOR)


class Desk:
    """The pinned clinic as its staff see it. Lives no longer than the session."""

    def __init__(self) -> None:
        scope = require_scope(current_session())
        if not isinstance(scope, ClinicScope):
            raise ScopeError("Invented rows belong to a clinic.")
        self.clinic = current_session().get_one(Clinic, scope.clinic_id)
        self.year = PastYear(today(self.clinic.timezone), self.clinic.timezone)
        self._books: dict[tuple[str, str], PriceBook] = {}

    def dice(self, thing: str) -> Dice:
        """Return the dice of one thing of this clinic, the same in every run."""
        return Dice(f"{self.clinic.subdomain}/{thing}")

    def book(self, currency: str, language: str) -> PriceBook:
        """Return the prices of a currency, with names in ``language``."""
        if (currency, language) not in self._books:
            self._books[currency, language] = PriceBook(
                currency, self.year.today, language, prices_include_vat=self.clinic.prices_include_vat
            )
        return self._books[currency, language]

    @cached_property
    def sources(self) -> list[UUID]:
        """The referral sources, the most used first."""
        return [source.id for source in list_sources()]

    @cached_property
    def statuses(self) -> dict[OfferKind, OfferStatus]:
        """The status this clinic uses for each kind."""
        return {kind: default_status(kind) for kind in OfferKind}

    @cached_property
    def staff(self) -> list[tuple[UUID, str]]:
        """The id and name of those who write offers, in the order of their roles."""
        statement = sa.select(User.id, User.name, User.role).where(User.role.in_(_WRITERS))
        rows = current_session().execute(statement).all()
        return [
            (row.id, row.name) for row in sorted(rows, key=lambda row: (_WRITERS.index(ClinicRole(row.role)), row.id))
        ]


def take_numbers(kind: str, year: int, count: int) -> range:
    """Return the next ``count`` numbers of ``kind``, holding its counter until the transaction ends."""
    session = current_session()
    first = next_number(kind, year)
    statement = sa.select(Counter).where(Counter.kind == kind, Counter.year == year)
    counter = session.scalars(statement.execution_options(populate_existing=True)).one()
    counter.last_no = first + count - 1
    session.flush()
    return range(first, first + count)
