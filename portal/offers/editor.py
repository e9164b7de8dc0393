"""The editor page: a form, the price book it is filled from, and what the lines come to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from flask import url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.choices import SelectChoice

from portal.catalog.enums import Audience, Residency, ToothRole
from portal.catalog.queries import list_price_lists
from portal.catalog.teeth import format_teeth
from portal.core.clock import today
from portal.core.forms import choices, plain_number
from portal.core.i18n import language
from portal.core.identity import current_clinic
from portal.core.money import Currency
from portal.offers.chart import Chart, Mark, tooth_chart
from portal.offers.editing import LineError, PriceBook, PricedLine, TypedLine, totals_message
from portal.offers.entry import Entry, read_entries
from portal.offers.forms import MAX_LINES, LineForm, OfferForm
from portal.offers.models import Jaw, Offer, Treatment
from portal.offers.totals import DiscountKind, OfferTotals, TotalsError, line_totals, offer_totals, spread_discount
from portal.patients.models import Patient

EMPTY_LINES = 2
MAX_ENTRY = 4000


@dataclass
class Editor:
    """What the editor's template shows. ``priced`` maps a line's place in the form to its amounts."""

    form: OfferForm
    patient: Patient
    offer: Offer | None
    book: PriceBook
    audience: str
    residency: str
    priced: dict[int, PricedLine] = field(default_factory=dict)
    totals: OfferTotals | None = None
    unclear: Sequence[Entry] = ()
    well: bool | None = None
    most_lines: ClassVar[int] = MAX_LINES

    @property
    def lines(self) -> Sequence[PricedLine]:
        """The complete lines, in order."""
        return list(self.priced.values())

    @property
    def currency(self) -> str:
        """The currency the amounts are in."""
        return self.book.currency

    def values(self) -> dict[str, Any]:
        """Return the offer's own columns; call after validation."""
        kept = self.offer is not None and self.offer.price_list_id is None and self.audience == self._usual_audience
        return {
            **self.form.values(),
            "residency": self.residency,
            "price_list_id": None if kept else self.book.price_list_id,
        }

    @property
    def _usual_audience(self) -> str:
        return usual_audience(self.currency)

    @property
    def exemptions(self) -> Sequence[str]:
        """The codes of the exemptions from VAT that lines of this offer have."""
        codes = (line.vat_exemption_code for line in self.lines)
        return sorted({code for code in codes if code})

    @property
    def url(self) -> str:
        """Where the form is sent to be saved."""
        if self.offer:
            return url_for("offers.edit", offer_id=self.offer.id)
        return url_for("offers.new", patient=self.patient.id)

    @property
    def chart(self) -> Chart:
        """The teeth of the complete lines, numbered as on the page, and those ticked."""
        last = max(self.priced, default=-1) + 1
        done = (self.priced.get(place) for place in range(last))
        marks = [Mark(line.name, line.teeth) if line else Mark("", ()) for line in done]
        return tooth_chart(marks, ticked=self.form.ticked)

    def compute(self) -> bool:
        """Price every line that is not blank, telling errors beside their fields; tell whether all is well.

        Called again, it only repeats what it found.
        """
        if self.well is None:
            for place, entry in enumerate(self.form.lines):
                if not entry.form.is_blank and not entry.form.errors:
                    self._price(place, entry.form)
            self._spread()
            self._sum_up()
            errors = [entry.errors for entry in self.form.lines]
            self.form.lines.errors = errors if any(errors) else []
            if self.unclear:
                several = len(self.unclear) > 1
                said = [entry for entry in self.unclear if entry.message]
                self.form.entry.errors = [f"{row.text}: {row.message}" if several else row.message for row in said]
            wrong = self.form.lines.errors or self.form.form_errors or self.form.discount_value.errors
            self.well = not (wrong or self.unclear)
        return self.well

    def _price(self, place: int, line: LineForm) -> None:
        try:
            self.priced[place] = self.book.price_line(line.typed())
        except LineError as error:
            line[error.field].errors = [error.message]

    def _spread(self) -> None:
        """Give every line its share of the offer's discount; say beside its field where there can be none."""
        form = self.form
        kind = form.discount_kind.data if form.discount_kind.data in set(DiscountKind) else DiscountKind.PERCENT
        if not form.discount_value.data or form.discount_value.errors or not self.priced:
            return
        try:
            spread = spread_discount(
                [line.amounts for line in self.lines], DiscountKind(kind), form.discount_value.data
            )
        except TotalsError as error:
            form.discount_value.errors = [str(totals_message(error))]
            return
        for (place, line), amounts in zip(list(self.priced.items()), spread, strict=True):
            totals = line_totals(amounts, prices_include_vat=self.book.prices_include_vat)
            self.priced[place] = replace(line, amounts=amounts, totals=totals)

    def _sum_up(self) -> None:
        amounts = [line.amounts for line in self.lines]
        try:
            self.totals = offer_totals(amounts, prices_include_vat=self.book.prices_include_vat)
        except TotalsError:
            self.form.form_errors.append(_("The sum of this offer is too large."))
        if sum(not entry.form.is_blank for entry in self.form.lines) > MAX_LINES:
            message = _("An offer has at most %(count)s lines. Take some out, or make a second offer.", count=MAX_LINES)
            self.form.form_errors.append(message)

    def take_entry(self, chosen: Mapping[int, str] | None = None) -> bool:
        """Make lines of the text in the entry box; what is unclear stays there. Tell whether all of it was taken."""
        if self.form.entry.errors or len(self.form.entry.data or "") > MAX_ENTRY:
            return False
        ticked = " ".join(map(str, self.form.ticked))
        read = read_entries(self.form.entry.data or "", self.book, chosen=chosen, teeth=ticked)
        unclear = []
        for entry in read:
            if entry.typed and self._has_room(len(entry.typed)):
                for line in entry.typed:
                    self._put(line)
            elif entry.typed:
                unclear.append(replace(entry, typed=(), message=_("The offer has no room for more lines.")))
            else:
                unclear.append(entry)
        self.unclear = unclear
        self.form.entry.raw_data = None
        self.form.entry.data = "\n".join(entry.text for entry in unclear)
        if read and not unclear:
            self.form.chart.data = []
        return not unclear

    def _has_room(self, count: int) -> bool:
        return sum(not entry.form.is_blank for entry in self.form.lines) + count <= MAX_LINES

    def _put(self, typed: TypedLine) -> None:
        """Fill the first blank line, else a new one."""
        blank = next((entry for entry in self.form.lines if entry.form.is_blank), None)
        if blank is None:
            self.form.lines.append_entry(_typed_data(typed))
        else:
            blank.process(None, _typed_data(typed))

    def show_defaults(self) -> None:
        """Show in every empty field what it will be filled with, and offer the treatments."""
        self.form.set_treatments(treatment_groups(self.book))
        for place, line in self.priced.items():
            form = self.form.lines[place].form
            for name in ("quantity", "unit_price", "vat_rate"):
                amount: Decimal = getattr(line.amounts, name)
                form[name].render_kw = {**(form[name].render_kw or {}), "placeholder": plain_number(amount)}

    def add_empty_lines(self, count: int = EMPTY_LINES) -> None:
        """Leave ``count`` blank lines at the end, up to MAX_LINES lines in all."""
        blank = 0
        for entry in reversed(list(self.form.lines)):
            if not entry.form.is_blank:
                break
            blank += 1
        for _place in range(min(count - blank, MAX_LINES - len(self.form.lines))):
            self.form.lines.append_entry()


