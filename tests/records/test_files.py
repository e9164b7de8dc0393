"""Files of patients: what they are is read from their content, and a row stands only where the bytes do."""

from __future__ import annotations

import errno
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import fsspec
import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from config import FileSettings
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.errors import RuleError
from portal.core.jobs import SYSTEM
from portal.core.scope import ScopeError
from portal.core.storage import StorageError, discard_file, list_stored, new_storage_key, read_file, store_file
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.records import file_services
from portal.records.file_presenting import file_response
from portal.records.filetypes import DICOM, PDF, STL, check_file
from portal.records.models import FileKind, PatientFile
from tests.records import pictures
from tests.support.people import Person

SignIn = Callable[..., Person]
PHOTO = pictures.picture()


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, portal: Flask, tmp_path: Any) -> Iterator[str]:
    """A file store of the test's own; both kinds must do the same."""
    url = f"memory://{uuid4().hex}" if request.param == "memory" else f"file://{tmp_path}/files"
    before = portal.extensions["portal_settings"]
    portal.extensions["portal_settings"] = replace(before, files=FileSettings(url=url))
    yield url
    portal.extensions["portal_settings"] = before


@pytest.fixture
def memory(portal: Flask) -> Iterator[None]:
    """A file store in memory."""
    before = portal.extensions["portal_settings"]
    portal.extensions["portal_settings"] = replace(before, files=FileSettings(url=f"memory://{uuid4().hex}"))
    yield
    portal.extensions["portal_settings"] = before


def rows(portal: Flask, clinic: ClinicInfo) -> list[PatientFile]:
    with clinic_work(portal, clinic.id) as session:
        found = list(session.scalars(sa.select(PatientFile).order_by(PatientFile.id)))
        session.expunge_all()
        return found


def objects(portal: Flask, clinic: ClinicInfo) -> list[str]:
    with clinic_work(portal, clinic.id):
        return [stored.key for stored in list_stored()]


def send(person: Person, patient_id: UUID, *files: tuple[str, bytes], **fields: str) -> Any:
    data = {
        "kind": "photo",
        "form_key": str(uuid4()),
        **fields,
        "files": [(io.BytesIO(body), name) for name, body in files],
    }
    return person.post(f"/patients/{patient_id}/files", data, content_type="multipart/form-data")


