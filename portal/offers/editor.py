"""The editor page: a form, the price book it is filled from, and what the lines come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

from flask import url_for
from flask_babel import gettext as _

from portal.core.forms import plain_number
from portal.offers.chart import Chart, Mark, tooth_chart
from portal.offers.currency import Drift, find_drift
from portal.offers.editing import LineError, PriceBook, PricedLine, TypedLine, totals_message
from portal.offers.editor_lines import treatment_groups, typed_data
from portal.offers.entry import Entry, read_entries
from portal.offers.forms import OfferForm
from portal.offers.models import Offer
from portal.offers.options import OptionSum, TypedOption, lines_of, main_label
from portal.offers.row_forms import MAX_LINES, LineForm
from portal.offers.totals import DiscountKind, OfferTotals, TotalsError, line_totals, offer_totals, spread_discount
from portal.offers.visit_words import visit_words
from portal.offers.visits import TypedVisit, propose_visits
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
    sums: Sequence[OptionSum] = ()
    unclear: Sequence[Entry] = ()
    usual_audience: str = ""
    well: bool | None = None
    visit_words: ClassVar = staticmethod(visit_words)
    most_lines: ClassVar[int] = MAX_LINES

    @property
    def lines(self) -> Sequence[PricedLine]:
        """The complete lines, in order."""
        return list(self.priced.values())

    @property
    def options(self) -> list[TypedOption]:
        """The options, in order."""
        return self.form.typed_options()

    @property
    def drift(self) -> Drift | None:
        """How the rate moved since the version this one comes from was sent."""
        return find_drift(self.offer) if self.offer else None

    @property
    def visits(self) -> list[TypedVisit]:
        """The visits, in order; call after validation."""
        return [entry.form.typed() for entry in self.form.visits]

    @property
    def proposal(self) -> Sequence[TypedVisit]:
        """The visits that the lines take by the catalogue, where others are planned."""
        found = propose_visits(self.lines)
        wanted = [(visit.days, visit.gap_days) for visit in found.visits] if found else []
        typed = [(visit.days, visit.gap_days) for visit in self.visits]
        return found.visits if found and wanted != typed else ()

    @property
    def totals(self) -> OfferTotals | None:
        """What the offer counts for: its main option where it has options."""
        main = main_label(self.options)
        return next((row.totals for row in self.sums if row.option is None or row.option.label == main), None)

    @property
    def currency(self) -> str:
        """The currency the amounts are in."""
        return self.book.currency

    def values(self) -> dict[str, Any]:
        """Return the offer's own columns; call after validation."""
        kept = self.offer is not None and self.offer.price_list_id is None and self.audience == self.usual_audience
        return {
            **self.form.values(),
            "residency": self.residency,
            "price_list_id": None if kept else self.book.price_list_id,
        }

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
        typed = line.typed()
        if typed.option and typed.option not in [option.label for option in self.options]:
            line.option.errors = [_("This option is not there any more. Choose another one.")]
            return
        if len(self.form.visits) < (typed.visit_no or 0):
            line.visit_no.errors = [_("There is no such visit. Add it first.")]
            return
        try:
            self.priced[place] = self.book.price_line(typed)
        except LineError as error:
            line[error.field].errors = [error.message]

    def _spread(self) -> None:
        """Give every line its share of the offer's discount; say beside its field where there can be none."""
        form = self.form
        kind = form.discount_kind.data if form.discount_kind.data in set(DiscountKind) else DiscountKind.PERCENT
        if not form.discount_value.data or form.discount_value.errors or not self.priced:
            return
        if kind == DiscountKind.AMOUNT and self.options:
            form.discount_value.errors = [
                _("With several options, give the discount in percent, or on the lines: an amount fits only one.")
            ]
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
        try:
            self.sums = [self._sum_of(option) for option in self.options] or [self._sum_of(None)]
        except TotalsError:
            self.form.form_errors.append(_("The sum of this offer is too large."))
        if sum(not entry.form.is_blank for entry in self.form.lines) > MAX_LINES:
            message = _("An offer has at most %(count)s lines. Take some out, or make a second offer.", count=MAX_LINES)
            self.form.form_errors.append(message)

    def _sum_of(self, option: TypedOption | None) -> OptionSum:
        amounts = [line.amounts for line in lines_of(option.label if option else None, self.lines)]
        return OptionSum(option, offer_totals(amounts, prices_include_vat=self.book.prices_include_vat))

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
                    self._put(replace(line, option=self.form.entry_option.data or ""))
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
            self.form.lines.append_entry(typed_data(typed))
        else:
            blank.process(None, typed_data(typed))

    def show_defaults(self) -> None:
        """Show in every empty field what it will be filled with, and offer the treatments and options."""
        self.form.set_choices(treatment_groups(self.book))
        for place, line in self.priced.items():
            form = self.form.lines[place].form
            for name in ("quantity", "unit_price", "vat_rate"):
                amount: Decimal = getattr(line.amounts, name)
                form[name].render_kw = {**(form[name].render_kw or {}), "placeholder": plain_number(amount)}
            for name in ("healing_days", "warranty_months"):
                form[name].render_kw = {"placeholder": getattr(line, name) or ""}

    def add_empty_lines(self, count: int = EMPTY_LINES) -> None:
        """Leave ``count`` blank lines at the end, up to MAX_LINES lines in all."""
        blank = 0
        for entry in reversed(list(self.form.lines)):
            if not entry.form.is_blank:
                break
            blank += 1
        for _place in range(min(count - blank, MAX_LINES - len(self.form.lines))):
            self.form.lines.append_entry()
