"""How the board of offers is written on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _

from portal.core.clock import now
from portal.offers.board import COLUMNS
from portal.offers.listing import KINDS, status_label
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.presenting import is_over
from portal.offers.reading import reading_of
from portal.offers.rules import OPEN_KINDS, may_move
from portal.offers.sealing import clinic_today


@dataclass(frozen=True)
class Column:
    """One column: its kind, what stands in it, and the newest of that as cards."""

    kind: OfferKind
    label: LazyString
    sums: list[Any]
    cards: list[Any]

    @property
    def count(self) -> int:
        """How many offers stand here."""
        return sum(row.count for row in self.sums)


class BoardView:
    """What the board's template shows."""

    def __init__(
        self, sums: Sequence[Any], cards: Sequence[Any], statuses: Sequence[OfferStatus], *, mine: bool
    ) -> None:
        self.mine, self._statuses, self._day = mine, statuses, clinic_today()
        self.columns = [
            Column(
                kind, KINDS[kind], [row for row in sums if row.kind == kind], [row for row in cards if row.kind == kind]
            )
            for kind in COLUMNS
        ]  # fmt: skip

    def moves(self, card: Any) -> list[tuple[str, str, str]]:
        """Return (status, kind, label) of where a card may go."""
        return [
            (str(status.id), status.kind, status_label(status))
            for status in self._statuses
            if status.is_active
            and status.id != card.status_id
            and may_move(OfferKind(card.kind), OfferKind(status.kind))
        ]

    @staticmethod
    def age(card: Any) -> str:
        """Say for how long an offer waits, since it was sent or else drafted."""
        days = (now() - (card.sent_at or card.created_at)).days
        return ngettext("%(num)s day", "%(num)s days", days) if days > 0 else _("today")

    @staticmethod
    def reading(card: Any) -> str:
        """Say how the patient read the offer, "" where it was not shared."""
        return reading_of(card, waits=card.kind in OPEN_KINDS)

    def is_over(self, card: Any) -> bool:
        """Whether an offer waits past its last day."""
        return is_over(card.valid_until, card.kind, self._day)
