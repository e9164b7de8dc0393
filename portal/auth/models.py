"""People and their login sessions. A person in two clinics is two rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.access import ClinicRole, PlatformRole
from portal.core.audit import Audited
from portal.core.database import Base, Identified, TenantScoped, Timestamped, one_of, tenant_reference


class PersonColumns(Audited):
    """What every account holds, a clinic's or the platform's."""

    audit_hidden = frozenset({"password_hash", "email"})
    audit_skipped = frozenset({"last_login_at"})

    email: Mapped[str] = mapped_column(sa.String(254))
    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    locale: Mapped[str | None] = mapped_column(sa.String(8))
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    last_login_at: Mapped[datetime | None]


class SessionColumns:
    """A login: the hash of its random token, its end, and where it came from."""

    token_hash: Mapped[bytes] = mapped_column(BYTEA)
    expires_at: Mapped[datetime]
    ip: Mapped[str | None] = mapped_column(sa.String(45))
    user_agent: Mapped[str | None] = mapped_column(sa.String(300))
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class User(PersonColumns, TenantScoped, Timestamped, Base):
    """One of a clinic's staff."""

    __tablename__ = "users"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "email"), one_of("role", ClinicRole))


class LoginSession(SessionColumns, TenantScoped, Base):
    """A login at a clinic's host; found only inside that clinic's scope."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "token_hash"),
        tenant_reference("user_id", "users", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "user_id"),
    )

    user_id: Mapped[UUID]


class PlatformUser(PersonColumns, Identified, Timestamped, Base):
    """One of the platform's own people."""

    __tablename__ = "platform_users"
    __table_args__ = (sa.UniqueConstraint("email"), one_of("role", PlatformRole))


class PlatformSession(SessionColumns, Identified, Base):
    """A login at the admin host."""

    __tablename__ = "platform_sessions"
    __table_args__ = (sa.UniqueConstraint("token_hash"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("platform_users.id", ondelete="CASCADE"), index=True)


class LoginBucket(Base):
    """A token bucket that limits logins across workers; the key is a hash and tells nobody's name."""

    __tablename__ = "login_buckets"

    key: Mapped[bytes] = mapped_column(BYTEA, primary_key=True)
    tokens: Mapped[float] = mapped_column(sa.Double)
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
