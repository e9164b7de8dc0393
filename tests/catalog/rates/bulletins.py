"""Bulletins as the central bank writes them, and a bank of our own on this machine that serves them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import ProxyHandler, build_opener

from portal.catalog.rates.fetching import Source, _StayingHandler

EURO = """<Currency CrossOrder="9" Kod="EUR" CurrencyCode="EUR"><Unit>1</Unit><Isim>EURO</Isim>
<CurrencyName>EURO</CurrencyName><ForexBuying>{buying}</ForexBuying><ForexSelling>49.2217</ForexSelling>
<BanknoteBuying>49.0990</BanknoteBuying><BanknoteSelling>49.2955</BanknoteSelling>
<CrossRateUSD/><CrossRateOther>1.1605</CrossRateOther></Currency>"""
DOLLAR = """<Currency CrossOrder="0" Kod="USD" CurrencyCode="USD"><Unit>1</Unit><ForexBuying>42.3456</ForexBuying>
<ForexSelling>42.4219</ForexSelling><BanknoteBuying></BanknoteBuying></Currency>"""
YEN = """<Currency CrossOrder="11" Kod="JPY" CurrencyCode="JPY"><Unit>100</Unit><ForexBuying>27.1050</ForexBuying>
<ForexSelling>27.2845</ForexSelling></Currency>"""


def bulletin_xml(day: str = "25.11.2026", *, buying: str = "49.1332", currencies: str | None = None) -> bytes:
    """Return a bulletin of ``day``, written as the bank writes it."""
    dd, mm, yyyy = day.split(".")
    body = EURO.format(buying=buying) + DOLLAR + YEN if currencies is None else currencies
    return (
        '<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet type="text/xsl" href="isokur.xsl"?>'
        f'<Tarih_Date Tarih="{day}" Date="{mm}/{dd}/{yyyy}" Bulten_No="2026/224">{body}</Tarih_Date>'
    ).encode()


@contextmanager
def bank(pages: Mapping[str, bytes | int]) -> Iterator[tuple[Source, list[str]]]:
    """Serve ``pages`` (path -> content, or a status) on this machine; yields where, and what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            found = pages.get(self.path, 404)
            self.send_response(found if isinstance(found, int) else 200)
            if found == 302:
                self.send_header("Location", "/elsewhere.xml")
            self.end_headers()
            if isinstance(found, bytes):
                self.wfile.write(found)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    opener = build_opener(ProxyHandler({}), _StayingHandler)
    try:
        yield Source(f"http://127.0.0.1:{server.server_port}", opener, timeout=5), asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
