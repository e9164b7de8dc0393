"""Several people at a link at the same moment: with real connections and commits, in databases of their own."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import audit
from portal.core.clinics import Clinic, ClinicInfo, ClinicStatus
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work, platform_work
from portal.offers import services as offers
from portal.offers.content import content_sha256
from portal.offers.models import PatientOffer, Verify
from portal.offers.queries import get_offer
from portal.sharing.deciding import DecisionError, Signature, accept_offer
from portal.sharing.opening import answer_factor
from portal.sharing.queries import get_patient_of
from portal.sharing.services import create_link
from tests.support.data import add_offer, add_patient
from tests.support.people import Person

pytestmark = pytest.mark.faults


def test_of_two_people_accepting_at_once_one_wins(own: Flask, papatya: ClinicInfo) -> None:
    recipients, sha256, lines = _shared_offer(own, papatya)
    start, outcomes = threading.Barrier(2), []

    def accept(recipient_id: UUID) -> None:
        with clinic_work(own, papatya.id) as session:
            recipient = session.scalars(sa.select(PatientOffer).where(PatientOffer.id == recipient_id)).one()
            start.wait()
            try:
                accept_offer(
                    SYSTEM, recipient, option_id=None, line_ids=lines, read_sha256=sha256,
                    signature=Signature("x", None, "tr", None, None),
                )  # fmt: skip
                outcomes.append("accepted")
            except DecisionError as error:
                outcomes.append(str(error.reason))

    threads = [threading.Thread(target=accept, args=(key,)) for key in recipients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted", "decided"]


def test_guesses_at_once_are_counted_one_by_one(own: Flask, papatya: ClinicInfo) -> None:
    (recipient_id, *_others), _sha256, _lines = _shared_offer(own, papatya)
    start, outcomes = threading.Barrier(8), []

    def guess(typed: str) -> None:
        with clinic_work(own, papatya.id) as session:
            recipient = session.scalars(sa.select(PatientOffer).where(PatientOffer.id == recipient_id)).one()
            start.wait()
            outcomes.append(answer_factor(SYSTEM, recipient, typed=typed))

    threads = [threading.Thread(target=guess, args=(f"{number:04}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["locked"] * 4 + ["wrong"] * 4, "the fifth locks, and the three behind it find it locked"
    with clinic_work(own, papatya.id) as session:
        row = session.scalars(sa.select(PatientOffer).where(PatientOffer.id == recipient_id)).one()
        assert (row.failed_count, row.locked_at is not None) == (5, True)


def test_a_clinic_suspended_while_a_patient_reads_takes_no_decision_and_works_again_afterwards(
    own: Flask, papatya: ClinicInfo
) -> None:
    (recipient_id, *_others), sha256, lines = _shared_offer(own, papatya)
    with clinic_work(own, papatya.id) as session:
        row = session.scalars(sa.select(PatientOffer).where(PatientOffer.id == recipient_id)).one()
        patient = get_patient_of(row)
        link = create_link(
            SYSTEM, get_offer(row.offer_id), row, patient=patient, method=Verify.PHONE, days=7, locale="en"
        )
    path, reader = f"/o/{link.token}", Person(own, "papatya")
    fields = {"name": "Bir", "agreed": "yes", "read_sha256": sha256, "line": lines}
    assert reader.post(path, {"answer": "4567"}, token=False).location == path
    _set_status(own, papatya, ClinicStatus.SUSPENDED)
    refused = reader.post(f"{path}/accept", fields, token=False)
    assert refused.status_code == 403 and "şu anda kapalı" in refused.text
    assert "Bir" not in reader.get(path).text
    _set_status(own, papatya, ClinicStatus.ACTIVE)
    assert reader.post(f"{path}/accept", fields, token=False).location == f"{path}#decision"


def _set_status(own: Flask, papatya: ClinicInfo, status: ClinicStatus) -> None:
    with platform_work(own, "tests") as session:
        session.execute(sa.update(Clinic).where(Clinic.id == papatya.id).values(status=status))
        audit.record(SYSTEM, "tests.changed", Clinic, subject_id=papatya.id)
    own.extensions["clinic_directory"].forget()


def _shared_offer(own: Flask, papatya: ClinicInfo) -> tuple[list[UUID], str, list[UUID]]:
    with clinic_work(own, papatya.id) as session:
        first, second = add_patient(first_name="Bir", phone_e164="+905321234567"), add_patient(first_name="İki")
        offer = add_offer(papatya, first)
        session.add(PatientOffer(patient_id=second.id, offer_id=offer.id))
        session.flush()
        offer = get_offer(offer.id)
        offers.send_offer(SYSTEM, offer)
        found = session.scalars(sa.select(PatientOffer.id).where(PatientOffer.offer_id == offer.id)).all()
        return list(found), content_sha256(offer), [line.id for line in offer.lines]
