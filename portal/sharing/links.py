"""A private link: its token, its address, and the ways it travels. Nothing here tells what an offer holds."""

from __future__ import annotations

import hashlib
import io
import secrets
from urllib.parse import quote

import segno

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


def whatsapp_url(phone: str | None, message: str) -> str:
    """Return the wa.me address; it takes the number as digits only, and without one WhatsApp asks to whom."""
    digits = "".join(char for char in phone or "" if char.isascii() and char.isdigit())
    return f"https://wa.me/{digits}?text={quote(message)}"


def qr_svg(address: str) -> str:
    """Return the address as a QR code, an SVG without anything the content policy forbids."""
    picture = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(
        picture, kind="svg", scale=6, border=4, xmldecl=False, svgns=False, dark="#000", light="#fff", omitsize=False
    )
    return picture.getvalue().decode()
