"""Two editors of one draft: what the other one saved, beside what was typed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from flask_babel import gettext as _

from portal.core.conflicts import Conflict
from portal.core.forms import plain_number
from portal.core.templating import day, money
from portal.offers.editor import Editor
from portal.offers.models import Offer, Treatment
from portal.offers.presenting import FIELDS, where
from portal.offers.services import make_line
from portal.offers.totals import DiscountKind

_NOTHING = "—"
_TEXTS = ("title", "currency", "patient_note", "internal_note")


def conflicts(editor: Editor, offer: Offer) -> list[Conflict]:
    """Return where a refused editor and the stored draft differ, and both totals; call after ``compute``."""
    values = editor.form.values()
    found = [Conflict(str(FIELDS[name]), getattr(offer, name) or _NOTHING, values[name] or _NOTHING)
             for name in _TEXTS if values[name] != getattr(offer, name)]  # fmt: skip
    if values["valid_until"] != offer.valid_until:
        found.append(Conflict(str(FIELDS["valid_until"]), day(offer.valid_until), day(values["valid_until"])))
    mine = money(editor.totals.gross, editor.currency) if editor.totals else _NOTHING
    total = Conflict(str(FIELDS["grand_total"]), money(offer.grand_total, offer.currency), mine)
    return [*found, *_line_conflicts(editor, offer), total]


def _line_conflicts(editor: Editor, offer: Offer) -> Iterator[Conflict]:
    """Pair the lines that differ; one taken out or put in stands alone. A number is the line's in the form if there."""
    theirs = [_in_words(line, offer.currency) for line in offer.lines]
    mine = [_in_words(make_line(line, place), editor.currency) for place, line in enumerate(editor.lines)]
    numbers = [place + 1 for place in editor.priced]
    for kind, first, last, my_first, my_last in SequenceMatcher(None, theirs, mine, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        places: Sequence[int] = numbers[my_first:my_last] or range(first + 1, last + 1)
        rows = zip_longest(places, theirs[first:last], mine[my_first:my_last], fillvalue=None)
        for number, their_line, my_line in rows:
            label = _("Line %(place)s", place=number) if number else str(FIELDS["lines"])
            yield Conflict(label, their_line or _NOTHING, my_line or _NOTHING)


def _in_words(line: Treatment, currency: str) -> str:
    """Write a line as one reads it aloud: what, where, how many at which price, discount, VAT, total."""
    parts = [line.name, where(line), f"{plain_number(line.quantity)} × {money(line.unit_price, currency)}"]
    if line.discount_kind == DiscountKind.PERCENT:
        parts.append("−" + _("%(rate)s%%", rate=plain_number(line.discount_value or line.line_discount)))
    elif line.discount_kind:
        parts.append("−" + money(line.line_discount, currency))
    parts.append(_("VAT %(rate)s%%", rate=plain_number(line.vat_rate)))
    return " · ".join(part for part in parts if part) + " = " + money(line.line_gross, currency)
