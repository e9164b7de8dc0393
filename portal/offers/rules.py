"""Which status may follow which. Rules go by kind; a clinic's own statuses inherit them."""

from __future__ import annotations

from portal.offers.models import OfferKind

_ENDS = {OfferKind.ACCEPTED, OfferKind.DECLINED, OfferKind.EXPIRED, OfferKind.CANCELLED}

MOVES: dict[OfferKind, frozenset[OfferKind]] = {
    OfferKind.DRAFT: frozenset({OfferKind.SENT, OfferKind.CANCELLED}),
    OfferKind.SENT: frozenset({OfferKind.VIEWED, OfferKind.NEGOTIATING, *_ENDS}),
    OfferKind.VIEWED: frozenset({OfferKind.NEGOTIATING, *_ENDS}),
    # What was sent stays as it was sent: prices under negotiation are changed in a revision.
    OfferKind.NEGOTIATING: frozenset({OfferKind.SENT, *_ENDS}),
    OfferKind.ACCEPTED: frozenset({OfferKind.CANCELLED}),
    OfferKind.DECLINED: frozenset({OfferKind.NEGOTIATING}),
    # Only a draft can be given a new last day, so an expired offer comes back as a revision.
    OfferKind.EXPIRED: frozenset({OfferKind.CANCELLED}),
    OfferKind.CANCELLED: frozenset(),
}
OPEN_KINDS = frozenset({OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING})
DECIDED_KINDS = frozenset({OfferKind.ACCEPTED, OfferKind.DECLINED})
REVISABLE_KINDS = OPEN_KINDS | {OfferKind.DECLINED, OfferKind.EXPIRED}


def may_move(before: OfferKind, after: OfferKind) -> bool:
    """Tell whether an offer of one kind may become another; a clinic's two statuses of one kind always may."""
    return before == after or after in MOVES[before]
