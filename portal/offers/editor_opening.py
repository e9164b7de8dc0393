"""Opening the editor: of a new offer with the clinic's defaults, of a copy, of a draft, or as it was sent."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from portal.catalog.enums import Audience, Residency
from portal.catalog.queries import list_price_lists
from portal.core.clock import today
from portal.core.forms import choices
from portal.core.identity import current_clinic
from portal.core.money import Currency
from portal.offers.editing import PriceBook
from portal.offers.editor import Editor
from portal.offers.editor_lines import line_data
from portal.offers.editor_packages import expand_packages
from portal.offers.forms import OfferForm
from portal.offers.models import Offer
from portal.offers.queries import list_options, list_visits
from portal.offers.totals import DiscountKind
from portal.offers.visits import stored_visits
from portal.patients.models import Patient
from portal.settings.house import offered_currencies


def open_editor(form: OfferForm, patient: Patient, offer: Offer | None, *, expand: bool = True) -> Editor:
    """Return the editor of a new offer or of a draft, in the form's currency; ``expand`` puts parts of packages in."""
    clinic = current_clinic()
    kept = (offer.currency,) if offer else ()
    form.currency.choices = choices((code, code) for code in offered_currencies(clinic.default_currency, *kept))
    currency = form.currency.data if form.currency.data in set(Currency) else clinic.default_currency
    audience = form.audience.data if form.audience.data in set(Audience) else usual_audience(currency)
    residency = form.residency.data if form.residency.data in set(Residency) else usual_residency(patient)
    book = PriceBook(
        currency,
        today(clinic.timezone),
        _written_in(patient),
        prices_include_vat=offer.prices_include_vat if offer else clinic.prices_include_vat,
        kept={line.catalog_id for line in offer.lines if line.catalog_id} if offer else (),
        audience=audience,
        residency=residency,
    )
    if expand and form.is_submitted():
        expand_packages(form, book)
    return Editor(form, patient, offer, book, audience, residency, usual_audience=usual_audience(book.currency))


def usual_audience(currency: str, residency: str = Residency.RESIDENT) -> str:
    """Return whose prices are usual: those at home for residents in the clinic's own currency."""
    home = residency == Residency.RESIDENT and currency == current_clinic().default_currency
    return Audience.DOMESTIC if home else Audience.INTERNATIONAL


def _audience_of(offer: Offer) -> str:
    """Return whose price list a stored offer was priced by."""
    known = list_price_lists() if offer.price_list_id else ()
    return next((row.audience for row in known if row.id == offer.price_list_id), usual_audience(offer.currency))


def usual_residency(patient: Patient) -> str:
    """Return where a patient lives for VAT; who did not say counts as a resident."""
    return Residency.RESIDENT if patient.residence_country in (None, "TR") else Residency.NON_RESIDENT


def new_editor(patient: Patient, source: Offer | None = None) -> Editor:
    """Return the editor of a new offer: with the clinic's defaults and the lines of ``source``, or as sent.

    Prices that the catalogue gave are taken from it anew.
    """
    clinic = current_clinic()
    with force_locale(_written_in(patient)):
        title = _("Treatment offer")
    data: dict[str, Any] = {
        "patient_id": patient.id,
        "title": title,
        "currency": clinic.default_currency,
        "valid_until": today(clinic.timezone) + timedelta(days=clinic.offer_validity_days),
        "residency": usual_residency(patient),
        "audience": usual_audience(clinic.default_currency, usual_residency(patient)),
    }
    if source:
        data |= {"title": source.title, "currency": source.currency, "patient_note": source.patient_note}
    editor = open_editor(OfferForm(data=data), patient, None)
    if source and not editor.form.is_submitted():
        _fill_parts(editor, source)
    return editor


def draft_editor(offer: Offer, patient: Patient) -> Editor:
    """Return the editor of a draft: as stored, or as sent."""
    data = {
        "version": offer.version, "patient_id": patient.id, "offer_id": offer.id, "title": offer.title,
        "currency": offer.currency, "valid_until": offer.valid_until, "patient_note": offer.patient_note,
        "internal_note": offer.internal_note, "residency": offer.residency, "basis": offer.basis,
        "is_provisional": offer.is_provisional, "audience": _audience_of(offer),
        "discount_kind": offer.discount_kind or DiscountKind.PERCENT, "discount_value": offer.discount_value,
    }  # fmt: skip
    editor = open_editor(OfferForm(data=data), patient, offer)
    if not editor.form.is_submitted():
        _fill_parts(editor, offer)
    return editor


def _fill_parts(editor: Editor, offer: Offer) -> None:
    """Fill in the options, visits and lines of a stored offer."""
    options = list_options(offer.id)
    labels = {row.id: row.label for row in options}
    for row in options:
        editor.form.options.append_entry({"title": row.title})
        if row.is_recommended:
            editor.form.recommended.data = row.label
    for visit in stored_visits(list_visits(offer.id)):
        editor.form.visits.append_entry(asdict(visit))
    for line in offer.lines:
        option = labels.get(line.option_id) if line.option_id else None
        editor.form.lines.append_entry(line_data(line, editor.book, option))


def picked(value: str) -> dict[int, str]:
    """Return what a candidate's button says: the place of a text line and the code it means, "0 kanal-2"."""
    place, _space, code = value.partition(" ")
    return {int(place): code} if re.fullmatch("[0-9]{1,3}", place) and code else {}


def _written_in(patient: Patient) -> str:
    """Return the language of a patient's offers, one of LANGUAGES: who reads no Turkish gets English."""
    return "tr" if (patient.locale or current_clinic().default_locale) == "tr" else "en"
