"""A private link: its token and its address. Nothing here tells what an offer holds."""

from __future__ import annotations

import hashlib
import secrets

_TOKEN_BYTES = 32
_HINT = 4


def make_token() -> str:
    """Return 256 random bits as text for an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Return what is stored of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def hint_of(token: str) -> str:
    """Return the last characters, by which colleagues tell one link from another."""
    return token[-_HINT:]


def link_address(clinic_url: str, token: str) -> str:
    """Return the whole address on the clinic's own host."""
    return f"{clinic_url}/o/{token}"
