"""All patients of one referral source moved to another at once, and moved back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.audit import ActivityLog, Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError, RuleError, StaleVersionError
from portal.core.pagination import Order, Page, keyset_page
from portal.patients.models import Patient
from portal.referrals.models import ReferralSource, ReferralTransfer
from portal.referrals.services import archive_source, restore_source

_ORDER = Order((Patient.name_key, Patient.id))
_COLUMNS = (Patient.id, Patient.patient_no, Patient.first_name, Patient.last_name, Patient.name_key)


def list_moving(source_id: UUID, cursor: str | None) -> Page[Any]:
    """Return one page of the patients whom a move would take, by name; archived ones too, duplicates not."""
    return keyset_page(sa.select(*_COLUMNS).where(*_of(source_id)), _ORDER, cursor)


def count_moving(source_id: UUID) -> int:
    """Return how many patients a move would take."""
    statement = sa.select(sa.func.count()).select_from(Patient).where(*_of(source_id))
    return current_session().execute(statement).scalar_one()


def get_transfer(transfer_id: UUID) -> ReferralTransfer:
    """Return a move. Raises NotFoundError, also for another clinic's."""
    statement = sa.select(ReferralTransfer).where(ReferralTransfer.id == transfer_id)
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def move_patients(
    actor: Actor, *, source_id: UUID, target_id: UUID, expected: int, archive: bool
) -> ReferralTransfer:  # fmt: skip
    """Move every patient of a source to another, and archive the source where asked.

    Raises RuleError where the target takes none, StaleVersionError where there are not ``expected`` patients any more.
    """
    source, target = _locked(source_id, target_id)
    if source.id == target.id or not target.is_active:
        raise RuleError(_("Choose another source that is not archived."))
    ids = _lock_patients(*_of(source.id))
    if len(ids) != expected:
        raise StaleVersionError
    _give(ids, target.id)
    transfer = ReferralTransfer(
        from_id=source.id, to_id=target.id, patient_ids=[str(row) for row in ids], archived_source=False,
        actor_id=actor.id,
    )  # fmt: skip
    current_session().add(transfer)
    audit.record(actor, "source.emptied", source, changes=_told(len(ids), target.name))
    if archive and source.is_active:
        transfer.archived_source = True
        archive_source(actor, source)
    current_session().flush()
    return transfer


def undo_transfer(actor: Actor, transfer: ReferralTransfer) -> int:
    """Move patients back, but for those whom somebody has moved since; return how many came back.

    A source that was archived with the move is offered again. Raises RuleError where it is undone already.
    """
    source, target = _locked(transfer.from_id, transfer.to_id)
    current_session().refresh(transfer, with_for_update=True)
    if transfer.undone_at is not None:
        raise RuleError(_("These patients have been moved back already."))
    wanted = {UUID(row) for row in transfer.patient_ids} - _moved_since(transfer)
    ids = _lock_patients(Patient.id.in_(wanted), Patient.referral_source_id == target.id)
    _give(ids, source.id)
    transfer.undone_at = now()
    audit.record(actor, "source.refilled", source, changes=_told(len(ids), source.name))
    if transfer.archived_source:
        restore_source(actor, source)
    current_session().flush()
    return len(ids)


def _of(source_id: UUID) -> list[sa.ColumnElement[bool]]:
    return [Patient.referral_source_id == source_id, Patient.merged_into_id.is_(None)]


def _locked(source_id: UUID, target_id: UUID) -> tuple[ReferralSource, ReferralSource]:
    """Lock both sources, in the order of their ids: of two moves at once, one waits. Raises NotFoundError."""
    statement = (
        sa.select(ReferralSource)
        .where(ReferralSource.id.in_({source_id, target_id}))
        .order_by(ReferralSource.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = {row.id: row for row in current_session().scalars(statement)}
    try:
        return rows[source_id], rows[target_id]
    except KeyError:
        raise NotFoundError from None


def _lock_patients(*conditions: sa.ColumnElement[bool]) -> list[UUID]:
    statement = sa.select(Patient.id).where(*conditions).order_by(Patient.id).with_for_update()
    return list(current_session().scalars(statement))


def _give(ids: Iterable[UUID], source_id: UUID) -> None:
    """Give patients a source; who has one of them open in a form is told."""
    values = {"referral_source_id": source_id, "version": Patient.version + 1, "updated_at": now()}
    statement = sa.update(Patient).where(Patient.id.in_(list(ids))).values(values)
    current_session().execute(statement, execution_options={"synchronize_session": "fetch"})


def _told(count: int, to: str) -> dict[str, list[Any]]:
    return {"patients": [None, count], "to": [None, to]}


def _moved_since(transfer: ReferralTransfer) -> set[UUID]:
    """Return the patients of a move who got another source afterwards, by hand or by a later move, even if it is back.

    A later move that was undone itself counts for nothing.
    """
    ids = [UUID(row) for row in transfer.patient_ids]
    by_hand = sa.select(ActivityLog.object_id).where(
        ActivityLog.object_type == Patient.__tablename__,
        ActivityLog.object_id.in_(ids),
        ActivityLog.at > transfer.moved_at,
        ActivityLog.changes.has_key("referral_source_id"),
    )
    later = sa.select(ReferralTransfer.patient_ids).where(
        ReferralTransfer.from_id == transfer.to_id,
        ReferralTransfer.moved_at > transfer.moved_at,
        ReferralTransfer.undone_at.is_(None),
    )
    session = current_session()
    moved = {UUID(row) for rows in session.scalars(later) for row in rows}
    return moved.union(row for row in session.scalars(by_hand) if row is not None)
