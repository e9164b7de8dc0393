"""Which status may follow which. Rules go by kind; a clinic's own statuses inherit them."""

from __future__ import annotations

from portal.offers.models import OfferKind

_ENDS = {OfferKind.ACCEPTED, OfferKind.DECLINED, OfferKind.EXPIRED, OfferKind.CANCELLED}

MOVES: dict[OfferKind, frozenset[OfferKind]] = {
    OfferKind.DRAFT: frozenset({OfferKind.SENT, OfferKind.CANCELLED}),
    OfferKind.SENT: frozenset({OfferKind.VIEWED, OfferKind.NEGOTIATING, *_ENDS}),
    OfferKind.VIEWED: frozenset({OfferKind.NEGOTIATING, *_ENDS}),
    # Prices under negotiation are changed in a draft and sent again.
    OfferKind.NEGOTIATING: frozenset({OfferKind.DRAFT, OfferKind.SENT, *_ENDS}),
    OfferKind.ACCEPTED: frozenset({OfferKind.CANCELLED}),
    OfferKind.DECLINED: frozenset({OfferKind.NEGOTIATING}),
    # Only a draft can be given a new last day; an open offer past its own would expire again within the hour.
    OfferKind.EXPIRED: frozenset({OfferKind.DRAFT, OfferKind.CANCELLED}),
    OfferKind.CANCELLED: frozenset(),
}
OPEN_KINDS = frozenset({OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING})
DECIDED_KINDS = frozenset({OfferKind.ACCEPTED, OfferKind.DECLINED})


def may_move(before: OfferKind, after: OfferKind) -> bool:
    """Tell whether an offer of one kind may become another; a clinic's two statuses of one kind always may."""
    return before == after or after in MOVES[before]
