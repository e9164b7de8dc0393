from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.errors import RuleError, StaleVersionError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import services
from portal.offers.difference import difference
from portal.offers.models import Offer, OfferKind, OfferOption, OfferVisit, Treatment, TreatmentTooth
from portal.offers.queries import (
    count_by_status,
    default_status,
    get_offer,
    list_options,
    list_recipients,
    list_revisions,
    list_visits,
)
from portal.offers.revising import revise_offer
from tests.support.data import add_offer, add_patient
from tests.support.pages import flashes, text_of
from tests.support.people import Person


@pytest.fixture
def clinic(portal: Flask, papatya: ClinicInfo) -> Iterator[ClinicInfo]:
    """Papatya, with its work open and its messages in English."""
    with clinic_work(portal, papatya.id), force_locale("en"):
        yield papatya


@pytest.fixture
def offer(clinic: ClinicInfo) -> Offer:
    """A draft of one line of three crowns."""
    return get_offer(add_offer(clinic, add_patient()).id)


def sent(offer: Offer) -> Offer:
    services.send_offer(SYSTEM, offer)
    return offer


def again(offer: Offer) -> Offer:
    """Read an offer as it stands in the database."""
    current_session().flush()
    current_session().expire_all()
    return get_offer(offer.id)


def test_sending_locks_an_offer_with_the_hash_of_what_it_says(offer: Offer) -> None:
    stored = again(sent(offer))
    assert (stored.status.kind, stored.sent_at is not None) == ("sent", True)
    assert stored.content_sha256 is not None and len(stored.content_sha256) == 64
    with pytest.raises(RuleError, match="A sent offer is locked"):
        services.check_draft(stored)


def test_an_offer_sent_once_more_after_a_negotiation_keeps_its_hash(offer: Offer) -> None:
    first = sent(offer).content_sha256
    for kind in (OfferKind.NEGOTIATING, OfferKind.SENT):
        services.move_offer(SYSTEM, offer, status=default_status(kind))
    assert offer.content_sha256 == first


def test_an_offer_without_a_last_day_cannot_be_sent(offer: Offer) -> None:
    offer.valid_until = None
    with pytest.raises(RuleError, match="needs a last day"):
        services.send_offer(SYSTEM, offer)
    assert offer.content_sha256 is None


def test_a_revision_is_a_draft_of_everything_under_the_next_number(offer: Offer) -> None:
    option = OfferOption(offer_id=offer.id, label="A", title="Zirkonyum", is_recommended=True)
    visit = OfferVisit(offer_id=offer.id, visit_no=1, days=3, note="Kontrol")
    current_session().add_all([option, visit])
    current_session().flush()
    offer.lines[0].option_id, offer.lines[0].brand = option.id, "Ivoclar"
    audit.record(SYSTEM, "offer.changed", offer, changes={})
    offer = again(offer)
    revision = again(revise_offer(SYSTEM, sent(offer)))
    assert (revision.offer_no, revision.revision_no) == (f"{offer.offer_no}-2", 2)
    assert (revision.root_offer_id, revision.status.kind, revision.sent_at) == (offer.id, "draft", None)
    assert (revision.content_sha256, revision.version, revision.grand_total) == (None, 1, Decimal(21600))
    new_option, new_visit = list_options(revision.id)[0], list_visits(revision.id)[0]
    assert (new_option.title, new_option.is_recommended, new_option.id != option.id) == ("Zirkonyum", True, True)
    assert (new_visit.days, new_visit.note) == (3, "Kontrol")
    line = revision.lines[0]
    assert (line.option_id, line.brand, [tooth.tooth for tooth in line.teeth]) == (
        new_option.id,
        "Ivoclar",
        [13, 12, 11],
    )
    assert [row.patient_id for row in list_recipients(revision.id)] == [offer.primary_patient_id]
    assert get_offer(offer.id).lines[0].option_id == option.id


def test_the_older_version_holds_until_the_revision_is_sent_and_not_a_moment_longer(offer: Offer) -> None:
    revision = revise_offer(SYSTEM, sent(offer))
    assert again(offer).superseded_at is None
    sent(again(revision))
    old = again(offer)
    assert (old.superseded_at, old.status.kind) == (get_offer(revision.id).sent_at, "sent")
    for kind in (OfferKind.ACCEPTED, OfferKind.CANCELLED):
        with pytest.raises(RuleError, match="newer version has replaced"):
            services.move_offer(SYSTEM, old, status=default_status(kind))
    with pytest.raises(RuleError, match="newer version has replaced"):
        revise_offer(SYSTEM, old)
    with pytest.raises(RuleError, match="newer version has replaced"):
        services.assign_offer(SYSTEM, old, patient=add_patient())


