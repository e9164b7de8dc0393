"""The first steps of a clinic, as its own rows tell which are done; the list is gone when all are, or when hidden."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.auth.models import User
from portal.catalog.models import PriceListItem
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.offers.models import Offer
from portal.patients.models import Patient
from portal.settings.house import ADDRESS, CLINIC_EMAIL, CLINIC_PHONE
from portal.settings.kinds import Flag
from portal.settings.models import PdfTemplate
from portal.settings.registry import Definition, define, find_stored, get_setting, set_setting

HIDDEN = define(Definition("home.first_steps_hidden", Flag(), default=False, label=_l("First steps hidden")))


@dataclass(frozen=True)
class Step:
    """One thing to do before a clinic works with the portal."""

    label: LazyString
    help: LazyString
    endpoint: str
    is_done: bool


def list_steps() -> list[Step]:
    """Return the first steps, done or not; none once all are done, or the clinic has hidden them."""
    if get_setting(HIDDEN):
        return []
    found = _done()
    stored = find_stored([ADDRESS, CLINIC_PHONE, CLINIC_EMAIL])
    reachable = bool(stored.get(ADDRESS.key)) and bool(stored.get(CLINIC_PHONE.key) or stored.get(CLINIC_EMAIL.key))
    steps = [
        Step(_l("Say who you are"), _l("Address, and a phone number or e-mail address that patients can use."),
             "settings.section_clinic", reachable),
        Step(_l("Put your logo on offers"), _l("It heads what you print and what patients open."),
             "settings.documents", found.logo),
        Step(_l("Price your treatments"), _l("Offers take their prices from a price list."),
             "catalog.list_price_lists", found.priced),
        Step(_l("Bring your team in"), _l("Colleagues work with accounts of their own."), "staff.index", found.team),
        Step(_l("Register the first patient"), _l("A name and a phone are enough."), "patients.new", found.patient),
        Step(_l("Send the first offer"), _l("Draft it from the patient's page, then share its link."),
             "offers.index", found.sent),
    ]  # fmt: skip
    return [] if all(step.is_done for step in steps) else steps


def hide_steps(actor: Actor, *, hidden: bool) -> None:
    """Show the first steps no more to anybody of the clinic, or again."""
    set_setting(actor, HIDDEN, hidden)


def _done() -> sa.Row[bool, bool, bool, bool, bool]:
    """Return which of the steps the clinic's rows show as done."""
    another = sa.select(User.id).where(User.is_active).offset(1)
    statement = sa.select(
        sa.select(PdfTemplate.id).where(PdfTemplate.logo_id.is_not(None)).exists().label("logo"),
        sa.select(PriceListItem.id).where(PriceListItem.unit_price > 0).exists().label("priced"),
        another.exists().label("team"),
        sa.select(Patient.id).exists().label("patient"),
        sa.select(Offer.id).where(Offer.sent_at.is_not(None)).exists().label("sent"),
    )
    return current_session().execute(statement).one()
