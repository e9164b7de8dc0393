"""The keys that sensitive columns are sealed with, as they are written down: ``name:key``, the current one first."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field

KEY_BYTES = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


@dataclass(frozen=True)
class DataKey:
    """One key under the name that sealed data carries."""

    id: str
    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What tells two keys of one name apart, and gives nothing away."""
        return hashlib.sha256(b"clinikoop data key" + self.secret).hexdigest()[:8]

    def written(self) -> str:
        """Return the key as it is written down."""
        return f"{self.id}:{base64.b64encode(self.secret).decode()}"


def new_key(name: str) -> DataKey:
    """Make a key out of the system's randomness; raises ValueError where ``name`` cannot name one."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a key: at most 20 of a-z, 0-9 and -.")
    return DataKey(name, secrets.token_bytes(KEY_BYTES))


def read_keys(text: str) -> tuple[DataKey, ...]:
    """Read ``name:key`` pairs parted by commas or white space; raises ValueError, which never repeats a key."""
    keys = tuple(_read_key(item, place) for place, item in enumerate(re.split(r"[\s,]+", text.strip(" ,\n\t\r")), 1))
    names = [key.id for key in keys]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two keys are named {', '.join(sorted(twice))}")
    return keys


def _read_key(item: str, place: int) -> DataKey:
    name, _colon, encoded = item.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError(f"key {place} has no name of at most 20 of a-z, 0-9 and - before a colon")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the key named {name} is not base64") from error
    if len(secret) != KEY_BYTES:
        raise ValueError(f"the key named {name} has {len(secret)} bytes, not {KEY_BYTES}")
    return DataKey(name, secret)
