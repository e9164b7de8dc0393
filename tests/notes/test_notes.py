"""Notes: read by those they are for, told to who is mentioned, and nothing written is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import UserPermission
from portal.auth.queries import find_account
from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.notifications import list_notifications
from portal.core.work import clinic_work
from portal.notes.models import Note, NoteRevision
from portal.notes.queries import Colleague
from portal.notes.services import mentioned
from portal.offers.models import Offer
from portal.patients.merging import merge_patients
from portal.patients.queries import get_patient
from tests.support.data import add_offer, add_patient
from tests.support.people import Person

SignIn = Callable[..., Person]
BODY = "Ameliyattan korkuyor, sabırlı olun"


@pytest.fixture
def patient_id(portal: Flask, papatya: ClinicInfo) -> UUID:
    """A patient of papatya."""
    with clinic_work(portal, papatya.id):
        return add_patient(first_name="Nota", last_name="Bene").id


def fields(**values: Any) -> dict[str, Any]:
    """Return what the form of a note sends."""
    given = {"form_key": str(uuid4()), "body": BODY, "visibility": "clinic", **values}
    return {f"note-{name}": value for name, value in given.items()}


def write(person: Person, patient_id: UUID, **values: Any) -> Any:
    return person.post(f"/notes/new?patient={patient_id}", fields(**values))


def stored(portal: Flask, clinic: ClinicInfo) -> list[Note]:
    with clinic_work(portal, clinic.id) as session:
        notes = list(session.scalars(sa.select(Note).order_by(Note.id)))
        session.expunge_all()
        return notes


def id_of(portal: Flask, clinic: ClinicInfo, role: str) -> UUID:
    with clinic_work(portal, clinic.id):
        return find_account(f"{role}@papatya.example.com").id  # type: ignore[union-attr]


def told(portal: Flask, clinic: ClinicInfo, role: str) -> int:
    user_id = id_of(portal, clinic, role)
    with clinic_work(portal, clinic.id):
        return len(list_notifications(user_id, None).items)


@pytest.mark.parametrize(
    ("visibility", "readers"),
    [
        ("clinic", {"owner", "admin", "coordinator", "doctor", "assistant", "readonly"}),
        ("doctors", {"coordinator", "owner", "doctor"}), ("private", {"coordinator"}),
    ],
)  # fmt: skip
def test_a_note_is_read_by_those_it_is_for_and_by_nobody_else(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn, *, visibility: str, readers: set[str]
) -> None:
    assert write(sign_in("coordinator"), patient_id, visibility=visibility).status_code == 302
    note_id = stored(portal, papatya)[0].id
    for role in ("owner", "admin", "coordinator", "doctor", "assistant", "readonly"):
        reader = sign_in(role)
        assert (BODY in reader.get(f"/patients/{patient_id}").text) is (role in readers), role
        assert reader.get(f"/notes/{note_id}").status_code == (200 if role in readers else 404), role
        if role not in ("coordinator", "readonly"):
            assert reader.post(f"/notes/{note_id}/edit", fields(body="?", version="1")).status_code == 404, role
            assert reader.post(f"/notes/{note_id}/delete").status_code == 404, role


def test_a_note_about_an_offer_stands_on_its_page(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, get_patient(patient_id)).id
    coordinator = sign_in("coordinator")
    answer = coordinator.post(f"/notes/new?offer={offer_id}", fields())
    assert answer.location == f"/offers/{offer_id}#notes"
    assert BODY in coordinator.get(f"/offers/{offer_id}").text


def test_a_note_needs_a_patient_or_an_offer_of_this_clinic(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo, sign_in: SignIn
) -> None:
    coordinator = sign_in("coordinator")
    with clinic_work(portal, lale.id):
        strange = add_patient(first_name="Başka", last_name="Klinik").id
    for query in (f"?patient={strange}", f"?offer={strange}"):
        assert coordinator.post(f"/notes/new{query}", fields()).status_code == 404, query
    for query in ("", "?patient=x", f"?patient={strange}&offer={strange}"):
        assert coordinator.post(f"/notes/new{query}", fields()).location == "/patients/", query
    assert stored(portal, papatya) == []


def test_the_same_form_sent_twice_writes_one_note(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    coordinator, key = sign_in("coordinator"), str(uuid4())
    for _time in range(2):
        assert write(coordinator, patient_id, form_key=key).status_code == 302
    assert len(stored(portal, papatya)) == 1


def test_who_is_mentioned_is_told_once_and_led_there(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    coordinator, doctor = sign_in("coordinator"), sign_in("doctor")
    owner_id = str(id_of(portal, papatya, "owner"))
    write(coordinator, patient_id, body="@Papatya doctor bakabilir misiniz?", mentions=owner_id)
    assert told(portal, papatya, "doctor") == told(portal, papatya, "owner") == 1
    note = stored(portal, papatya)[0]
    assert len(note.mentions) == 2
    changed = fields(body="@papatya DOCTOR, acele", version="1", mentions=owner_id)
    assert coordinator.post(f"/notes/{note.id}/edit", changed).status_code == 302
    assert told(portal, papatya, "doctor") == 1
    page = doctor.get("/notifications").text
    assert "Papatya coordinator" in page and "Nota Bene" in page
    with clinic_work(portal, papatya.id):
        row = list_notifications(id_of(portal, papatya, "doctor"), None).items[0]
    assert doctor.post(f"/notifications/{row.id}/open").location == f"/patients/{patient_id}#notes"


def test_a_mention_in_a_note_that_became_private_tells_nothing_any_more(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    coordinator, doctor = sign_in("coordinator"), sign_in("doctor")
    write(coordinator, patient_id, mentions=str(id_of(portal, papatya, "doctor")))
    note_id = stored(portal, papatya)[0].id
    coordinator.post(f"/notes/{note_id}/edit", fields(visibility="private", version="1"))
    assert "Nota Bene" not in doctor.get("/notifications").text


@pytest.mark.parametrize(("visibility", "role"), [("private", "doctor"), ("doctors", "assistant")])
def test_nobody_is_called_to_a_note_that_is_not_for_her(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn, *, visibility: str, role: str
) -> None:
    coordinator = sign_in("coordinator")
    for values in ({"mentions": str(id_of(portal, papatya, role))}, {"body": f"{BODY} @Papatya {role}"}):
        answer = write(coordinator, patient_id, visibility=visibility, **values)
        assert answer.status_code == 422
        assert BODY in answer.text and f"Papatya {role}" in answer.text
    assert stored(portal, papatya) == []
    assert told(portal, papatya, role) == 0


def test_a_name_is_found_in_turkish_spelling_and_never_guessed() -> None:
    people = [Colleague(uuid4(), name, "doctor") for name in ("Işıl Çağlar", "Ayşe Yılmaz", "Ayşe Kaya", "Ali Can")]
    assert [person.name for person in mentioned("@IŞIL bakar mısın, @ali can da", people)] == ["Işıl Çağlar", "Ali Can"]
    assert mentioned("@Ayşe bakar mısın", people) == []
    assert [person.name for person in mentioned("@ayse kaya!", people)] == ["Ayşe Kaya"]
    assert mentioned("info@ali.example, @alican, Ali Can", people) == []


def test_an_edit_keeps_what_it_said_and_who_saves_second_is_told(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    coordinator = sign_in("coordinator")
    write(coordinator, patient_id)
    url = f"/notes/{stored(portal, papatya)[0].id}"
    assert coordinator.post(f"{url}/edit", fields(body="Artık korkmuyor", version="1")).status_code == 302
    refused = coordinator.post(f"{url}/edit", fields(body="Yine korkuyor", version="1"))
    assert refused.status_code == 409
    assert "Artık korkmuyor" in refused.text and "Yine korkuyor" in refused.text
    shown = coordinator.get(url).text
    assert "Artık korkmuyor" in shown and BODY in shown
    with clinic_work(portal, papatya.id) as session:
        assert session.scalars(sa.select(NoteRevision.body)).all() == [BODY]
        changes = session.scalars(sa.select(ActivityLog.changes).where(ActivityLog.object_type == "notes")).all()
    assert not any(text in str(changes) for text in ("korkuyor", "korkmuyor"))


def test_what_a_note_said_while_it_was_private_stays_its_authors(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    author, colleague = sign_in("coordinator"), sign_in("doctor")
    write(author, patient_id, visibility="private", body="gizli düşünce")
    url = f"/notes/{stored(portal, papatya)[0].id}"
    for version, said in enumerate(("herkese açık", "daha da açık"), start=1):
        assert author.post(f"{url}/edit", fields(body=said, version=str(version))).status_code == 302
    shown = colleague.get(url).text
    assert "daha da açık" in shown and "gizli düşünce" not in shown
    assert "gizli düşünce" in author.get(url).text


def test_a_note_sent_to_a_duplicate_stands_with_the_patient_who_was_kept(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    with clinic_work(portal, papatya.id):
        twin = add_patient(first_name="Nota", last_name="Bene").id
        merge_patients(SYSTEM, kept_id=patient_id, merged_id=twin, versions=(1, 1), taken=frozenset())
    assert write(sign_in("coordinator"), twin).location == f"/patients/{patient_id}#notes"
    assert stored(portal, papatya)[0].patient_id == patient_id


def test_a_note_is_deleted_and_brought_back_by_its_author(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    coordinator = sign_in("coordinator")
    write(coordinator, patient_id)
    url = f"/notes/{stored(portal, papatya)[0].id}"
    coordinator.post(f"{url}/delete")
    assert coordinator.get(url).status_code == 404
    assert BODY not in coordinator.get(f"/patients/{patient_id}").text
    assert sign_in("owner").post(f"{url}/restore").status_code == 404
    coordinator.post(f"{url}/restore")
    assert BODY in coordinator.get(f"/patients/{patient_id}").text


def test_a_pinned_note_stands_on_top(portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn) -> None:
    coordinator = sign_in("coordinator")
    write(coordinator, patient_id, body="Önce bunu okuyun", is_pinned="y")
    write(coordinator, patient_id, body="Sonra bunu")
    notes = coordinator.get(f"/patients/{patient_id}").text.partition('class="notes"')[2].partition("</ul>")[0]
    assert 0 < notes.index("Önce bunu okuyun") < notes.index("Sonra bunu")


def test_an_empty_note_is_refused_and_markup_is_shown_as_text(patient_id: UUID, sign_in: SignIn) -> None:
    coordinator = sign_in("coordinator")
    assert write(coordinator, patient_id, body="  \n ").status_code == 422
    assert write(coordinator, patient_id, body="a" * 4001).status_code == 422
    write(coordinator, patient_id, body="<script>alert(1)</script>")
    assert "&lt;script&gt;" in coordinator.get(f"/patients/{patient_id}").text


def test_a_viewer_reads_and_does_not_write(patient_id: UUID, sign_in: SignIn) -> None:
    viewer = sign_in("readonly")
    assert write(viewer, patient_id).status_code == 403
    assert "/notes/new" not in viewer.get(f"/patients/{patient_id}").text


def test_a_note_about_an_offer_is_shown_only_to_whoever_may_see_offers(
    portal: Flask, papatya: ClinicInfo, sign_in: SignIn
) -> None:
    with clinic_work(portal, papatya.id) as session:
        offer_id = session.scalars(sa.select(Offer.id).order_by(Offer.id)).first()
        reader = id_of(portal, papatya, "readonly")
    assert sign_in("coordinator").post(f"/notes/new?offer={offer_id}", fields()).status_code == 302
    path = f"/notes/{stored(portal, papatya)[0].id}"
    assert sign_in("readonly").get(path).status_code == 200
    with clinic_work(portal, papatya.id) as session:
        taken = UserPermission(user_id=reader, permission="offers.read", is_granted=False)
        session.add(taken)
        audit.record(SYSTEM, "test", taken)
    assert sign_in("readonly").get(path).status_code == 404
