"""The form of an offer and of its lines."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FormField, SelectField, SelectMultipleField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.catalog.enums import Audience, Residency
from portal.catalog.teeth import ALL_TEETH
from portal.core.clock import today
from portal.core.forms import (
    DayField,
    DecimalField,
    KeyedForm,
    LineField,
    PortalForm,
    RowsField,
    TextField,
    UuidField,
    VersionField,
    choices,
)
from portal.core.identity import current_clinic
from portal.core.money import MAX_AMOUNT, Currency
from portal.offers.models import Basis
from portal.offers.options import LABELS, TypedOption
from portal.offers.row_forms import DISCOUNTS, MAX_LINES, LineForm, LinesField, OptionForm, VisitForm, option_choices
from portal.offers.totals import DiscountKind
from portal.offers.visits import MOST_VISITS

AUDIENCES = {
    Audience.DOMESTIC: _l("Patients at home"), Audience.INTERNATIONAL: _l("Patients from abroad"),
    Audience.PARTNER: _l("Partners"),
}  # fmt: skip
RESIDENCIES = {Residency.RESIDENT: _l("in Türkiye"), Residency.NON_RESIDENT: _l("abroad")}
BASES = {
    Basis.EXAM: _l("an examination"), Basis.OPG: _l("a panoramic X-ray"), Basis.CBCT: _l("a 3D scan (CBCT)"),
    Basis.PHOTOS: _l("photos"),
}  # fmt: skip


class OfferForm(KeyedForm):
    """An offer with its lines."""

    version = VersionField(default=0)
    patient_id = UuidField()
    offer_id = UuidField()
    title = LineField(_l("Title"), limit=200, required=True)
    currency = SelectField(_l("Currency"), choices=choices((code, code) for code in Currency))
    valid_until = DayField(_l("Valid until"), required=True)
    audience = SelectField(_l("Price list"), [Optional()], choices=choices(AUDIENCES.items()))
    residency = SelectField(_l("The patient lives"), [Optional()], choices=choices(RESIDENCIES.items()))
    basis = SelectField(_l("The plan rests on"), [Optional()], choices=choices(BASES.items(), empty="—"))
    is_provisional = BooleanField(_l("Provisional until the examination"), default=True)
    discount_value = DecimalField(_l("Discount on the whole offer"), low=Decimal(0), high=MAX_AMOUNT)
    discount_kind = SelectField(_l("Its type"), choices=choices(DISCOUNTS.items()), default=DiscountKind.PERCENT)
    patient_note = TextField(_l("Note for the patient"), limit=5000)
    internal_note = TextField(_l("Note for colleagues"), limit=5000, description=_l("Never shown to the patient."))
    lines = LinesField(FormField(LineForm), max_entries=2 * MAX_LINES)
    options = RowsField(FormField(OptionForm), max_entries=len(LABELS))
    visits = RowsField(FormField(VisitForm), max_entries=MOST_VISITS)
    recommended = SelectField(_l("Recommended"), [Optional()], validate_choice=False)
    entry_option = SelectField(_l("Part of"), [Optional()], validate_choice=False)
    entry = TextField(_l("Quick entry"), limit=4000)
    chart = SelectMultipleField(_l("Tooth chart"), choices=choices((n, n) for n in ALL_TEETH), validate_choice=False)

    def set_choices(self, groups: dict[str, list[SelectChoice]]) -> None:
        """Offer the treatments, grouped by heading, and the options in every line; call again after adding lines."""
        for entry in self.lines:
            entry.form.set_choices(groups, self.typed_options())
        self.entry_option.choices = option_choices(self.typed_options())
        self.recommended.choices = option_choices(self.typed_options(), empty=_("none"))

    def typed_options(self) -> list[TypedOption]:
        """Return the options, lettered by their place."""
        rows = zip(LABELS, self.options, strict=False)
        return [
            TypedOption(label, row.form.title.data or None, recommended=self.recommended.data == label)
            for label, row in rows
        ]

    @property
    def ticked(self) -> list[int]:
        """The teeth ticked in the chart."""
        chosen = set(self.chart.data or ())
        return [tooth for tooth in ALL_TEETH if str(tooth) in chosen]

    def validate_valid_until(self, field: DayField) -> None:
        """Accept today and later, up to five years."""
        now_here = today(current_clinic().timezone)
        if field.data and not now_here <= field.data <= date(now_here.year + 5, 12, 31):
            raise ValidationError(_("An offer is valid from today on, for five years at most."))

    def values(self) -> dict[str, Any]:
        """Return the offer's own columns; call after validation."""
        return {
            "title": self.title.data,
            "currency": self.currency.data,
            "valid_until": self.valid_until.data,
            "patient_note": self.patient_note.data or None,
            "internal_note": self.internal_note.data or None,
            "basis": self.basis.data or None,
            "discount_kind": self.discount_kind.data if self.discount_value.data else None,
            "discount_value": self.discount_value.data or None,
            "is_provisional": bool(self.is_provisional.data),
        }


class MoveForm(PortalForm):
    """The status an offer goes to."""

    status_id = UuidField()


class AssignForm(PortalForm):
    """The number of a patient the offer is shown to as well."""

    patient_no = LineField(_l("Patient number"), limit=20, required=True)


class VisibilityForm(PortalForm):
    """Whether a patient may see the offer: "yes" or "no"."""

    visible = SelectField(choices=choices([("yes", "yes"), ("no", "no")]))
