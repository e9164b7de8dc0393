"""Mails about accounts, in the language of whoever gets them. Subjects name the clinic, never a person."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import force_locale
from flask_babel import gettext as _

from portal.auth.models import AccountTokenKind, User
from portal.core.clinics import Clinic
from portal.core.database import current_session
from portal.core.i18n import LANGUAGES
from portal.core.outbox import queue_mail
from portal.core.settings import settings

PATHS = {AccountTokenKind.INVITE: "welcome", AccountTokenKind.RESET: "password/reset"}


@dataclass(frozen=True)
class Letter:
    """What is written beside a link."""

    address: str
    subject: str
    body: str


def link_letter(person: User, token: str, kind: AccountTokenKind) -> Letter:
    """Return what is written to somebody beside her link."""
    clinic = current_session().get_one(Clinic, person.clinic_id)
    address = f"{settings().url_for_host(clinic.subdomain)}/{PATHS[kind]}/{token}"
    wish = person.locale or clinic.default_locale
    with force_locale(wish if wish in LANGUAGES else LANGUAGES[0]):
        if kind is AccountTokenKind.INVITE:
            body = _(
                "%(clinic)s invites you to its portal. Choose your password here: %(link)s\n\nThe link works once, for seven days.",  # noqa: E501
                clinic=clinic.name, link=address,
            )  # fmt: skip
            return Letter(address, _("Your access to %(clinic)s", clinic=clinic.name), body)
        body = _(
            "Somebody asked for a new password for your account at %(clinic)s. Choose it here: %(link)s\n\nThe link works once, for one hour. If it was not you, do nothing: your password stays as it is.",  # noqa: E501
            clinic=clinic.name, link=address,
        )  # fmt: skip
        return Letter(address, _("Your password at %(clinic)s", clinic=clinic.name), body)


def mail_link(person: User, token: str, kind: AccountTokenKind) -> None:
    """Put the mail with a link into the outbox."""
    letter = link_letter(person, token, kind)
    queue_mail(
        kind=f"account.{kind}", to_address=person.email, subject=letter.subject, body=letter.body, about_id=person.id
    )  # fmt: skip
