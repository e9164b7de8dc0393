"""What a clinic sets about its private links: what opens them, and for how long."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from portal.offers.models import Verify
from portal.settings.kinds import Choice, Flag
from portal.settings.registry import Definition, Section, define

FACTOR_LABELS = {
    Verify.PHONE: _l("The last four digits of the phone number"),
    Verify.BIRTH_DATE: _l("The date of birth"),
    Verify.CODE: _l("A code that you tell the patient"),
    Verify.NONE: _l("Nothing: whoever has the link reads the offer"),
}
DAYS = (7, 14, 30, 60, 90)

USUAL_FACTOR = define(
    Definition(
        "sharing.factor", Choice({str(factor): FACTOR_LABELS[factor] for factor in Verify if factor != Verify.NONE}),
        str(Verify.PHONE), _l("What patients usually type to open a link"),
        _l("Chosen at first where the patient's record can answer it; another can be picked for each link."),
        Section.LINKS,
    )
)  # fmt: skip
OPEN_LINKS = define(
    Definition(
        "sharing.open_links", Flag(), default=False, section=Section.LINKS,
        label=_l("Links may open without a second factor"),
        help=_l("Colleagues can then make links that show the offer to whoever holds them."),
    )
)  # fmt: skip
USUAL_DAYS = define(
    Definition(
        "sharing.days", Choice({str(days): _l("%(num)d days", num=days) for days in DAYS}), "30",
        _l("Links usually work for"), _l("Another time can be picked for each link."), Section.LINKS,
    )
)  # fmt: skip
