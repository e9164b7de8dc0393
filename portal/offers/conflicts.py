"""Two editors of one draft: what the other one saved, beside what was typed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import zip_longest
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _

from portal.catalog.queries import list_price_lists
from portal.core.conflicts import Conflict
from portal.core.forms import plain_number
from portal.core.templating import day, money
from portal.offers.difference import option_of
from portal.offers.editor import Editor
from portal.offers.forms import BASES, RESIDENCIES
from portal.offers.models import Offer, Treatment
from portal.offers.options import TypedOption, stored_options
from portal.offers.presenting import FIELDS, where
from portal.offers.queries import list_options, list_visits
from portal.offers.storing import make_line
from portal.offers.totals import DiscountKind
from portal.offers.visit_words import visit_words
from portal.offers.visits import TypedVisit, stored_visits

_NOTHING = "—"
_TEXTS = ("title", "currency", "patient_note", "internal_note")
_WORDS: dict[str, dict[str, LazyString]] = {
    "residency": {str(key): label for key, label in RESIDENCIES.items()},
    "basis": {str(key): label for key, label in BASES.items()},
}


def conflicts(editor: Editor, offer: Offer) -> list[Conflict]:
    """Return where a refused editor and the stored draft differ, and both totals; call after ``compute``."""
    values = editor.form.values()
    found = [Conflict(str(FIELDS[name]), getattr(offer, name) or _NOTHING, values[name] or _NOTHING)
             for name in _TEXTS if values[name] != getattr(offer, name)]  # fmt: skip
    if values["valid_until"] != offer.valid_until:
        found.append(Conflict(str(FIELDS["valid_until"]), day(offer.valid_until), day(values["valid_until"])))
    found += _term_conflicts(editor, offer)
    mine = money(editor.totals.gross, editor.currency) if editor.totals else _NOTHING
    total = Conflict(str(FIELDS["grand_total"]), money(offer.grand_total, offer.currency), mine)
    return [*found, *_line_conflicts(editor, offer), total]


def _term_conflicts(editor: Editor, offer: Offer) -> Iterator[Conflict]:
    """Compare what the whole offer depends on: residence, basis, price list, discount, options, visits."""
    values = editor.values()
    for name, words in _WORDS.items():
        theirs, mine = getattr(offer, name), values[name]
        if theirs != mine:
            yield Conflict(str(FIELDS[name]), str(words.get(theirs, _NOTHING)), str(words.get(mine, _NOTHING)))
    if values["is_provisional"] != offer.is_provisional:
        said = [_("yes") if value else _("no") for value in (offer.is_provisional, values["is_provisional"])]
        yield Conflict(str(FIELDS["is_provisional"]), *said)
    if values["price_list_id"] != offer.price_list_id:
        names: dict[UUID | None, str] = {row.id: row.name for row in list_price_lists()}
        said = [str(names.get(key, _NOTHING)) for key in (offer.price_list_id, values["price_list_id"])]
        yield Conflict(str(FIELDS["price_list_id"]), *said)
    discounts = [_discount(offer.discount_kind, offer.discount_value, offer.currency),
                 _discount(values["discount_kind"], values["discount_value"], editor.currency)]  # fmt: skip
    if discounts[0] != discounts[1]:
        yield Conflict(str(FIELDS["discount_value"]), *discounts)
    options = [_options(stored_options(list_options(offer.id))), _options(editor.options)]
    if options[0] != options[1]:
        yield Conflict(str(FIELDS["options"]), *options)
    visits = [stored_visits(list_visits(offer.id)), editor.visits]
    if visits[0] != visits[1]:
        yield Conflict(str(FIELDS["visits"]), *map(_visits, visits))


def _visits(visits: Sequence[TypedVisit]) -> str:
    return " · ".join(visit_words(visits)) or _NOTHING


def _discount(kind: str | None, value: Decimal | None, currency: str) -> str:
    if not kind or value is None:
        return _NOTHING
    return _("%(rate)s%%", rate=plain_number(value)) if kind == DiscountKind.PERCENT else money(value, currency)


def _options(options: Sequence[TypedOption]) -> str:
    words = (
        f"{row.label}: {row.title or _NOTHING}" + (f" ({_('Recommended')})" if row.recommended else "")
        for row in options
    )  # fmt: skip
    return " · ".join(words) or _NOTHING


def _line_conflicts(editor: Editor, offer: Offer) -> Iterator[Conflict]:
    """Pair the lines that differ; one taken out or put in stands alone. A number is the line's in the form if there."""
    labels = {row.id: row.label for row in list_options(offer.id)}
    theirs = [_in_words(line, offer.currency, option_of(line, labels)) for line in offer.lines]
    mine = [
        _in_words(make_line(line, place), editor.currency, line.option or "")
        for place, line in enumerate(editor.lines)
    ]  # fmt: skip
    numbers = [place + 1 for place in editor.priced]
    for kind, first, last, my_first, my_last in SequenceMatcher(None, theirs, mine, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        places: Sequence[int] = numbers[my_first:my_last] or range(first + 1, last + 1)
        rows = zip_longest(places, theirs[first:last], mine[my_first:my_last], fillvalue=None)
        for number, their_line, my_line in rows:
            label = _("Line %(place)s", place=number) if number else str(FIELDS["lines"])
            yield Conflict(label, their_line or _NOTHING, my_line or _NOTHING)


def _in_words(line: Treatment, currency: str, option: str) -> str:
    """Write a line as one reads it aloud: what, where, how many at which price, discount, VAT, total."""
    part_of = _("Option %(label)s", label=option) if option else ""
    parts = [line.name, where(line), part_of, f"{plain_number(line.quantity)} × {money(line.unit_price, currency)}"]
    if line.discount_kind == DiscountKind.PERCENT:
        parts.append("−" + _("%(rate)s%%", rate=plain_number(line.discount_value or line.line_discount)))
    elif line.discount_kind:
        parts.append("−" + money(line.line_discount, currency))
    parts.append(_("VAT %(rate)s%%", rate=plain_number(line.vat_rate)))
    return " · ".join(part for part in parts if part) + " = " + money(line.line_gross, currency)