def test_a_replaced_version_neither_expires_nor_counts(offer: Offer) -> None:
    before = count_by_status().get(default_status(OfferKind.SENT).id, 0)
    sent(again(revise_offer(SYSTEM, sent(offer))))
    old = again(offer)
    assert count_by_status()[old.status_id] == before + 1
    old.valid_until = date.today() - timedelta(days=3)
    audit.record(SYSTEM, "offer.changed", old, changes={})
    current_session().flush()
    services.expire_offers(SYSTEM)
    assert again(offer).status.kind == "sent"


def test_numbers_of_revisions_follow_the_first_one_however_many_there_are(offer: Offer) -> None:
    current = sent(offer)
    for number in (2, 3, 4):
        current = sent(again(revise_offer(SYSTEM, current)))
        assert (current.offer_no, current.root_offer_id) == (f"{offer.offer_no}-{number}", offer.id)
    replaced = [row.superseded_at is not None for row in list_revisions(current)]
    assert replaced == [True, True, True, False]


def test_asking_for_a_revision_twice_gives_the_same_draft(offer: Offer) -> None:
    first = revise_offer(SYSTEM, sent(offer))
    assert revise_offer(SYSTEM, offer).id == first.id


@pytest.mark.parametrize(
    ("kind", "message"),
    [(OfferKind.DRAFT, "This is a draft"), (OfferKind.ACCEPTED, "is closed"), (OfferKind.CANCELLED, "is closed")],
)
def test_what_is_no_open_offer_is_not_revised(offer: Offer, kind: OfferKind, message: str) -> None:
    offer.status = default_status(kind)
    with pytest.raises(RuleError, match=message):
        revise_offer(SYSTEM, offer)


def test_a_revision_of_what_the_patient_has_accepted_meanwhile_is_not_sent(offer: Offer) -> None:
    revision = revise_offer(SYSTEM, sent(offer))
    services.move_offer(SYSTEM, offer, status=default_status(OfferKind.ACCEPTED))
    with pytest.raises(RuleError, match="accepted an earlier version"):
        services.send_offer(SYSTEM, again(revision))
    assert again(offer).superseded_at is None


def test_a_decision_on_the_old_version_made_at_the_same_moment_keeps_the_revision_from_going(offer: Offer) -> None:
    revision = again(revise_offer(SYSTEM, sent(offer)))
    list_revisions(revision)  # the sender has read the old version by now
    table = sa.table("offers", sa.column("id", sa.Uuid), sa.column("version"))
    current_session().execute(
        sa.update(table).where(table.c.id == offer.id).values(version=table.c.version + 1),
        execution_options={"scope_checked": True},
    )
    with pytest.raises(StaleVersionError):
        services.send_offer(SYSTEM, revision)
    current_session().rollback()


def _line(name: str, *teeth: int, price: int = 100) -> Treatment:
    total = Decimal(price * max(len(teeth), 1))
    rows = [TreatmentTooth(tooth=tooth, position=place) for place, tooth in enumerate(teeth)]
    return Treatment(
        name=name, quantity=Decimal(len(teeth) or 1), unit_price=Decimal(price), line_gross=total, teeth=rows,
        vat_rate=Decimal(10),
    )  # fmt: skip


def _version(*lines: Treatment) -> Offer:
    return Offer(currency="EUR", lines=list(lines), grand_total=sum((line.line_gross for line in lines), Decimal(0)))


def test_a_difference_tells_lines_teeth_and_money() -> None:
    before = _version(_line("Crown", 11, 12), _line("Implant", 36), _line("Whitening"))
    after = _version(_line("Crown", 11, 13), _line("Whitening"), _line("Implant", 46, price=120), _line("Veneer", 11))
    found = difference(before, after)
    changed = {row.after.name: row for row in found.changed if row.after}
    assert (changed["Crown"].teeth_added, changed["Crown"].teeth_removed, changed["Crown"].gain) == (
        (13,),
        (12,),
        Decimal(0),
    )
    assert set(changed["Implant"].fields) == {"unit_price", "line_gross"} and changed["Implant"].gain == 20
    assert [row.after.name for row in found.added if row.after] == ["Veneer"] and found.removed == []
    assert found.unchanged == 1 and found.gain == 120
    teeth = {row.tooth: (row.removed, row.added) for row in found.teeth}
    assert teeth == {
        11: ((), ("Veneer",)), 12: (("Crown",), ()), 13: ((), ("Crown",)), 36: (("Implant",), ()),
        46: ((), ("Implant",)),
    }  # fmt: skip


