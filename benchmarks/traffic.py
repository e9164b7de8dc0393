"""People at work in the portal: readers and writers over keep-alive HTTP, each signed in, and what became of it."""

from __future__ import annotations

import http.client
import itertools
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from portal.ops.demo.clinics import PASSWORD

TIMEOUT = 60.0
THINKING = (0.02, 0.1)  # seconds between two requests of one person
MOVED = (302, 303)
WRITES = ("register a patient", "assign an offer", "move an offer")


@dataclass(frozen=True)
class Answer:
    """One request: what it was for, when it began, how long it took, and why it failed, if it did."""

    kind: str
    began: float
    seconds: float
    failure: str | None


@dataclass(frozen=True)
class Work:
    """What there is to do: the offers, those that can be moved to and fro, and the patients' numbers."""

    offers: Sequence[str]
    movable: Sequence[str]
    statuses: Sequence[str]
    patient_numbers: Sequence[str]


@dataclass
class Crowd:
    """Readers and writers of one clinic, and all that was answered to them."""

    host: str
    port: int
    email: str
    work: Work
    answers: list[Answer] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)  # last names of patients the portal says it has
    assigned: list[tuple[str, str]] = field(default_factory=list)  # (offer, patient's number)
    _over: threading.Event = field(default_factory=threading.Event)
    _people: list[threading.Thread] = field(default_factory=list)

    def start(self, readers: int, writers: int) -> None:
        """Send people to work."""
        roles: list[tuple[Callable[[Person, random.Random, int], None], int]] = [(read, readers), (write, writers)]
        for role, count in roles:
            for number in range(count):
                person = Person(self)
                person.log_in()
                thread = threading.Thread(target=self._at_work, args=(role, person, number), daemon=True)
                self._people.append(thread)
        for thread in self._people:
            thread.start()

    def stop(self) -> None:
        """Send everybody home."""
        self._over.set()
        for thread in self._people:
            thread.join(TIMEOUT)

    def _at_work(self, role: Callable[[Person, random.Random, int], None], person: Person, number: int) -> None:
        dice = random.Random(f"{role.__name__} {number}")  # noqa: S311 - the same choices in every run
        for turn in itertools.count(number * 100_000):
            if self._over.is_set():
                return
            try:
                role(person, dice, turn)
            except (OSError, http.client.HTTPException, LookupError):
                person.hang_up()  # noted where it happened; on with a new connection
            time.sleep(dice.uniform(*THINKING))


class Person:
    """Somebody with a browser: one connection, cookies, and the token of the last form."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._cookies: dict[str, str] = {}
        self._connection: http.client.HTTPConnection | None = None
        self._page = ""

    def log_in(self) -> None:
        """Sign in; raises RuntimeError where that fails."""
        self.get("log in", "/login")
        self.post("log in", "/login", {"email": self.crowd.email, "password": PASSWORD})
        if self.crowd.answers and self.crowd.answers[-1].failure:
            raise RuntimeError(f"Nobody can sign in: {self.crowd.answers[-1].failure}")

    def get(self, kind: str, path: str) -> None:
        """Open a page."""
        self._request(kind, "GET", path, None, (200,))

    def post(self, kind: str, path: str, values: Mapping[str, str]) -> bool:
        """Send the last page's form with ``values``, and open the page it leads to; tell whether it was taken."""
        hidden = {name: self._hidden(name) for name in ("csrf_token", "form_key") if f'name="{name}"' in self._page}
        target = self._request(kind, "POST", path, urlencode({**hidden, **values}), MOVED)
        if target is None:
            return False
        self.get("after a form", target)
        return True

    def hang_up(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self._page)
        if found is None:
            raise LookupError(name)
        return found.group(1)

    def _request(self, kind: str, method: str, path: str, body: str | None, wanted: Sequence[int]) -> str | None:
        """Send one request and note its answer; return where it leads, None where it failed."""
        began, started = time.time(), time.perf_counter()
        try:
            answer, text = self._send(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self._note(kind, began, started, type(error).__name__)
            raise
        if answer.status in wanted:
            self._note(kind, began, started, None)
            self._page = text if method == "GET" else self._page
            return answer.headers.get("Location", "")
        title = re.search(r"<title>\s*(.*?)\s*</title>", text, re.DOTALL)
        self._note(kind, began, started, f"{answer.status} {title.group(1) if title else ''}")
        return None

    def _send(self, method: str, path: str, body: str | None) -> tuple[http.client.HTTPResponse, str]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.crowd.port, timeout=TIMEOUT)
        headers = {
            "Host": f"{self.crowd.host}:{self.crowd.port}",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value
        return answer, text

    def _note(self, kind: str, began: float, started: float, failure: str | None) -> None:
        self.crowd.answers.append(Answer(kind, began, time.perf_counter() - started, failure))


def read(person: Person, dice: random.Random, turn: int) -> None:
    """Look at a list or an offer."""
    kind = ("patients", "offers", "an offer")[turn % 3]
    path = {"patients": "/patients/", "offers": "/offers/"}.get(
        kind
    ) or f"/offers/{dice.choice(person.crowd.work.offers)}"
    person.get(kind, path)


def write(person: Person, dice: random.Random, turn: int) -> None:
    """Register a patient, assign an offer to one more patient, or move an offer."""
    (register, assign, move)[turn % 3](person, dice, turn)


def register(person: Person, _dice: random.Random, turn: int) -> None:
    """Register a patient whose name nobody else has."""
    name = f"Yükoğlu{turn}"
    person.get("form of a patient", "/patients/new")
    values = {"first_name": "Deniz", "last_name": name, "confirmed": "y", "is_active": "y"}
    if person.post("register a patient", "/patients/new", values):
        person.crowd.registered.append(name)


def assign(person: Person, dice: random.Random, turn: int) -> None:
    """Assign an offer to a patient who has it not yet: the numbers at the end are nobody's yet."""
    work = person.crowd.work
    offer, number = dice.choice(work.offers), work.patient_numbers[-1 - turn % 100_000 - 1000 * (turn // 100_000)]
    person.get("an offer", f"/offers/{offer}")
    if person.post("assign an offer", f"/offers/{offer}/patients", {"patient_no": number}):
        person.crowd.assigned.append((offer, number))


def move(person: Person, _dice: random.Random, turn: int) -> None:
    """Move an offer of one's own between two statuses."""
    work, writer = person.crowd.work, turn // 100_000
    offer = work.movable[(writer * 10 + turn // 3 % 10) % len(work.movable)]
    person.get("an offer", f"/offers/{offer}")
    status = work.statuses[turn // 30 % 2]
    person.post("move an offer", f"/offers/{offer}/status", {"status_id": status})


def serve(port: int, environ: Mapping[str, str], host: str) -> subprocess.Popen[bytes]:
    """Start the portal as `flask demo` serves it and wait until it answers; raises RuntimeError where it does not."""
    granian = Path(sys.executable).parent / "granian"
    options = ["--interface", "wsgi", "--port", str(port), "--workers", "2", "--blocking-threads", "4", "--no-ws"]
    process = subprocess.Popen(
        [granian, *options, "wsgi:app"], env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _try in range(150):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/login", headers={"Host": f"{host}:{port}"})
            if connection.getresponse().status == http.client.OK:
                return process
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    process.terminate()
    raise RuntimeError("The portal did not start.")
