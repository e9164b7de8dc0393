"""People and their login sessions. A person in two clinics is two rows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.access import ClinicRole, PlatformRole
from portal.core.audit import Audited
from portal.core.database import Base, Identified, TenantScoped, Timestamped, one_of, tenant_reference


class PersonColumns(Audited):
    """What every account holds, a clinic's or the platform's."""

    audit_hidden = frozenset({"password_hash", "email", "phone_e164", "totp_secret", "recovery_hashes"})
    audit_skipped = frozenset({"last_login_at", "totp_step"})

    email: Mapped[str] = mapped_column(sa.String(254))
    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    locale: Mapped[str | None] = mapped_column(sa.String(8))
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    last_login_at: Mapped[datetime | None]
    phone_e164: Mapped[str | None] = mapped_column(sa.String(16))
    totp_secret: Mapped[bytes | None] = mapped_column(sa.LargeBinary)  # sealed, see portal.core.sealing
    totp_confirmed_at: Mapped[datetime | None]
    totp_step: Mapped[int | None] = mapped_column(sa.BigInteger)  # the last one used: a code opens once (RFC 6238)
    recovery_hashes: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]", default=list)
    must_change_password: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    password_changed_at: Mapped[datetime | None]


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
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "email"),
        one_of("role", ClinicRole),
        tenant_reference("invited_by_id", "users"),
        sa.Index(None, "clinic_id", "invited_by_id"),
    )

    title: Mapped[str | None] = mapped_column(sa.String(80))
    invited_by_id: Mapped[UUID | None]
    deactivated_at: Mapped[datetime | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", default=dict)  # e.g. which mails
    version: Mapped[int] = mapped_column(server_default="1", default=1)


class UserPermission(Audited, TenantScoped, Timestamped, Base):
    """One permission that somebody has besides her role's, or that is taken from it."""

    __tablename__ = "user_permissions"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "user_id", "permission"),
        tenant_reference("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[UUID]
    permission: Mapped[str] = mapped_column(sa.String(40))
    is_granted: Mapped[bool]


class AccountTokenKind(StrEnum):
    """What a link in a mail lets its reader do."""

    INVITE = "invite"
    RESET = "reset"


class AccountToken(Audited, TenantScoped, Timestamped, Base):
    """A link that lets one person choose a password, once, until it expires; only its hash is kept."""

    __tablename__ = "account_tokens"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "token_hash"),
        tenant_reference("user_id", "users", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "user_id"),
        one_of("kind", AccountTokenKind),
    )
    audit_hidden = frozenset({"token_hash"})

    user_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(8))
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


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
