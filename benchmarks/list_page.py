"""The list page of a clinic with 20,000 patients against its floor, through the real server.

``make bench``: seeds the clinic ``buyuk`` into the instance folder if it is missing, serves the
portal and the floor by one granian worker each, and asks both in turn, so that both meet the same
noise. Prints medians and ratios; nothing is asserted, a noisy machine is no failure.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from flask import Flask
from rich.console import Console
from rich.table import Table

from portal.app import create_app
from portal.core.bootstrap import conninfo
from portal.core.database import OWNER_BIND, PLATFORM_BIND, db
from portal.core.work import platform_work
from portal.ops.demo.clinics import PASSWORD
from portal.platform.queries import find_clinic

CLINIC, PATIENTS = "buyuk", 20_000
HOST = f"{CLINIC}.localhost"
ROUNDS, PER_ROUND = 20, 15
PORTAL_PORT, FLOOR_PORT = 8791, 8792


def main() -> None:
    """Seed, serve, measure, print."""
    app = create_app()
    subprocess.run(
        [sys.executable, "-m", "flask", "db", "seed", "--demo", "--patients", str(PATIENTS), "--clinic", CLINIC],
        check=True, env={**os.environ, "FLASK_APP": "wsgi.py"}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with app.app_context():
        engines = db.engines.items()
        urls = {name: engine.url.render_as_string(hide_password=False) for name, engine in engines}
    environ = {
        **os.environ,
        "DATABASE_URL": urls[None], "DATABASE_PLATFORM_URL": urls[PLATFORM_BIND], "CLINIKOOP_LOG": "json",
    }  # fmt: skip
    servers = [serve("wsgi:app", PORTAL_PORT, environ)]
    try:
        cookie = log_in()
        page = fetch(PORTAL_PORT, "/patients/", cookie)
        with tempfile.NamedTemporaryFile("wb", suffix=".html") as file:
            file.write(page)
            file.flush()
            floor = {
                "FLOOR_PAGE": file.name,
                "FLOOR_DATABASE": conninfo(urls[OWNER_BIND]),
                "FLOOR_CLINIC": clinic_id(app),
            }
            servers.append(serve("benchmarks.floor:app", FLOOR_PORT, {**environ, **floor}))
            report(measure(cookie), len(page))
    finally:
        for server in servers:
            server.terminate()
            server.wait(10)


def serve(target: str, port: int, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start one granian worker and wait until it answers."""
    granian = Path(sys.executable).parent / "granian"
    process = subprocess.Popen(
        [granian, "--interface", "wsgi", "--port", str(port), "--workers", "1", "--blocking-threads", "1", target],
        env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _try in range(100):
        try:
            fetch(port, "/healthz", "")
            return process
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{target} did not start")


def fetch(port: int, path: str, cookie: str) -> bytes:
    """Ask for one page over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": f"{HOST}:{port}", "Cookie": cookie})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != http.client.OK:
        raise SystemExit(f"{path} answered {answer.status}")
    return body


def log_in() -> str:
    """Log in as the coordinator and return the cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTAL_PORT)
    connection.request("GET", "/login", headers={"Host": HOST})
    answer = connection.getresponse()
    token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', answer.read()).group(1).decode()  # type: ignore[union-attr]
    first = answer.headers["Set-Cookie"].partition(";")[0]
    form = {"email": f"koordinator@{CLINIC}.example.com", "password": PASSWORD, "csrf_token": token}
    headers = {"Host": HOST, "Cookie": first, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", urlencode(form), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.headers["Set-Cookie"].partition(";")[0]


def clinic_id(app: Flask) -> str:
    """Return the id of the large clinic."""
    with platform_work(app, "benchmark"):
        return str(find_clinic(CLINIC))


def measure(cookie: str) -> dict[str, list[float]]:
    """Time every page in turn, round by round; seconds a request."""
    deep = f"/patients/?sort=name&at={quote(deep_cursor(cookie))}"
    pages: dict[str, Callable[[], bytes]] = {
        "floor": lambda: fetch(FLOOR_PORT, "/", cookie),
        "patients, newest": lambda: fetch(PORTAL_PORT, "/patients/", cookie),
        "patients, by name": lambda: fetch(PORTAL_PORT, "/patients/?sort=name", cookie),
        "patients, by name, page 101": lambda: fetch(PORTAL_PORT, deep, cookie),
        "patients, search of 4 letters": lambda: fetch(PORTAL_PORT, "/patients/?q=yilm", cookie),
        "offers": lambda: fetch(PORTAL_PORT, "/offers/", cookie),
        "home": lambda: fetch(PORTAL_PORT, "/", cookie),
    }
    times: dict[str, list[float]] = {name: [] for name in pages}
    for ask in pages.values():
        for _warm in range(10):
            ask()
    for _round in range(ROUNDS):
        for name, ask in pages.items():
            for _request in range(PER_ROUND):
                started = time.perf_counter()
                ask()
                times[name].append(time.perf_counter() - started)
    return times


def deep_cursor(cookie: str) -> str:
    """Return the cursor of a page a hundred pages on."""
    cursor = ""
    for _page in range(100):
        html = fetch(PORTAL_PORT, f"/patients/?sort=name&at={cursor}", cookie).decode()
        found = re.search(r'href="[^"]*[?&;]at=([^"&]+)"[^>]*rel="next"', html)
        if found is None:
            break
        cursor = found.group(1)
    return cursor


def report(times: dict[str, list[float]], size: int) -> None:
    """Print medians and their ratio to the floor."""
    floor = statistics.median(times["floor"])
    table = Table(title=f"{PATIENTS:,} patients, one worker, page of {size:,} bytes")
    for heading in ("page", "median ms", "fastest tenth ms", "of the floor's speed"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for name, values in times.items():
        middle, fast = statistics.median(values), statistics.quantiles(values, n=10)[0]
        table.add_row(name, f"{middle * 1000:.2f}", f"{fast * 1000:.2f}", f"{floor / middle:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
