"""What a file is, by its content: its name and what the browser says of it count for nothing.

Originals are kept byte for byte, X-rays and consents above all: they are evidence, their hash is kept beside them, and
writing a picture anew would cost detail and what its device noted. Places and devices in a photograph thus stay in the
file, which only those who may read the patient's files can fetch; what pages show is a thumbnail of ours, which has
none of it.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import puremagic
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.core.errors import RuleError
from portal.records.models import FileKind

MB = 1024 * 1024
THUMBNAIL = (360, 360)
_PIXELS = 40_000_000  # decoded whole: a picture of 1 MB may unpack to gigabytes
_JPEG_PIXELS = 170_000_000  # decoded at the size of the thumbnail
_HEAD = 2048
_PROGRAMS = (b"MZ", b"\x7fELF", b"PK", b"%PDF", b"#!", b"<", b"Rar!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
_PAGES = (b"<html", b"<script", b"<svg", b"<?php", b"<!doctype")


@dataclass(frozen=True)
class FileType:
    """A type that is taken: how it is called, served and saved, and whether a browser may show it by itself."""

    name: str
    mime: str
    suffix: str
    inline: bool = False


JPEG = FileType("JPEG", "image/jpeg", "jpg", inline=True)
PNG = FileType("PNG", "image/png", "png", inline=True)
WEBP = FileType("WebP", "image/webp", "webp", inline=True)
PDF = FileType("PDF", "application/pdf", "pdf")
DICOM = FileType("DICOM", "application/dicom", "dcm")
STL = FileType("STL", "model/stl", "stl")
TYPES = {each.mime: each for each in (JPEG, PNG, WEBP, PDF, DICOM, STL)}
_PICTURES = (JPEG, PNG, WEBP)


@dataclass(frozen=True)
class Rule:
    """What a kind of file may be, and how large."""

    label: str | LazyString
    types: tuple[FileType, ...]
    max_bytes: int


RULES = {
    FileKind.XRAY: Rule(_l("X-ray"), (*_PICTURES, DICOM), 100 * MB),
    FileKind.PHOTO: Rule(_l("Photograph"), _PICTURES, 25 * MB),
    FileKind.SCAN: Rule(_l("3D scan"), (STL,), 100 * MB),
    FileKind.IDENTITY: Rule(_l("Identity document"), (*_PICTURES, PDF), 15 * MB),
    FileKind.CONSENT: Rule(_l("Consent"), (*_PICTURES, PDF), 25 * MB),
    FileKind.OTHER: Rule(_l("Other"), (*_PICTURES, PDF, DICOM, STL), 50 * MB),
}


@dataclass(frozen=True)
class CheckedFile:
    """What an upload turned out to be; ``thumbnail`` is WebP, and only pictures have one."""

    type: FileType
    size: int
    thumbnail: bytes | None


def check_file(source: IO[bytes], kind: FileKind) -> CheckedFile:
    """Return what ``source`` is; raises RuleError where ``kind`` does not take it, with what it takes instead."""
    rule, size = RULES[kind], source.seek(0, io.SEEK_END)
    if size > rule.max_bytes:
        raise RuleError(_("It is larger than %(size)d MB.", size=rule.max_bytes // MB))
    if not size:
        raise RuleError(_("It is empty."))
    found = _recognised(source, size)
    if found not in rule.types:
        raise RuleError(_refusal(source, found, rule))
    if found is not STL and _holds_archive(source):
        raise RuleError(_("Something else is hidden in it. Save it anew and send that."))
    source.seek(0)
    return CheckedFile(found, size, _thumbnail(source) if found in _PICTURES else None)


def _recognised(source: IO[bytes], size: int) -> FileType | None:
    source.seek(0)
    head = source.read(_HEAD)
    tests: tuple[tuple[FileType, Callable[[], bool]], ...] = (
        (JPEG, lambda: head.startswith(b"\xff\xd8\xff") and _is_plain(head)),
        (PNG, lambda: head.startswith(b"\x89PNG\r\n\x1a\n") and _is_plain(head)),
        (WEBP, lambda: head[:4] == b"RIFF" and head[8:12] == b"WEBP" and _is_plain(head)),
        (PDF, lambda: head.startswith(b"%PDF-") and b"%%EOF" in _tail(source) and not _has_page(head)),
        (DICOM, lambda: head[128:132] == b"DICM" and _is_quiet(head[:128])),
        (STL, lambda: _is_stl(source, head, size)),
    )
    return next((kind for kind, test in tests if test()), None)


def _is_plain(head: bytes) -> bool:
    """Tell that a picture's beginning is not a document or a page as well."""
    return b"%PDF-" not in head and not _has_page(head)


def _has_page(head: bytes) -> bool:
    return any(mark in head.lower() for mark in _PAGES)


def _is_quiet(preamble: bytes) -> bool:
    """Tell that DICOM's free 128 bytes are empty, or the TIFF header the standard foresees: programs hide there."""
    return not preamble.strip(b"\0") or preamble[:4] in (b"II*\0", b"MM\0*")


def _is_stl(source: IO[bytes], head: bytes, size: int) -> bool:
    if head.startswith(_PROGRAMS):
        return False
    if len(head) >= 84 and size == 84 + 50 * struct.unpack("<I", head[80:84])[0]:
        return True
    is_text = head.isascii() and b"\0" not in head
    return is_text and head.startswith(b"solid") and b"facet" in head and b"endsolid" in _tail(source)


def _tail(source: IO[bytes]) -> bytes:
    source.seek(max(0, source.seek(0, io.SEEK_END) - _HEAD))
    return source.read(_HEAD)


def _holds_archive(source: IO[bytes]) -> bool:
    """Tell whether a ZIP is appended, as in a picture that is a program as well; it is never opened."""
    source.seek(0)
    return zipfile.is_zipfile(source)


def _refusal(source: IO[bytes], found: FileType | None, rule: Rule) -> str:
    takes = ", ".join(each.name for each in rule.types)
    if found:
        return _("It is %(type)s; for “%(kind)s” send %(types)s.", type=found.name, kind=rule.label, types=takes)
    source.seek(0)
    head = source.read(_HEAD)
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"hevc"):
        return _("It is HEIC, which browsers do not show. On the phone choose Camera > Formats > Most Compatible.")
    try:
        looks_like = puremagic.magic_string(head)[0].name
    except (puremagic.PureError, ValueError, IndexError):
        looks_like = ""
    if looks_like:
        return _("By its content it is: %(type)s. Send %(types)s.", type=looks_like, types=takes)
    return _("Its content is not what can be taken. Send %(types)s.", types=takes)


def _thumbnail(source: IO[bytes]) -> bytes:
    """Return a small picture without anything but pixels; raises RuleError for one that cannot be decoded."""
    try:
        with Image.open(source, formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > (_JPEG_PIXELS if picture.format == "JPEG" else _PIXELS):
                raise RuleError(_("It has too many pixels. Make it smaller and try again."))
            picture.draft("RGB", THUMBNAIL)
            small = ImageOps.exif_transpose(picture)
            if small.mode.startswith("I"):  # 16 bits of grey, as X-rays have
                small = small.convert("I").point(lambda value: value / 256).convert("L")
            small.thumbnail(THUMBNAIL)
            pixels = small.convert("RGB")
    except Image.DecompressionBombError:
        raise RuleError(_("It has too many pixels. Make it smaller and try again.")) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, struct.error):
        raise RuleError(_("It is damaged and cannot be opened.")) from None
    clean = Image.new("RGB", pixels.size)
    clean.paste(pixels)
    written = io.BytesIO()
    clean.save(written, "WEBP", quality=80)
    return written.getvalue()
