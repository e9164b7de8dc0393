"""The process that sets documents: typst alone, with bounds, in an empty folder. The portal is not imported here.

Started as ``python -I worker.py ROOT FONTS MEMORY SECONDS``. Each job comes on stdin and each answer goes to
stdout as 8 bytes of length and that many of JSON, files in base64.
"""

from __future__ import annotations

import base64
import json
import resource
import struct
import sys
from typing import Any, BinaryIO

import typst

LENGTH = struct.Struct(">Q")
STANDARDS: Any = ["a-2a", "ua-1"]  # for the archive, and for readers' aids
UNKNOWN_LETTER = "could not be displayed"


def main(root: str, fonts: str, memory: int, seconds: int) -> None:
    """Set documents until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file, only its answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    compiler = typst.Compiler(
        root=root, font_paths=[fonts], ignore_system_fonts=True, package_path=root, package_cache_path=root
    )
    while (job := _read(sys.stdin.buffer)) is not None:
        answer: dict[str, Any]
        try:
            answer = {"pages": [base64.b64encode(page).decode() for page in _compile(compiler, job)]}
        except (typst.TypstError, RuntimeError) as error:
            answer = {"error": str(error)[:2000]}
        _write(sys.stdout.buffer, answer)


def _compile(compiler: typst.Compiler, job: dict[str, Any]) -> list[bytes]:
    files: Any = {name: base64.b64decode(content) for name, content in job["files"].items()}
    found: Any
    if job["format"] == "png":
        found = compiler.compile(input=files, format="png", ppi=job["ppi"])
        return found if isinstance(found, list) else [found]
    try:
        found = compiler.compile(input=files, format="pdf", pdf_standards=STANDARDS, timestamp=job["timestamp"])
    except typst.TypstError as error:
        if UNKNOWN_LETTER not in str(error):
            raise
        found = compiler.compile(input=files, format="pdf", timestamp=job["timestamp"])  # a name in Chinese, say
    return [found]


def _read(stream: BinaryIO) -> dict[str, Any] | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    found: dict[str, Any] = json.loads(stream.read(LENGTH.unpack(head)[0]))
    return found


def _write(stream: BinaryIO, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
