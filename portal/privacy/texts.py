"""Notices and the texts of consents: published in versions, none of which ever changes.

The portal ships drafts in four languages. They are no legal advice: a clinic's lawyer checks them first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import NotFoundError, StaleVersionError
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.privacy.models import ConsentKind, PrivacyText

_DRAFTS = Path(__file__).parent / "drafts"
_SECTION = re.compile(r"^## (\w+)\n", re.MULTILINE)


def draft(kind: ConsentKind, locale: str, *, clinic: str) -> str:
    """Return the portal's draft of a text, with the clinic's name in it."""
    return _drafts(locale)[kind].replace("{clinic}", clinic)


def list_current() -> Mapping[tuple[str, str], Any]:
    """Return (kind, locale) -> id, version_no, sha256 and published_at of the texts now in force."""
    statement = (
        sa.select(
            PrivacyText.id, PrivacyText.kind, PrivacyText.locale, PrivacyText.version_no, PrivacyText.sha256,
            PrivacyText.published_at,
        )
        .ext(distinct_on(PrivacyText.kind, PrivacyText.locale))
        .order_by(PrivacyText.kind, PrivacyText.locale, PrivacyText.version_no.desc())
    )  # fmt: skip
    return {(row.kind, row.locale): row for row in current_session().execute(statement)}


def list_versions(kind: ConsentKind, locale: str) -> Sequence[PrivacyText]:
    """Return every version of a text, the newest first."""
    statement = sa.select(PrivacyText).where(PrivacyText.kind == kind, PrivacyText.locale == locale)
    return current_session().scalars(statement.order_by(PrivacyText.version_no.desc())).all()


def get_text(text_id: UUID) -> PrivacyText:
    """Return one version of a text; raises NotFoundError."""
    found = current_session().scalars(sa.select(PrivacyText).where(PrivacyText.id == text_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def publish_text(actor: Actor, *, kind: ConsentKind, locale: str, body: str, after: int) -> PrivacyText:
    """Publish the version that follows number ``after``; the same text again is no new version.

    Raises StaleVersionError where somebody published meanwhile.
    """
    versions = list_versions(kind, locale)
    newest = versions[0] if versions else None
    if newest is not None and newest.body == body:
        return newest
    if after != (newest.version_no if newest else 0):
        raise StaleVersionError
    mark = hashlib.sha256(body.encode()).hexdigest()
    text = PrivacyText(kind=kind, locale=locale, version_no=after + 1, body=body, sha256=mark)
    try:
        with current_session().begin_nested():
            current_session().add(text)
    except IntegrityError as error:  # another one of the same moment
        raise StaleVersionError from error
    audit.record(actor, "privacy_text.published", text, changes={"version_no": [after or None, after + 1]})
    return text


@cache
def _drafts(locale: str) -> dict[str, str]:
    assert locale in PATIENT_LANGUAGES
    parts = _SECTION.split((_DRAFTS / f"{locale}.txt").read_text())[1:]
    return {kind: body.strip() for kind, body in zip(parts[::2], parts[1::2], strict=True)}
