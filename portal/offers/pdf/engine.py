"""Sets documents in a process of its own, which is killed where it takes too long or too much memory."""

from __future__ import annotations

import atexit
import base64
import json
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Literal

WORKER = Path(__file__).with_name("worker.py")
_FONT_PACKAGE = find_spec("fontpkg_noto_sans")
assert _FONT_PACKAGE is not None
assert _FONT_PACKAGE.origin is not None
FONTS = Path(_FONT_PACKAGE.origin).parent / "files"
_LENGTH = struct.Struct(">Q")
_CHUNK = 1 << 20
_CPU_SECONDS = 600  # of one process's whole life


class PdfError(RuntimeError):
    """A document could not be set."""


class PdfTimeoutError(PdfError):
    """Setting a document took too long; its process was killed."""


@dataclass
class Typesetter:
    """One warm process that sets documents, one after another; started at need, renewed after ``jobs`` of them."""

    seconds: float = 10
    memory: int = 2 << 30  # of address space: threads' stacks and fonts count as well
    jobs: int = 500
    _lock: Lock = field(default_factory=Lock, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, init=False)
    _done: int = field(default=0, init=False)

    def pdf(self, files: Mapping[str, bytes], *, timestamp: int) -> bytes:
        """Set ``files``, of which main.typ is the document, as PDF. Raises PdfError."""
        return self._run(files, format="pdf", timestamp=timestamp)[0]

    def png(self, files: Mapping[str, bytes], *, ppi: int) -> list[bytes]:
        """Set ``files`` as one picture a page. Raises PdfError."""
        return self._run(files, format="png", ppi=ppi)

    def stop(self) -> None:
        """End the process, where there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _run(self, files: Mapping[str, bytes], *, format: Literal["pdf", "png"], **options: Any) -> list[bytes]:
        encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
        body = json.dumps({"files": encoded, "format": format, **options}).encode()
        deadline = time.monotonic() + self.seconds
        if not self._lock.acquire(timeout=self.seconds):
            raise PdfTimeoutError("Other documents are being set; try again in a moment.")
        try:
            answer = json.loads(self._exchange(_LENGTH.pack(len(body)) + body, deadline))
        except BaseException:
            self.stop()
            raise
        finally:
            self._lock.release()
        if "error" in answer:
            raise PdfError(answer["error"])
        return [base64.b64decode(page) for page in answer["pages"]]

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        process = self._ready()
        assert process.stdin is not None
        assert process.stdout is not None
        sent, got, wanted = 0, bytearray(), None
        while wanted is None or len(got) < wanted:
            left = deadline - time.monotonic()
            writes = [process.stdin] if sent < len(request) else []
            readable, writable, _ = select.select([process.stdout], writes, [], max(left, 0))
            if not readable and not writable:
                raise PdfTimeoutError(f"Setting the document took longer than {self.seconds:g} seconds.")
            if writable:
                sent += _send(process.stdin.fileno(), request[sent : sent + _CHUNK])
            if readable:
                piece = os.read(process.stdout.fileno(), _CHUNK)
                if not piece:
                    raise PdfError("The process that sets documents ended: out of memory, or killed.")
                got += piece
            if wanted is None and len(got) >= _LENGTH.size:
                wanted = _LENGTH.size + _LENGTH.unpack(got[: _LENGTH.size])[0]
        return bytes(got[_LENGTH.size :])

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._done >= self.jobs or (self._process is not None and self._process.poll() is not None):
            self.stop()
        if self._process is None:
            self._folder = tempfile.TemporaryDirectory(prefix="clinikoop-pdf-")
            bounds = str(self.memory), str(_CPU_SECONDS)
            command = [sys.executable, "-I", str(WORKER), self._folder.name, str(FONTS), *bounds]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                cwd=self._folder.name, env={"HTTPS_PROXY": "http://127.0.0.1:9", "RAYON_NUM_THREADS": "2"},
            )  # fmt: skip
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
            self._done = 0
        self._done += 1
        return self._process


def _send(descriptor: int, piece: bytes) -> int:
    try:
        return os.write(descriptor, piece)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        raise PdfError("The process that sets documents ended: out of memory, or killed.") from None


TYPESETTER = Typesetter()
atexit.register(TYPESETTER.stop)
