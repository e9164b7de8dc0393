"""Sealing: columns that the database holds and cannot read, because the keys are elsewhere.

AES-256-GCM. What is sealed names its key, and opens only for the clinic (or the platform) and the purpose it was
sealed for, so a value copied into another row of another clinic, or into another column, opens nothing.
A module tells the columns it seals with ``register``, so that `flask keys` finds them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.core.database import current_session, require_scope
from portal.core.keyring import DataKey
from portal.core.scope import ClinicScope
from portal.core.settings import settings

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16


class SealError(RuntimeError):
    """Sealed data cannot be opened, or nothing can be sealed; nothing was changed."""


class KeyMissingError(SealError):
    """The key that is needed is not among those of this portal."""

    def __init__(self, key_id: str | None) -> None:
        super().__init__(
            f"The data key {key_id!r} is not in CLINIKOOP_DATA_KEYS."
            if key_id
            else "CLINIKOOP_DATA_KEYS is not set, so nothing can be sealed."
        )
        self.key_id = key_id


class SealBrokenError(SealError):
    """The key of that name does not open it: another key, another clinic or purpose, or damage."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values; ``key_column`` repeats the key's name, where the table has such a column."""

    model: Any
    column: str
    purpose: str
    key_column: str | None = None


_columns: list[SealedColumn] = []


def register(column: SealedColumn) -> None:
    """Tell `flask keys` of a column that holds sealed values."""
    if column not in _columns:
        _columns.append(column)


def sealed_columns() -> tuple[SealedColumn, ...]:
    """Return the columns that modules registered."""
    return tuple(_columns)


def current_key() -> DataKey:
    """Return the key that is sealed with now; raises KeyMissingError where there is none."""
    keys = settings().data_keys
    if not keys:
        raise KeyMissingError(None)
    return keys[0]


def seal(plain: bytes, *, purpose: str) -> bytes:
    """Seal for the pinned clinic (or the platform) and ``purpose``; raises KeyMissingError without a key."""
    key = current_key()
    header = header_of(key.id)
    nonce = os.urandom(_NONCE)
    return header + nonce + AESGCM(key.secret).encrypt(nonce, plain, _bound(header, purpose))


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """Open what ``seal`` made; raises KeyMissingError or SealBrokenError, which never hold what was sealed."""
    key_id = key_id_of(sealed)
    key = next((key for key in settings().data_keys if key.id == key_id), None)
    if key is None:
        raise KeyMissingError(key_id)
    header = header_of(key_id)
    nonce, body = sealed[len(header) : len(header) + _NONCE], sealed[len(header) + _NONCE :]
    try:
        return AESGCM(key.secret).decrypt(nonce, body, _bound(header, purpose))
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError(
            f"The data key {key_id!r} ({key.fingerprint}) does not open this: another key under the same name, "
            f"or the data is damaged or not where it belongs."
        ) from error


def key_id_of(sealed: bytes) -> str:
    """Return the name of the key it is sealed with; raises SealBrokenError for what was never sealed."""
    length = sealed[1] if len(sealed) > 1 else 0
    if sealed[:1] != _VERSION or not length or len(sealed) < 2 + length + _NONCE + _TAG:
        raise SealBrokenError("This is not sealed data of a kind that this release knows.")
    try:
        return sealed[2 : 2 + length].decode("ascii")
    except UnicodeDecodeError as error:
        raise SealBrokenError("This is not sealed data of a kind that this release knows.") from error


def header_of(key_id: str) -> bytes:
    """Return what everything sealed with this key begins with."""
    name = key_id.encode("ascii")
    return _VERSION + bytes([len(name)]) + name


def _bound(header: bytes, purpose: str) -> bytes:
    """Return what a seal is bound to besides its key: the clinic and the purpose."""
    scope = require_scope(current_session())
    owner = scope.clinic_id.bytes if isinstance(scope, ClinicScope) else b"platform"
    return b"\x00".join((header, owner, purpose.encode()))
