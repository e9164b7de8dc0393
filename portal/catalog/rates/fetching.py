"""Fetching bulletins from the central bank: few addresses, bounded in size and time, day by day backwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, build_opener

from portal.catalog.rates.parsing import MAX_BYTES, BulletinError, ParsedBulletin, parse_bulletin

BASE = "https://www.tcmb.gov.tr/kurlar"
MAX_DAYS_BACK = 10  # the longest holidays with their weekends
_CHUNK = 64 * 1024
_SATURDAY = 5


class FetchError(Exception):
    """No bulletin came; the message says why, for the operator."""


class _StayingHandler(HTTPRedirectHandler):
    """Follows no redirect: the bank's addresses are fixed, and nobody else may send the portal elsewhere."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


@dataclass(frozen=True)
class Source:
    """Where bulletins come from; ``timeout`` is for each wait, ``deadline`` for a whole answer, in seconds."""

    base: str = BASE
    opener: OpenerDirector = field(default_factory=lambda: build_opener(_StayingHandler))
    timeout: float = 10
    deadline: float = 30

    def newest(self) -> ParsedBulletin:
        """Return the newest bulletin there is. Raises FetchError or BulletinError."""
        content = self._read(f"{self.base}/today.xml")
        if content is None:
            raise FetchError(f"{self.base}/today.xml does not exist.")
        return parse_bulletin(content)

    def of_day(self, day: date) -> ParsedBulletin:
        """Return the bulletin of ``day``, or of the nearest day before it that has one.

        Weekends have none and holidays neither. Raises FetchError or BulletinError.
        """
        for candidate in _days_back(day):
            address = f"{self.base}/{candidate:%Y%m}/{candidate:%d%m%Y}.xml"
            content = self._read(address)
            if content is None:
                continue
            bulletin = parse_bulletin(content)
            if bulletin.day != candidate:
                raise BulletinError(f"{address} holds the bulletin of {bulletin.day}.")
            return bulletin
        raise FetchError(f"There is no bulletin of {day}, nor of the {MAX_DAYS_BACK} days before it.")

    def _read(self, address: str) -> bytes | None:
        """Return what an address holds, None where it holds nothing."""
        try:
            with self.opener.open(address, timeout=self.timeout) as answer:
                return self._content(address, answer)
        except HTTPError as error:
            if error.code == 404:
                return None
            raise FetchError(f"{address} answered {error.code}.") from error
        except (URLError, OSError, HTTPException) as error:
            why = error.reason if isinstance(error, URLError) else error
            raise FetchError(f"{address} cannot be reached: {why}.") from error

    def _content(self, address: str, answer: HTTPResponse) -> bytes:
        end, content = time.monotonic() + self.deadline, bytearray()
        while chunk := answer.read1(_CHUNK):
            content += chunk
            if len(content) > MAX_BYTES:
                raise FetchError(f"{address} sends more than {MAX_BYTES // 1024} kB; a bulletin has about 10.")
            if time.monotonic() > end:
                raise FetchError(f"{address} was not read within {self.deadline:g} seconds.")
        return bytes(content)


def _days_back(day: date) -> Iterator[date]:
    """Yield ``day`` and the days before it, weekends aside."""
    days = (day - timedelta(days=back) for back in range(MAX_DAYS_BACK + 1))
    return (candidate for candidate in days if candidate.weekday() < _SATURDAY)
