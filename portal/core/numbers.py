"""Numbers without gaps per clinic: patients, and offers per year."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, ClinicOwned, current_session, require_scope
from portal.core.scope import ClinicScope, ScopeError


class Counter(ClinicOwned, Base):
    """The last number given out, per clinic, kind and year (0 where a kind does not restart yearly)."""

    __tablename__ = "counters"

    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    year: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    last_no: Mapped[int]


def write_number(number: int, *, prefix: str, digits: int) -> str:
    """Return a number as people read it: prefix, then the number with zeros before it."""
    return f"{prefix}{number:0{digits}d}"


def peek_number(kind: str, year: int = 0) -> int:
    """Return the number of ``kind`` that would be given out next, if nobody takes it before."""
    statement = sa.select(Counter.last_no).where(Counter.kind == kind, Counter.year == year)
    return (current_session().scalars(statement).one_or_none() or 0) + 1


def next_number(kind: str, year: int = 0) -> int:
    """Return the next number of ``kind``, holding its counter until the transaction ends.

    The lock makes numbers gapless and lets the same form sent twice be seen by the second sender.
    """
    session = current_session()
    scope = require_scope(session)
    if not isinstance(scope, ClinicScope):
        raise ScopeError("Numbers belong to a clinic.")
    statement = (
        insert(Counter)
        .values(clinic_id=scope.clinic_id, kind=kind, year=year, last_no=1)
        .on_conflict_do_update(index_elements=["clinic_id", "kind", "year"], set_={"last_no": Counter.last_no + 1})
        .returning(Counter.last_no)
    )
    return int(session.execute(statement, execution_options={"scope_checked": True}).scalar_one())
