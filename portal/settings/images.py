"""Pictures that people upload: checked by what they are, decoded within bounds, and written anew."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.core.errors import RuleError

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a picture of 1 MB may unpack to gigabytes
LARGEST = (1200, 600)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
TOO_MANY_PIXELS = _l("This picture has too many pixels. Make it smaller and try again.")
_HEAD = 4096


@dataclass(frozen=True)
class CleanImage:
    """A picture as we wrote it: PNG, and nothing in it but pixels."""

    content: bytes
    sha256: str
    width: int
    height: int
    mime: str = "image/png"


def clean_image(data: bytes) -> CleanImage:
    """Return an uploaded picture written anew; raises RuleError with what to send instead."""
    if not data:
        raise RuleError(_l("Choose a picture first."))
    if len(data) > MAX_BYTES:
        raise RuleError(_l("This picture is larger than 5 MB. Make it smaller and try again."))
    if b"<svg" in data[:_HEAD].lower():
        raise RuleError(_l("SVG files may hold programs, so they are not taken. Save the logo as PNG."))
    try:
        picture = _decoded(data)
    except Image.DecompressionBombError:
        raise RuleError(TOO_MANY_PIXELS) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise RuleError(_l("This file is no picture that can be read. Send a PNG, JPEG, WebP or GIF.")) from None
    picture.thumbnail(LARGEST)
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    content = written.getvalue()
    return CleanImage(content, hashlib.sha256(content).hexdigest(), picture.width, picture.height)


def _decoded(data: bytes) -> Image.Image:
    """Decode the first frame; its size is read before any pixel is."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as source:
        if source.width * source.height > MAX_PIXELS:
            raise RuleError(TOO_MANY_PIXELS)
        upright = ImageOps.exif_transpose(source)
        assert upright is not None
        pixels = upright.convert("RGBA")
    clean = Image.new("RGBA", pixels.size)  # without what came along: place, camera, comments
    clean.paste(pixels)
    return clean
