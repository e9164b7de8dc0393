"""Reminders: what somebody of a clinic has to do, and when; rules that make them, calendars that show them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, one_of, tenant_reference


class ReminderStatus(StrEnum):
    """Whether a reminder still waits."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class ReminderKind(StrEnum):
    """What is to be done."""

    CALL = "call"
    MESSAGE = "message"
    TASK = "task"
    RECALL = "recall"


class ReminderPriority(StrEnum):
    """How much a reminder presses."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Outcome(StrEnum):
    """What came of it."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    BOOKED = "booked"
    DECLINED = "declined"


class Trigger(StrEnum):
    """What makes a follow-up rule act."""

    UNOPENED = "unopened"
    UNDECIDED = "undecided"
    EXPIRING = "expiring"
    DECLINED = "declined"
    ACCEPTED = "accepted"
    QUESTION = "question"


class RuleAssignee(StrEnum):
    """Whom a rule's reminders go to."""

    COORDINATOR = "coordinator"
    DOCTOR = "doctor"
    USER = "user"


class Reminder(Audited, TenantScoped, Timestamped, Base):
    """A call, a message or a task, due at a moment; it may concern a patient or an offer.

    A rule makes one reminder for each cause, ever: ``cause`` names the cause, so a job that is killed and runs again
    finds that the reminder stands.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "rule_id", "cause"),
        sa.UniqueConstraint("clinic_id", "form_key"),
        one_of("status", ReminderStatus),
        one_of("kind", ReminderKind),
        one_of("priority", ReminderPriority),
        one_of("outcome", Outcome),
        tenant_reference("patient_id", "patients"),
        tenant_reference("offer_id", "offers"),
        tenant_reference("created_by_id", "users"),
        tenant_reference("assigned_to_id", "users"),
        tenant_reference("completed_by_id", "users"),
        tenant_reference("rule_id", "follow_up_rules"),
        sa.Index(None, "clinic_id", "assigned_to_id", "status", "due_at"),
        sa.Index(None, "clinic_id", "status", "due_at"),
        sa.Index(None, "clinic_id", "patient_id"),
        sa.Index(None, "clinic_id", "offer_id"),
        sa.Index(None, "clinic_id", "created_by_id"),
        sa.Index(None, "clinic_id", "completed_by_id"),
    )
    audit_hidden = frozenset({"title", "description", "outcome_note"})

    title: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str | None]
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(sa.String(10), server_default=ReminderStatus.OPEN)
    is_pinned: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    patient_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
    created_by_id: Mapped[UUID | None]
    assigned_to_id: Mapped[UUID | None]
    completed_at: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(sa.String(10), server_default="task", default=ReminderKind.TASK)
    priority: Mapped[str] = mapped_column(sa.String(6), server_default="normal", default=ReminderPriority.NORMAL)
    is_all_day: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    outcome: Mapped[str | None] = mapped_column(sa.String(12))
    outcome_note: Mapped[str | None] = mapped_column(sa.String(500))
    completed_by_id: Mapped[UUID | None]
    snoozed_from: Mapped[datetime | None]  # when it was due before the first snooze
    snooze_count: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0", default=0)
    rule_id: Mapped[UUID | None]
    cause: Mapped[str | None] = mapped_column(sa.String(120))
    form_key: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class FollowUpRule(Audited, TenantScoped, Timestamped, Base):
    """Makes a reminder when something has, or has not, happened to an offer for a while."""

    __tablename__ = "follow_up_rules"
    __table_args__ = (
        one_of("trigger", Trigger),
        one_of("kind", ReminderKind),
        one_of("priority", ReminderPriority),
        one_of("assignee", RuleAssignee),
        tenant_reference("assignee_id", "users"),
        sa.Index(None, "clinic_id", "assignee_id"),
        sa.CheckConstraint("delay_hours >= 0", name="delay_hours"),
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    trigger: Mapped[str] = mapped_column(sa.String(12))
    delay_hours: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(10), server_default="call", default=ReminderKind.CALL)
    priority: Mapped[str] = mapped_column(sa.String(6), server_default="normal", default=ReminderPriority.NORMAL)
    title: Mapped[str] = mapped_column(sa.String(200))
    assignee: Mapped[str] = mapped_column(sa.String(12), server_default="coordinator", default=RuleAssignee.COORDINATOR)
    assignee_id: Mapped[UUID | None]
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    active_since: Mapped[datetime] = mapped_column(server_default=sa.func.now())  # what happened before makes nothing
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0", default=0)
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class CalendarFeed(Audited, TenantScoped, Timestamped, Base):
    """A secret address under which one person's calendar reads her reminders."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "token_hash"),
        tenant_reference("user_id", "users"),
        sa.Index(None, "clinic_id", "user_id"),
    )
    audit_hidden = frozenset({"token_hash"})

    user_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    revoked_at: Mapped[datetime | None]
