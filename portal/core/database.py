"""The database: declarative base, tenant mixins, and a session that fails closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from portal.core.scope import ClinicScope, PlatformScope, Scope, ScopeError

PLATFORM_BIND = "platform"
OWNER_BIND = "owner"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(orm.DeclarativeBase):
    """Base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: sa.Uuid(),
        datetime: sa.DateTime(timezone=True),
        Decimal: sa.Numeric(14, 2),
        str: sa.Text(),
    }


class Timestamped:
    """When a row was made and last changed, in UTC."""

    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), onupdate=sa.func.now())


class Identified:
    """A platform row: one time-ordered UUID (v7) as its key."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class ClinicOwned:
    """A clinic's row, whatever its key; ``clinic_id`` leads the key and every index."""

    clinic_id: Mapped[UUID] = mapped_column(sa.ForeignKey("clinics.id"), primary_key=True, sort_order=-20)


class TenantScoped(ClinicOwned):
    """A clinic's row with ``PRIMARY KEY (clinic_id, id)``, so references must name the clinic too."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-19)


def tenant_reference(column: str, table: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """Return the composite foreign key ``(clinic_id, column) -> table (clinic_id, id)``.

    Never ``ON DELETE SET NULL``: over a composite key it would clear the clinic as well.
    """
    return sa.ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"], ondelete=ondelete)


def one_of(column: str, values: type[StrEnum]) -> sa.CheckConstraint:
    """Return the check that ``column`` holds one of the enumeration's values (or NULL)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


class PortalSession(FlaskSession):
    """A session pinned to one scope; the scope picks the database role it speaks as."""

    scope: Scope | None = None

    def pin(self, scope: Scope) -> None:
        """Pin this session to ``scope``; raises ScopeError where it is pinned to another already."""
        if self.scope is not None and self.scope != scope:
            raise ScopeError(f"This session is pinned to {self.scope}; open another for {scope}.")
        self.scope = scope

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002
        """Return the engine of the scope's role; raises ScopeError outside a scope."""
        if bind is not None:
            return bind
        return engine_for(require_scope(self))

    def bulk_save_objects(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuse: it would pass by the scope's checks."""
        raise ScopeError("Legacy bulk operations pass by the scope; use bulk_insert().")

    bulk_insert_mappings = bulk_update_mappings = bulk_save_objects


db: SQLAlchemy = SQLAlchemy(
    metadata=Base.metadata,  # models derive from Base: db.Model has no types
    disable_autonaming=True,
    session_options={
        "class_": PortalSession,
        "expire_on_commit": False,
        # Over an engine this changes nothing; over a test's connection, commits become savepoints.
        "join_transaction_mode": "create_savepoint",
    },
)


def engine_for(scope: Scope) -> sa.Engine | sa.Connection:
    """Return what a scope's statements run on: its role's engine, or the connection a test put in its place."""
    bind = PLATFORM_BIND if isinstance(scope, PlatformScope) else None
    replaced: sa.Connection | None = current_app.extensions.get("portal_connections", {}).get(bind)
    return db.engines[bind] if replaced is None else replaced


@contextmanager
def independent(scope: Scope) -> Iterator[sa.Connection]:
    """Open a short transaction of its own that commits whatever becomes of the request.

    For what must survive a refused request, such as counting login attempts, and for the log of reads.
    """
    bind = engine_for(scope)
    if isinstance(bind, sa.Connection):
        with bind.begin_nested():
            yield bind
    else:
        with bind.begin() as connection:
            yield connection


def current_session() -> PortalSession:
    """Return this application context's session."""
    session = db.session()
    assert isinstance(session, PortalSession)
    return session


def require_scope(session: orm.Session) -> Scope:
    """Return the scope of ``session``; raises ScopeError where none is pinned."""
    scope = getattr(session, "scope", None)
    if scope is None:
        raise ScopeError("No clinic is pinned: enter a clinic's scope or a system scope first.")
    assert isinstance(scope, ClinicScope | PlatformScope)
    return scope


def bulk_insert(model: type[ClinicOwned], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows of the pinned clinic at once; raises ScopeError for another clinic's row."""
    session = current_session()
    scope = require_scope(session)
    if not isinstance(scope, ClinicScope):
        raise ScopeError("bulk_insert() needs a clinic's scope.")
    for row in rows:
        if row.setdefault("clinic_id", scope.clinic_id) != scope.clinic_id:
            raise ScopeError(f"A bulk insert into {model.__name__} carries another clinic's row.")
    if rows:
        session.execute(sa.insert(model), list(rows), execution_options={"scope_checked": True})
