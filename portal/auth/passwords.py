"""Password hashing and rules (OWASP ASVS 5.0, levels 1 and 2)."""

from __future__ import annotations

from enum import StrEnum

from argon2.exceptions import InvalidHashError
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from portal.core.text import fold, words

MIN_LENGTH = 10
MAX_LENGTH = 200

# argon2id t=2 m=19 MiB p=1: about 25 ms here.
_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_imported = BcryptHasher()  # only verifies
_BCRYPT_BYTES = 72  # the libraries that made the imported hashes cut passwords there; today's refuses longer ones
_NOBODY = _hasher.hash("nobody has this password")
_LEAKED = frozenset(FREQUENCY_LISTS["passwords"])  # the 30,000 that stand first in published breaches
_LOOKED_AT = 72  # letters that are judged: what follows only makes a password better, and judging slower
_GOOD = 3  # of zxcvbn's 0 to 4: a hundred million guesses and more
_OWN_LETTERS = 8  # that many are left without one's own names
# Words that the library's English lists lack and that Turkish passwords are made of.
_LOCAL_WORDS = (
    "sifre", "parola", "klinik", "clinikoop", "galatasaray", "fenerbahce", "besiktas", "trabzonspor", "istanbul",
    "ankara", "izmir", "antalya", "turkiye", "ataturk", "doktor", "hasta", "dis", "hekim", "randevu",
)  # fmt: skip


class Weakness(StrEnum):
    """Why a password will not do."""

    LEAKED = "leaked"
    GUESSABLE = "guessable"


def hash_password(password: str) -> str:
    """Return the argon2id hash of ``password``."""
    return _hasher.hash(password)


def check_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Tell whether ``password`` is right, and return a fresh hash where the stored one is outdated.

    An unknown account costs the same time as a wrong password.
    """
    try:
        if stored and stored.startswith("$2"):
            right = _imported.verify(password.encode()[:_BCRYPT_BYTES], stored)
            return right, hash_password(password) if right else None
        right, fresh = _hasher.verify_and_update(password, stored or _NOBODY)
    except (UnknownHashError, InvalidHashError, ValueError):
        return False, None  # not a hash: an account that was locked, or a damaged import
    return (right, fresh) if stored else (False, None)


def find_weakness(password: str, *about: str) -> Weakness | None:
    """Return why ``password`` will not do, or None; ``about`` is what strangers know: a name, an address, a clinic."""
    if password.lower() in _LEAKED:
        return Weakness.LEAKED
    known = [word for word in words(" ".join(about)) if len(word) > 2]
    rest = fold(password)
    for word in known:
        rest = rest.replace(word, "")
    judged = zxcvbn(password[:_LOOKED_AT], user_inputs=[*about, *known, *_LOCAL_WORDS])
    return None if judged["score"] >= _GOOD and len(rest) >= _OWN_LETTERS else Weakness.GUESSABLE