def test_what_is_stored_comes_back_and_belongs_to_its_clinic(
    store: str, portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    body = bytes(range(256)) * 4000
    with clinic_work(portal, papatya.id):
        key = new_storage_key()
        store_file(key, io.BytesIO(body))
        assert b"".join(read_file(key)) == body
        assert [stored.key for stored in list_stored()] == [key]
        assert list_stored()[0].stored_at is not None
        with pytest.raises(StorageError):
            read_file(new_storage_key())
    with clinic_work(portal, lale.id):
        assert list_stored() == []
        for action in (read_file, discard_file):
            with pytest.raises(ScopeError):
                action(key)
    with clinic_work(portal, papatya.id):
        discard_file(key)
        discard_file(key)
        assert list_stored() == []


def test_files_sent_together_are_kept_shown_and_served_safely(
    store: str, portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor = sign_in("doctor")
    answer = send(
        doctor, patient_id, ("önce.jpg", PHOTO), ("../../x/sonra.png", pictures.picture("PNG")), note="Ön dişler"
    )
    assert answer.status_code == 302
    first, second = rows(portal, papatya)
    assert (first.filename, second.filename) == ("önce.jpg", "sonra.png")
    assert first.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert "önce" not in first.storage_key and str(patient_id) not in first.storage_key
    assert len(objects(portal, papatya)) == 4
    page = doctor.get(f"/patients/{patient_id}/files").text
    assert "önce.jpg" in page and "Ön dişler" in page
    url = f"/patients/{patient_id}/files/{first.id}"
    served = doctor.get(url)
    assert served.data == PHOTO
    assert served.headers["Content-Type"] == "image/jpeg"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert served.headers["Content-Disposition"].startswith("inline; filename=")
    assert doctor.get(f"{url}?save").headers["Content-Disposition"].startswith("attachment; ")
    thumbnail = doctor.get(f"{url}/thumbnail")
    assert Image.open(io.BytesIO(thumbnail.data)).size == (360, 270)


@pytest.mark.usefixtures("memory")
def test_documents_are_downloads(portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn) -> None:
    doctor = sign_in("doctor")
    send(doctor, patient_id, ("onam.pdf", pictures.pdf()), kind="consent")
    served = doctor.get(f"/patients/{patient_id}/files/{rows(portal, papatya)[0].id}")
    assert served.headers["Content-Type"] == "application/pdf"
    assert served.headers["Content-Disposition"].startswith('attachment; filename="onam.pdf"')


@pytest.mark.usefixtures("memory")
def test_a_name_cannot_break_out_of_its_header(portal: Flask, papatya: ClinicInfo) -> None:
    name = file_services.safe_name('C:\\Röntgen\\"; x=\r\nSet-Cookie: ş' + "ü" * 300 + ".pdf")
    assert len(name) == 200 and name.startswith('"; x= Set-Cookie: ş') and name.endswith(".pdf")
    with clinic_work(portal, papatya.id):
        key = new_storage_key()
        store_file(key, io.BytesIO(b"%PDF"))
        served = file_response(PatientFile(filename=name, mime=PDF.mime, storage_key=key, size=4), save=False)
    disposition = served.headers["Content-Disposition"]
    assert disposition.count('"') == 2 and "\n" not in disposition and disposition.isascii()


@pytest.mark.usefixtures("memory")
def test_the_same_form_sent_twice_keeps_a_file_once(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor, key = sign_in("doctor"), str(uuid4())
    for _time in range(2):
        assert send(doctor, patient_id, ("a.jpg", PHOTO), form_key=key).status_code == 302
    assert len(rows(portal, papatya)) == 1
    assert len(objects(portal, papatya)) == 2


@pytest.mark.usefixtures("memory")
def test_the_same_form_at_the_same_moment_keeps_a_file_once(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor, key, find = sign_in("doctor"), str(uuid4()), file_services.find_by_form_key
    send(doctor, patient_id, ("a.jpg", PHOTO), form_key=key)
    unseen = iter([None])  # as long as the other one has not committed
    monkeypatch.setattr(file_services, "find_by_form_key", lambda form_key: next(unseen, find(form_key)))
    assert send(doctor, patient_id, ("a.jpg", PHOTO), form_key=key).status_code == 302
    assert len(rows(portal, papatya)) == 1


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (FileKind.XRAY, pictures.dicom(), DICOM), (FileKind.XRAY, pictures.dicom(b"II*\0".ljust(128, b"\x01")), DICOM),
        (FileKind.SCAN, pictures.stl(), STL), (FileKind.SCAN, pictures.stl(header=b"solid of some scanner"), STL),
        (FileKind.SCAN, b"solid a\nfacet normal 0 0 0\nendfacet\nendsolid a\n", STL),
        (FileKind.CONSENT, pictures.pdf(), PDF),
    ],
)  # fmt: skip
def test_what_dentists_have_is_recognised(portal: Flask, kind: FileKind, body: bytes, expected: Any) -> None:
    with portal.test_request_context():
        assert check_file(io.BytesIO(body), kind).type is expected


def test_an_x_ray_of_16_bits_of_grey_has_a_thumbnail_that_shows_something(portal: Flask) -> None:
    written = io.BytesIO()
    Image.new("I;16", (800, 400), 30_000).save(written, "PNG")
    with portal.test_request_context():
        checked = check_file(written, FileKind.XRAY)
    assert checked.thumbnail is not None
    assert 100 < Image.open(io.BytesIO(checked.thumbnail)).convert("L").getpixel((5, 5)) < 135  # type: ignore[operator]


def test_a_thumbnail_holds_no_place_and_the_original_stays_as_it_was(portal: Flask) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Kamera"
    body = pictures.picture(exif=exif.tobytes())
    with portal.test_request_context():
        checked = check_file(io.BytesIO(body), FileKind.PHOTO)
    assert checked.thumbnail is not None
    assert b"Kamera" in body and b"Kamera" not in checked.thumbnail


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (pictures.zip_bomb(), FileKind.OTHER), (b"MZ" + bytes(5000), FileKind.PHOTO), (b"", FileKind.PHOTO),
        (b"<html><script>alert(1)</script>", FileKind.OTHER), (b'<svg xmlns="..." onload="x()"/>', FileKind.PHOTO),
        (PHOTO + pictures.archive(), FileKind.PHOTO), (b"%PDF-1.7\n<script>" + pictures.pdf(), FileKind.CONSENT),
        (PHOTO[:20] + b"%PDF-1.4" + PHOTO[20:], FileKind.PHOTO),
        (pictures.dicom(b"MZ".ljust(128, b"\0")), FileKind.XRAY),
        (pictures.stl(header=b"MZ"), FileKind.SCAN), (pictures.stl() + b"more", FileKind.SCAN),
        (PHOTO[:300], FileKind.PHOTO), (pictures.bombs(), FileKind.PHOTO), (pictures.pdf(), FileKind.PHOTO),
        (PHOTO, FileKind.SCAN), (b"\0\0\0\x18ftypheic" + bytes(200), FileKind.PHOTO),
        (b"no file at all", FileKind.OTHER),
    ],
)  # fmt: skip
def test_bombs_polyglots_programs_and_damage_are_refused(portal: Flask, body: bytes, kind: FileKind) -> None:
    with portal.test_request_context(), pytest.raises(RuleError):
        check_file(io.BytesIO(body), kind)


