"""The form of an offer's status."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField

from portal.core.forms import LineField, PortalForm, choices
from portal.offers.listing import KINDS
from portal.offers.models import OfferStatus
from portal.offers.statuses import shown_state
from portal.settings.forms import SeenField

COLOURS = {
    "": _l("The kind's own"), "grey": _l("Grey"), "blue": _l("Blue"), "teal": _l("Teal"), "green": _l("Green"),
    "amber": _l("Amber"), "orange": _l("Orange"), "red": _l("Red"), "purple": _l("Purple"), "pink": _l("Pink"),
}  # fmt: skip
LABELS = {
    "label_tr": _l("Name in Turkish"), "label_en": _l("Name in English"), "colour": _l("Colour"),
    "is_active": _l("In use"), "is_default": _l("Usual one of its kind"), "position": _l("Place"),
}  # fmt: skip


class StatusForm(PortalForm):
    """What a clinic says of a status."""

    seen = SeenField()
    label_tr = LineField(LABELS["label_tr"], limit=80, required=True)
    label_en = LineField(LABELS["label_en"], limit=80, required=True)
    colour = SelectField(
        LABELS["colour"], choices=choices(COLOURS.items()),
        description=_l("Every colour is legible on light and on dark pages."),
    )  # fmt: skip
    is_active = BooleanField(
        LABELS["is_active"], description=_l("Offers that have a status out of use keep it; none can be given it anew.")
    )

    def values(self) -> dict[str, Any]:
        """Return what was typed, as the table keeps it."""
        return {
            "label_tr": self.label_tr.data, "label_en": self.label_en.data, "colour": self.colour.data or None,
            "is_active": self.is_active.data,
        }  # fmt: skip


class NewStatusForm(PortalForm):
    """A status to be added."""

    kind = SelectField(
        _l("Kind"), choices=choices(KINDS.items()),
        description=_l("Rules and reports go by the kind. It cannot be changed later."),
    )  # fmt: skip
    label_tr = LineField(LABELS["label_tr"], limit=80, required=True)
    label_en = LineField(LABELS["label_en"], limit=80, required=True)
    colour = SelectField(LABELS["colour"], choices=choices(COLOURS.items()))


def status_form(status: OfferStatus) -> StatusForm:
    """Return the form of a status, as stored unless one was sent."""
    return StatusForm(
        data={
            "seen": shown_state(status), "label_tr": status.label_tr, "label_en": status.label_en,
            "colour": status.colour or "", "is_active": status.is_active,
        }
    )  # fmt: skip
