"""How long an offer's PDF takes: typst in its warm process, and WeasyPrint on the same content as HTML.

``make bench-pdf``: sets one offer of three lines and a tooth chart again and again, nothing remembered, both in
turn so that both meet the same noise. WeasyPrint's page has the texts and the table but no chart, which is in its
favour. Prints medians; nothing is asserted, a noisy machine is no failure.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

from markupsafe import escape
from rich.console import Console
from rich.table import Table
from weasyprint import HTML

from portal.offers.pdf.document import document_files
from portal.offers.pdf.engine import FONTS, Typesetter
from portal.offers.pdf.sample import sample_content
from portal.settings.templates import Block, DocumentTexts

ROUNDS, WARM = 30, 3
TOLD = DocumentTexts({Block.HEADER: "Bağdat Caddesi 1\nİstanbul", Block.TERMS: "Koşullar. " * 40})


def main() -> None:
    """Measure and print."""
    content = sample_content("de", TOLD, "Papatya Diş Kliniği")
    files = document_files(content, None, None)
    typesetter = Typesetter()
    page = _html(json.loads(files["data.json"]))
    cold = _seconds(lambda: typesetter.pdf(files, timestamp=0))
    ways: dict[str, Callable[[int], bytes]] = {
        "typst": lambda number: typesetter.pdf(_numbered(files, number), timestamp=0),
        "WeasyPrint": lambda number: HTML(string=page.replace("2026-", f"{number}-")).write_pdf(),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + WARM):
        for name, way in ways.items():
            seconds = _seconds(lambda way=way, number=number: way(number))  # type: ignore[misc]
            if number >= WARM:
                taken[name].append(seconds)
    typesetter.stop()
    _print(taken, cold)


def _numbered(files: dict[str, bytes], number: int) -> dict[str, bytes]:
    """Change the document's number, so that nothing of the one before is the same."""
    return {**files, "data.json": files["data.json"].replace(b"-00000", f"-{number:05d}".encode())}


def _html(data: dict[str, object]) -> str:
    told = data["told"][0]  # type: ignore[index]
    rows = "".join(
        f"<tr><td><b>{escape(line['name'])}</b><br>{escape(line['numbers'])} {escape(line['where'])}</td>"
        f"<td>{line['quantity']}</td><td>{line['unit_price']}</td><td>{line['amount']}</td></tr>"
        for line in told["groups"][0]["lines"]
    )
    sums = "".join(f"<tr><td>{escape(label)}</td><td>{amount}</td></tr>" for label, amount in told["groups"][0]["sums"])
    font = next(FONTS.glob("NotoSans[[]*.ttf")).as_uri()
    style = f"@font-face {{ font-family: Noto; src: url('{font}') }} body {{ font: 10pt Noto }} td {{ padding: 2mm }}"
    return (
        f"<html lang='{told['lang']}'><title>{data['number']}</title><style>{style}</style><h1>{data['clinic']}</h1>"
        f"<table>{rows}</table><table>{sums}</table><p>{told['terms']}</p><p>{told['disclaimer']}</p></html>"
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _print(taken: dict[str, list[float]], cold: float) -> None:
    table = Table("PDF", "median", "slowest", title=f"One offer, {ROUNDS} times")
    for name, seconds in taken.items():
        table.add_row(name, f"{statistics.median(seconds) * 1000:.0f} ms", f"{max(seconds) * 1000:.0f} ms")
    Console().print(table)
    Console().print(f"typst's first document, with its process started: {cold * 1000:.0f} ms")


if __name__ == "__main__":
    main()
