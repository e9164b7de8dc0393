"""Options: ways to treat, A, B, C and D, among which the patient chooses; a line is part of one of them or of all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from portal.core.database import current_session
from portal.offers.models import Offer, OfferOption, Treatment
from portal.offers.queries import list_options
from portal.offers.totals import ZERO, OfferTotals

LABELS = ("A", "B", "C", "D")


class _Part(Protocol):
    @property
    def option(self) -> str | None: ...


Part = TypeVar("Part", bound=_Part)


@dataclass(frozen=True)
class TypedOption:
    """One way to treat, as typed."""

    label: str
    title: str | None = None
    recommended: bool = False


def main_label(options: Sequence[TypedOption]) -> str | None:
    """Return the option an offer counts for in lists: the recommended one, else the first; None without options."""
    recommended = (option.label for option in options if option.recommended)
    return next(recommended, options[0].label if options else None)


def lines_of(label: str | None, lines: Collection[Part]) -> list[Part]:
    """Return what one option comes to: its own lines and those of all options; all lines without options."""
    return [line for line in lines if label is None or line.option in (None, label)]


def stored_options(rows: Collection[OfferOption]) -> list[TypedOption]:
    """Return options as stored."""
    return [TypedOption(row.label, row.title, bool(row.is_recommended)) for row in rows]


@dataclass(frozen=True)
class OptionSum:
    """What one option comes to, with what is part of all options; the whole offer where ``option`` is None."""

    option: TypedOption | None
    totals: OfferTotals


def stored_sums(offer: Offer, rows: Collection[OfferOption]) -> list[OptionSum]:
    """Return what each option of a stored offer comes to; of one without options, the whole."""
    if not rows:
        return [OptionSum(None, _sum_up(offer.lines))]
    return [
        OptionSum(option, _sum_up([line for line in offer.lines if line.option_id in (None, row.id)]))
        for row, option in zip(rows, stored_options(rows), strict=True)
    ]


def _sum_up(lines: Collection[Treatment]) -> OfferTotals:
    base, net = sum((line.line_base for line in lines), ZERO), sum((line.line_net for line in lines), ZERO)
    discount = sum((line.line_discount + line.offer_discount for line in lines), ZERO)
    rates = sorted({line.vat_rate for line in lines})
    by_rate = tuple(
        (
            rate,
            sum((line.line_net for line in lines if line.vat_rate == rate), ZERO),
            sum((line.line_vat for line in lines if line.vat_rate == rate), ZERO),
        )
        for rate in rates
    )
    vat = sum((row[2] for row in by_rate), ZERO)
    return OfferTotals(base, discount, net, vat, net + vat, by_rate)


def store_options(offer_id: UUID, options: Sequence[TypedOption]) -> dict[str, UUID]:
    """Write an offer's options and return their ids by label; those left out go once no line is part of them."""
    stored = {row.label: row for row in list_options(offer_id)}
    for position, option in enumerate(options):
        row = stored.setdefault(option.label, OfferOption(offer_id=offer_id, label=option.label))
        row.title, row.is_recommended, row.position = option.title, option.recommended, position
        current_session().add(row)
    current_session().flush()
    return {option.label: stored[option.label].id for option in options}


def drop_options(offer_id: UUID, *, keep: Collection[str]) -> None:
    """Delete the options that an offer has no more; its lines are written already."""
    for row in list_options(offer_id):
        if row.label not in keep:
            current_session().delete(row)
