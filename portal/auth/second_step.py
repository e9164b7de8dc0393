"""The second step at login: codes of an authenticator (RFC 6238), and recovery codes where the phone is lost.

The authenticator's secret is sealed, so a copy of the database opens nothing. A code opens once: the step of the last
one used is kept. Recovery codes have 80 random bits, so a plain hash keeps them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Any

import pyotp
import sqlalchemy as sa
import structlog
from flask_babel import gettext as _

from portal.auth import limits
from portal.auth.models import PlatformUser, User
from portal.auth.queries import current_realm, get_account
from portal.auth.services import TooManyAttemptsError, confirm_password, realm_name
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.sealing import SealedColumn, SealError, register, seal, unseal

PURPOSE = "totp"
PER_CODE = limits.Limit("second step", 5, 60.0)
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_WINDOW = (0, -1, 1)  # steps of 30 seconds that a phone's clock may be off
_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)
log = structlog.get_logger("portal.auth")

register(SealedColumn(User, "totp_secret", PURPOSE))
register(SealedColumn(PlatformUser, "totp_secret", PURPOSE))


class SecondStepUnavailableError(RuleError):
    """The key that the authenticator's secret is sealed with is missing or wrong; nothing was changed."""


def begin(actor: Actor, password: str) -> None:
    """Make a secret, to be confirmed with a code; one that was never confirmed is replaced.

    The password is asked, so that nobody at an unlocked screen locks its owner out. Raises RuleError.
    """
    confirm_password(actor, password)
    person = _lock(_own_id(actor))
    if person.totp_confirmed_at is not None:
        raise RuleError(_("The second step is on already. Turn it off first to use another phone."))
    try:
        person.totp_secret = seal(pyotp.random_base32().encode(), purpose=PURPOSE)
    except SealError as error:
        raise _unavailable(error) from error
    person.totp_step = None
    audit.record(actor, "second_step.begun", person)


def address_of(person: Any, *, issuer: str) -> tuple[str, str]:
    """Return the secret as it is typed, and the address an authenticator scans. Raises SecondStepUnavailableError."""
    secret = _secret(person)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=issuer)


def confirm(actor: Actor, code: str) -> list[str]:
    """Turn the second step on once a code is right; return the recovery codes, to be shown once. Raises RuleError."""
    person = _lock(_own_id(actor))
    if person.totp_secret is None or person.totp_confirmed_at is not None:
        raise RuleError(_("There is nothing to confirm. Begin once more."))
    count_try(person.id)
    if not _opens(person, code):
        raise RuleError(_("This code is not right. Wait for the next one, and check the clock of your phone."))
    person.totp_confirmed_at = now()
    codes = _give_codes(person)
    audit.record(actor, "second_step.on", person)
    return codes


def count_try(person_id: Any) -> None:
    """Count a code that somebody tries; raises TooManyAttemptsError."""
    if not limits.take([(PER_CODE, f"{realm_name()} {person_id}")]):
        raise TooManyAttemptsError(_("Too many attempts. Wait a few minutes, then try again."))


def check(actor: Actor, person_id: Any, typed: str) -> bool:
    """Tell whether a code of the authenticator, or a recovery code, is right; either opens once. Count the try before.

    Raises SecondStepUnavailableError where the secret cannot be opened.
    """
    person = _lock(person_id)
    right = _opens(person, typed) or _use_recovery(actor, person, typed)
    if right:
        limits.forgive(PER_CODE, f"{realm_name()} {person_id}")
    return right


def renew_codes(actor: Actor, password: str) -> list[str]:
    """Return new recovery codes in place of those before. Raises RuleError unless ``password`` is right."""
    person = confirm_password(actor, password)
    if person.totp_confirmed_at is None:
        raise RuleError(_("The second step is not on."))
    codes = _give_codes(person)
    audit.record(actor, "second_step.codes", person)
    return codes


def turn_off(actor: Actor, password: str) -> None:
    """Log in with the password alone from now on. Raises RuleError unless it is right."""
    forget(actor, confirm_password(actor, password))


def forget(actor: Actor, person: Any) -> None:
    """Take the second step away from an account."""
    if person.totp_secret is None:
        return
    person.totp_secret, person.totp_confirmed_at, person.totp_step, person.recovery_hashes = None, None, None, []
    audit.record(actor, "second_step.off", person)


def _own_id(actor: Actor) -> Any:
    assert actor.id is not None
    return actor.id


def _lock(person_id: Any) -> Any:
    """Return an account under its lock, so that of two who use one code at once the second finds it used."""
    person = current_realm().person
    statement = sa.select(person).where(person.id == person_id).with_for_update()
    found = current_session().scalars(statement, execution_options={"populate_existing": True}).one_or_none()
    return found or get_account(person_id)


def _opens(person: Any, typed: str) -> bool:
    """Tell whether ``typed`` is a code of the authenticator that was not used yet, and note its step."""
    code = "".join(typed.split())
    if not _DIGITS.fullmatch(code) or person.totp_secret is None:
        return False
    totp, current = pyotp.TOTP(_secret(person)), int(now().timestamp()) // 30
    for step in (current + offset for offset in _WINDOW):
        fresh = person.totp_step is None or step > person.totp_step
        if fresh and hmac.compare_digest(totp.generate_otp(step), code):
            person.totp_step = step
            return True
    return False


def _use_recovery(actor: Actor, person: Any, typed: str) -> bool:
    hashed = _hash(typed)
    if hashed not in person.recovery_hashes:
        return False
    person.recovery_hashes = [known for known in person.recovery_hashes if known != hashed]
    audit.record(actor, "second_step.recovery", person)
    return True


def _give_codes(person: Any) -> list[str]:
    codes = [_new_code() for _number in range(RECOVERY_CODES)]
    person.recovery_hashes = [_hash(code) for code in codes]
    return codes


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _hash(typed: str) -> str:
    plain = "".join(char for char in typed.lower() if char.isascii() and char.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _secret(person: Any) -> str:
    try:
        return unseal(person.totp_secret, purpose=PURPOSE).decode()
    except SealError as error:
        raise _unavailable(error) from error


def _unavailable(error: SealError) -> SecondStepUnavailableError:
    log.error("second_step.unavailable", reason=str(error))
    return SecondStepUnavailableError(
        _(
            "Codes cannot be checked right now, because a key of the portal is missing. Nothing was changed. "
            "A recovery code still opens; otherwise tell Clinikoop."
        )
    )