def open_editor(form: OfferForm, patient: Patient, offer: Offer | None) -> Editor:
    """Return the editor of a new offer or of a draft, in the form's currency."""
    clinic = current_clinic()
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
    return Editor(form, patient, offer, book, audience, residency)


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
        for line in source.lines:
            editor.form.lines.append_entry(_line_data(line, editor.book))
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
        for line in offer.lines:
            editor.form.lines.append_entry(_line_data(line, editor.book))
    return editor


def blank_line(book: PriceBook) -> LineForm:
    """Return one empty line named ``lines-__index__``, which the page's script copies."""
    line = LineForm(formdata=MultiDict(), prefix="lines-__index__-")
    line.catalog_id.choices = {"": choices([], empty=_("Other: write its name")), **treatment_groups(book)}
    return line


def treatment_groups(book: PriceBook) -> dict[str, list[SelectChoice]]:
    """Return the treatments under their headings, in the reader's language."""
    groups: dict[str, list[SelectChoice]] = {}
    turkish = language() == "tr"
    for row in book.treatments.values():
        heading = row.category_tr if turkish else row.category_en
        name = row.name_tr if turkish else row.name_en
        label = name if row.is_active else _("%(name)s (no longer offered)", name=name)
        groups.setdefault(heading, []).append(SelectChoice(str(row.id), label))
    return groups


def picked(value: str) -> dict[int, str]:
    """Return what a candidate's button says: the place of a text line and the code it means, "0 kanal-2"."""
    place, _space, code = value.partition(" ")
    return {int(place): code} if re.fullmatch("[0-9]{1,3}", place) and code else {}


def _written_in(patient: Patient) -> str:
    """Return the language of a patient's offers, one of LANGUAGES: who reads no Turkish gets English."""
    return "tr" if (patient.locale or current_clinic().default_locale) == "tr" else "en"


def _typed_data(typed: TypedLine) -> dict[str, Any]:
    """Return a line that was typed as text for its form."""
    return {**asdict(typed), "catalog_id": str(typed.catalog_id or ""), "arch": typed.arch or ""}


def _pontics(line: Treatment) -> str:
    """Return a bridge's pontics as typed; "" where they are what an empty field means."""
    pontics = [tooth.tooth for tooth in line.teeth if tooth.role == ToothRole.PONTIC]
    usual = [tooth.tooth for tooth in line.teeth][1:-1]
    return "" if pontics == usual else format_teeth(pontics).replace("–", "-")


def _line_data(line: Treatment, book: PriceBook) -> dict[str, Any]:
    """Return a stored line for its form.

    What the catalogue would fill in by itself stays empty, so that it follows when the treatment, the
    teeth or the currency are changed.
    """
    teeth = format_teeth(tooth.tooth for tooth in line.teeth).replace("–", "-")
    data: dict[str, Any] = {
        "catalog_id": str(line.catalog_id) if line.catalog_id else "",
        "name": line.name,
        "teeth": teeth,
        "arch": line.arch or "",
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount_kind": line.discount_kind or "percent",
        "discount_value": line.discount_value,
        "vat_rate": line.vat_rate,
        "surfaces": next((tooth.surfaces for tooth in line.teeth), None),
        "pontics": _pontics(line),
        "brand": line.brand,
        "material": line.material,
        "abutment": line.abutment,
        "included": line.is_included,
    }
    arch = Jaw(line.arch) if line.arch else None
    typed = TypedLine(
        line.catalog_id, None, teeth, arch, None, None, DiscountKind.PERCENT, None, None,
        surfaces=data["surfaces"] or "", pontics=data["pontics"], included=line.is_included,
    )  # fmt: skip
    try:
        filled = book.price_line(typed)
    except LineError:
        return data
    amounts = filled.amounts
    known = {
        "name": filled.name, "quantity": amounts.quantity, "unit_price": amounts.unit_price,
        "vat_rate": amounts.vat_rate,
    }  # fmt: skip
    return {**data, **{name: None for name, value in known.items() if data[name] == value}}