def test_two_lines_of_one_treatment_are_paired_by_the_teeth_they_share() -> None:
    before = _version(_line("Crown", 11), _line("Crown", 21))
    after = _version(_line("Crown", 21), _line("Crown", 11, price=150))
    found = difference(before, after)
    assert [
        (row.before.teeth[0].tooth, row.after.teeth[0].tooth) for row in found.changed if row.before and row.after
    ] == [(11, 11)]
    assert found.unchanged == 1 and not found.teeth


def test_versions_in_two_currencies_are_not_subtracted() -> None:
    after = _version(_line("Crown", 11))
    after.currency = "TRY"
    assert difference(_version(_line("Crown", 11)), after).gain is None


@pytest.fixture
def sent_id(portal: Flask, papatya: ClinicInfo) -> UUID:
    """A sent offer of papatya."""
    with clinic_work(portal, papatya.id):
        return sent(get_offer(add_offer(papatya, add_patient()).id)).id


def test_a_sent_offer_offers_a_revision_and_the_editor_sends_who_opens_it_there(
    coordinator: Person, sent_id: UUID
) -> None:
    assert coordinator.get(f"/offers/{sent_id}/edit").headers["Location"] == f"/offers/{sent_id}"
    page = coordinator.get(f"/offers/{sent_id}")
    assert flashes(page) == ["A sent offer is locked. Make a revision to change it."]
    assert f'action="/offers/{sent_id}/revise"' in page.text and "Make a revision" in page.text
    answer = coordinator.post(f"/offers/{sent_id}/revise")
    assert answer.headers["Location"].endswith("/edit")
    assert coordinator.get(answer.headers["Location"]).status_code == 200


def test_the_pages_show_the_versions_and_what_changed(
    portal: Flask, papatya: ClinicInfo, coordinator: Person, sent_id: UUID
) -> None:
    revision_id = coordinator.post(f"/offers/{sent_id}/revise").headers["Location"].split("/")[2]
    with clinic_work(portal, papatya.id):
        revision = get_offer(UUID(revision_id))
        revision.lines[0].teeth.pop()
        revision.lines[0].line_gross, revision.grand_total = Decimal(14400), Decimal(14400)
        audit.record(SYSTEM, "offer.changed", revision, changes={})
        services.send_offer(SYSTEM, revision)
    old, new = (coordinator.get(f"/offers/{row}").text for row in (sent_id, revision_id))
    assert "A newer version has replaced this one." in old and f"/offers/{revision_id}" in old
    assert 'name="status_id"' not in old and "/revise" not in old
    assert f"/offers/{revision_id}/changes" in new
    page = text_of(coordinator.get(f"/offers/{revision_id}/changes").text)
    assert "Teeth taken out 11" in page
    assert "7,200.00" in page and "21,600.00" in page and "14,400.00" in page


@pytest.mark.parametrize(("query", "status"), [("", 302), ("?from=x", 302), (f"?from={UUID(int=7)}", 404)])
def test_an_offer_with_one_version_has_no_page_of_changes(
    coordinator: Person, sent_id: UUID, query: str, status: int
) -> None:
    assert coordinator.get(f"/offers/{sent_id}/changes{query}").status_code == status


def test_only_who_writes_offers_revises_them(sign_in: Callable[..., Person], sent_id: UUID) -> None:
    assistant = sign_in("assistant")
    assert assistant.post(f"/offers/{sent_id}/revise").status_code == 403
    assert "/revise" not in assistant.get(f"/offers/{sent_id}").text


def test_what_is_missing_before_sending_stands_beside_the_button(
    portal: Flask, papatya: ClinicInfo, coordinator: Person
) -> None:
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, add_patient(), valid_until=date.today() - timedelta(days=1)).id
    page = coordinator.get(f"/offers/{offer_id}").text
    assert "The last day of this offer is over." in page.partition("Change the status")[2].partition("</section>")[0]
