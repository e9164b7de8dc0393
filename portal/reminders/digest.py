"""The morning's mail: what is overdue and what is due today, to each who has something to do.

Mails are read on phones and in trains, so nobody is named: kinds, times and patients' numbers lead to the portal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.auth.models import User
from portal.core.access import Permission
from portal.core.clinics import Clinic
from portal.core.clock import day_start, now
from portal.core.database import current_session, require_scope
from portal.core.i18n import LANGUAGES
from portal.core.outbox import queue_mail
from portal.core.scope import ClinicScope
from portal.core.settings import settings
from portal.reminders.labels import KINDS
from portal.reminders.models import ReminderKind
from portal.reminders.queries import list_own
from portal.settings.kinds import Flag
from portal.settings.registry import Definition, Section, define, get_setting
from portal.staff.queries import authority_of

FIRST_HOUR, LAST_HOUR = 7, 11  # a worker that was down at seven still sends until eleven
SHOWN = 30
PREFERENCE = "digest"  # of users.preferences: False where somebody wants no mail
_SATURDAY = 5

DIGEST = define(
    Definition(
        "notifications.digest", Flag(), True, _l("Mail everybody's reminders in the morning"),
        _l("On working days at seven, to colleagues who have something due. Each may refuse it for herself."),
        Section.NOTIFICATIONS,
    )
)  # fmt: skip


def mail_digests() -> int:
    """Queue the pinned clinic's mails of this morning; return how many. Each is queued once a day, ever."""
    scope = require_scope(current_session())
    assert isinstance(scope, ClinicScope)
    clinic = current_session().get_one(Clinic, scope.clinic_id)
    local = now().astimezone(ZoneInfo(clinic.timezone))
    if not FIRST_HOUR <= local.hour < LAST_HOUR or local.weekday() >= _SATURDAY or not get_setting(DIGEST):
        return 0
    tonight = day_start(local.date() + timedelta(days=1), clinic.timezone)
    people = current_session().scalars(sa.select(User).where(User.is_active).order_by(User.id)).all()
    return sum(
        _mail(clinic, person, rows, str(local.date()))
        for person in people
        if person.preferences.get(PREFERENCE, True)
        and (rows := list_own(person.id, None, tonight))
        and Permission.PATIENTS_READ in authority_of(person).permissions
    )


def _mail(clinic: Clinic, person: User, rows: Sequence[Any], day: str) -> bool:
    wish = person.locale or clinic.default_locale
    with force_locale(wish if wish in LANGUAGES else LANGUAGES[0]):
        subject = _("%(clinic)s: your reminders today", clinic=clinic.name)
        body = _body(clinic, rows)
    return queue_mail(
        kind="reminders.digest", to_address=person.email, subject=subject, body=body,
        dedupe_key=f"digest:{person.id}:{day}", about_id=person.id,
    )  # fmt: skip


def _body(clinic: Clinic, rows: Sequence[Any]) -> str:
    zone, moment = ZoneInfo(clinic.timezone), now()
    overdue = sum(row.due_at < moment for row in rows)
    lines = [
        ngettext("You have %(num)d reminder for today.", "You have %(num)d reminders for today.", len(rows)),
        *([ngettext("%(num)d of them is overdue.", "%(num)d of them are overdue.", overdue)] if overdue else []),
        "",
    ]
    for row in rows[:SHOWN]:
        when = row.due_at.astimezone(zone)
        told = when.strftime("%d.%m.") if row.is_all_day else when.strftime("%d.%m. %H:%M")
        number = _("patient %(number)s", number=row.patient_no) if row.patient_no else ""
        lines.append("  ".join(filter(None, (f"- {told}", str(KINDS[ReminderKind(row.kind)]), number))))
    lines += ["", f"{settings().url_for_host(clinic.subdomain)}/"]
    lines.append(_("You can switch this mail off on the page Reminders, under Calendar and mail."))
    return "\n".join(lines)
