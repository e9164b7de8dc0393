"""Password hashing and rules (OWASP ASVS 5.0, levels 1 and 2)."""

from __future__ import annotations

from argon2.exceptions import InvalidHashError
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

MIN_LENGTH = 10
MAX_LENGTH = 200

# argon2id t=2 m=19 MiB p=1: about 25 ms here.
_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_imported = BcryptHasher()  # only verifies
_BCRYPT_BYTES = 72  # the libraries that made the imported hashes cut passwords there; today's refuses longer ones
_NOBODY = _hasher.hash("nobody has this password")


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


def is_weak(password: str, *about: str) -> bool:
    """Tell whether a password is one of a person's own names, or a single repeated or running pattern."""
    folded = password.casefold()
    told = " ".join(about).casefold().replace("@", " ").replace(".", " ")
    own = {part for part in told.split() if len(part) > 3}
    runs = ("0123456789" * 3, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "passwordpassword")
    return len(set(folded)) < 4 or folded in own or any(folded in run for run in runs)
