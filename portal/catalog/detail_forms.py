"""The form of a treatment's details: other languages, aliases, brands, visits, and further prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, ValidationError

from portal.catalog.about import LANGUAGES
from portal.catalog.details import VARIANTS
from portal.catalog.enums import PriceVariant
from portal.catalog.forms import CountField, PriceField
from portal.catalog.models import CatalogTreatment, PriceListVariant
from portal.catalog.queries import PriceListInfo
from portal.core.forms import LineField, PortalForm, TextField, VersionField

MAX_ENTRIES, MAX_ENTRY = 20, 40
VARIANT_LABELS: dict[str, LazyString] = {
    PriceVariant.SURFACES_2: _l("Two surfaces, %(currency)s"),
    PriceVariant.SURFACES_3: _l("Three surfaces, %(currency)s"),
    PriceVariant.PONTIC: _l("Pontic, %(currency)s"),
}


def _few_and_short(_form: Any, field: EntriesField) -> None:
    """Refuse more entries than a page can show, and ones that are too long."""
    entries = field.listed()
    if len(entries) > MAX_ENTRIES or any(len(entry) > MAX_ENTRY for entry in entries):
        message = _("Use at most %(count)d entries of %(length)d characters.", count=MAX_ENTRIES, length=MAX_ENTRY)
        raise ValidationError(message)


class EntriesField(LineField):
    """Short entries with commas between them, as a list without repeats."""

    def __init__(self, label: Any = None, *, limit: int, **kwargs: Any) -> None:
        super().__init__(label, limit=limit, validators=[_few_and_short], **kwargs)

    def process_data(self, value: Any) -> None:
        """Write the stored list on one line."""
        self.data = ", ".join(value or ())

    def listed(self) -> list[str]:
        """Return what was typed as a list; call after validation."""
        typed = (entry.strip() for entry in str(self.data or "").split(","))
        return list(dict.fromkeys(entry for entry in typed if entry))


class DetailsForm(PortalForm):
    """A treatment's details; details_form() adds a field for each further price."""

    slots: Sequence[tuple[PriceListInfo, PriceVariant]] = ()

    version = VersionField(default=0)
    name_de = LineField(_l("Name in German"), limit=200)
    name_ru = LineField(_l("Name in Russian"), limit=200)
    aliases = EntriesField(
        _l("Short forms"), limit=400, description=_l("What you type to find it, with commas between: zir, zirkon."),
    )  # fmt: skip
    brands = EntriesField(
        _l("Brands"), limit=400, description=_l("To choose from in an offer, with commas between."),
    )  # fmt: skip
    visits = CountField(_l("Visits"), low=1, high=99)
    healing_days = CountField(
        _l("Healing in days"), low=1, high=999, description=_l("How long to wait until the next step."),
    )  # fmt: skip
    warranty_months = CountField(_l("Warranty in months"), low=1, high=600)
    about_tr = TextField(_l("In Turkish"), limit=1000)
    about_en = TextField(_l("In English"), limit=1000)
    about_de = TextField(_l("In German"), limit=1000)
    about_ru = TextField(_l("In Russian"), limit=1000)

    def values(self) -> dict[str, Any]:
        """Return the columns of the treatment; call after validation."""
        texts = {language: self[f"about_{language}"].data for language in LANGUAGES}
        return {
            "name_de": self.name_de.data or None, "name_ru": self.name_ru.data or None,
            "aliases": self.aliases.listed(), "brands": self.brands.listed(), "visits": self.visits.data,
            "healing_days": self.healing_days.data, "warranty_months": self.warranty_months.data,
            "about": {language: text for language, text in texts.items() if text},
        }  # fmt: skip

    def about_fields(self) -> list[tuple[str, Field]]:
        """Return (language, field) of the texts for patients."""
        return [(language, self[f"about_{language}"]) for language in LANGUAGES]

    def variant_fields(self) -> list[Field]:
        """Return the fields of further prices."""
        return [self[_slot_name(*slot)] for slot in self.slots]

    def variants(self) -> dict[tuple[PriceListInfo, PriceVariant], Decimal | None]:
        """Return the further prices, None where there is none; a field that was not sent is left out."""
        return {
            slot: field.data for slot, field in zip(self.slots, self.variant_fields(), strict=True) if field.raw_data
        }


def details_form(
    treatment: CatalogTreatment,
    price_lists: Sequence[PriceListInfo],
    stored: Mapping[tuple[UUID, str], PriceListVariant],
) -> DetailsForm:
    """Return the form of a treatment's details, with a field for each price its pricing needs in each list."""
    slots = tuple((item, variant) for variant in VARIANTS.get(treatment.pricing, ()) for item in price_lists)
    fields = {_slot_name(*slot): _slot_field(*slot) for slot in slots}
    made = type("PricedDetailsForm", (DetailsForm,), {"slots": slots, **fields})
    known: dict[str, Any] = {f"about_{language}": treatment.about.get(language) for language in LANGUAGES}
    for item, variant in slots:
        row = stored.get((item.id, variant))
        known[_slot_name(item, variant)] = row.unit_price if row else None
    return cast(DetailsForm, made(obj=treatment, data=known))


def _slot_name(price_list: PriceListInfo, variant: PriceVariant) -> str:
    return f"variant_{variant}_{price_list.id.hex}"


def _slot_field(price_list: PriceListInfo, variant: PriceVariant) -> PriceField:
    label = str(VARIANT_LABELS[variant]) % {"currency": price_list.currency}
    return PriceField(label, low=Decimal(0), description=price_list.name)