@pytest.mark.usefixtures("memory")
def test_a_renamed_program_is_told_and_its_neighbour_is_kept(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor = sign_in("doctor")
    send(doctor, patient_id, ("virus.jpg", b"MZ" + bytes(3000)), ("iyi.jpg", PHOTO))
    page = doctor.get(f"/patients/{patient_id}/files").text
    assert "virus.jpg: " in page and "Windows" in page
    assert [row.filename for row in rows(portal, papatya)] == ["iyi.jpg"]
    refused = send(doctor, patient_id, ("virus.jpg", b"MZ" + bytes(3000)), note="Yazılmış not")
    assert refused.status_code == 422 and "Yazılmış not" in refused.text


class Endless(io.RawIOBase):
    """A body of 500 MB that notes how much of it was read."""

    SIZE = 500 * 1024 * 1024

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return 0

    def seek(self, _offset: int, whence: int = 0) -> int:
        return self.SIZE if whence == io.SEEK_END else 0

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.SIZE - self.taken)
        buffer[:size] = bytes(size)
        self.taken += size
        return size


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("chunked", [False, True])
def test_half_a_gigabyte_is_refused_unread_or_as_soon_as_it_is_too_much(
    chunked: bool, portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor, body = sign_in("doctor"), Endless()
    length: dict[str, Any] = {"wsgi.input_terminated": True} if chunked else {"CONTENT_LENGTH": str(Endless.SIZE)}
    answer = doctor.client.post(
        f"/patients/{patient_id}/files", base_url=f"http://{doctor.host}", input_stream=body,
        content_type="multipart/form-data; boundary=x", environ_overrides=length,
    )  # fmt: skip
    assert answer.status_code in (400, 413)
    assert body.taken <= (111 * 1024 * 1024 if chunked else 0) + io.DEFAULT_BUFFER_SIZE
    assert rows(portal, papatya) == []


@pytest.mark.usefixtures("memory")
def test_a_full_store_is_told_and_leaves_no_row(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    doctor = sign_in("doctor")
    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "open", full)
    answer = send(doctor, patient_id, ("a.jpg", PHOTO))
    monkeypatch.undo()
    assert answer.status_code == 422
    assert "a.jpg: " in answer.text
    assert rows(portal, papatya) == []
    assert objects(portal, papatya) == []


@pytest.mark.usefixtures("memory")
def test_a_file_is_deleted_brought_back_and_gone_after_a_month(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor = sign_in("doctor")
    send(doctor, patient_id, ("a.jpg", PHOTO))
    url = f"/patients/{patient_id}/files/{rows(portal, papatya)[0].id}"
    doctor.post(f"{url}/delete")
    assert doctor.get(url).status_code == doctor.get(f"{url}/thumbnail").status_code == 404
    doctor.post(f"{url}/restore")
    assert doctor.get(url).status_code == 200
    doctor.post(f"{url}/delete")
    purged = []
    for days, hold in ((29, False), (31, True), (31, False)):
        with clinic_work(portal, papatya.id) as session:
            moment = {"deleted_at": now() - timedelta(days=days)}
            session.execute(sa.update(PatientFile).values(moment), execution_options={"synchronize_session": False})
            until = now().date() + timedelta(days=9) if hold else None
            session.execute(sa.update(Patient).where(Patient.id == patient_id).values(hold_until=until))
            purged.append(file_services.purge_files(SYSTEM))
            file_services.audit.record(SYSTEM, "test", PatientFile)
    assert purged == [0, 0, 1]
    assert rows(portal, papatya) == []


@pytest.mark.usefixtures("memory")
def test_objects_without_a_row_are_removed_once_they_are_old(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(sign_in("doctor"), patient_id, ("a.jpg", PHOTO))
    with clinic_work(portal, papatya.id):
        store_file(new_storage_key(), io.BytesIO(b"left behind"))
        assert file_services.remove_orphans() == 0
    monkeypatch.setattr(file_services, "ORPHAN_AGE", timedelta(seconds=-60))
    with clinic_work(portal, papatya.id):
        assert file_services.remove_orphans() == 1
    assert sorted(objects(portal, papatya)) == sorted(
        key for row in rows(portal, papatya) for key in (row.storage_key, row.thumbnail_key) if key
    )


@pytest.mark.usefixtures("memory")
def test_who_may_not_see_files_gets_none(portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn) -> None:
    doctor, viewer = sign_in("doctor"), sign_in("readonly")
    send(doctor, patient_id, ("gizli.jpg", PHOTO))
    url = f"/patients/{patient_id}/files"
    assert viewer.get(url).status_code == viewer.get(f"{url}/{rows(portal, papatya)[0].id}").status_code == 403
    assert "gizli.jpg" not in viewer.get(f"/patients/{patient_id}").text
    assert "gizli.jpg" in doctor.get(f"/patients/{patient_id}").text
    assert send(viewer, patient_id, ("a.jpg", PHOTO)).status_code == 403


@pytest.mark.usefixtures("memory")
def test_a_file_answers_under_its_own_patient_only(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor = sign_in("doctor")
    send(doctor, patient_id, ("a.jpg", PHOTO))
    with clinic_work(portal, papatya.id) as session:
        other = session.scalars(sa.select(Patient.id).where(Patient.id != patient_id)).first()
    assert doctor.get(f"/patients/{other}/files/{rows(portal, papatya)[0].id}").status_code == 404
