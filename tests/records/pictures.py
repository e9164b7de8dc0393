"""Files as people send them, good and bad."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image


def picture(form: str = "JPEG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: object) -> bytes:
    """Return a picture."""
    written = io.BytesIO()
    Image.new(mode, size, 100).save(written, form, **options)
    return written.getvalue()


def dicom(preamble: bytes = bytes(128)) -> bytes:
    """Return the beginning of a DICOM file."""
    return preamble + b"DICM" + bytes(400)


def stl(triangles: int = 2, header: bytes = b"scan") -> bytes:
    """Return a binary STL."""
    return header.ljust(80, b"\0") + struct.pack("<I", triangles) + bytes(50 * triangles)


def pdf() -> bytes:
    """Return something that begins and ends as a PDF does."""
    return b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n"


def zip_bomb() -> bytes:
    """Return an archive of 50 kB that unpacks to 50 MB."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50 * 1024 * 1024))
    return written.getvalue()


def archive() -> bytes:
    """Return a small archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("run.js", "alert(1)")
    return written.getvalue()


def bombs() -> bytes:
    """Return a PNG of a few kilobytes with 400 million pixels."""
    small = picture("PNG", (16, 16), "L")
    header = struct.pack(">II", 20_000, 20_000)
    body = small[:16] + header + small[24:29]
    checksum = struct.pack(">I", zlib.crc32(body[12:29]))
    return body + checksum + small[33:]
