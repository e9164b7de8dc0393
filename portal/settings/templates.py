"""What a clinic's documents say in one language, put together of its templates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from portal.settings.models import PdfTemplate

DEFAULT_ACCENT = "#0f6b6f"


class Block(StrEnum):
    """The texts of a document that a clinic writes itself."""

    HEADER = "header"
    BANK = "bank"
    TERMS = "terms"
    FOOTER = "footer"


@dataclass(frozen=True)
class DocumentTexts:
    """A clinic's texts, colour and logo, for documents in one language."""

    blocks: dict[Block, str] = field(default_factory=dict)
    accent: str = DEFAULT_ACCENT
    logo_id: UUID | None = None

    def block(self, name: Block) -> str:
        """Return one text, "" where there is none."""
        return self.blocks.get(name, "")


def texts_mark(template: PdfTemplate | None) -> str:
    """Return what tells one state of a template's texts and colour from another."""
    state = (sorted(template.blocks.items()), template.accent) if template else ([], None)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def document_texts(templates: Iterable[PdfTemplate], locale: str) -> DocumentTexts:
    """Return the texts of ``locale``; what it lacks is taken from the template of every language."""
    by_locale = {row.locale: row for row in templates}
    general, own = by_locale.get(None), by_locale.get(locale)
    blocks: dict[Block, str] = {}
    for row in filter(None, (general, own)):
        blocks |= {Block(name): text for name, text in row.blocks.items() if text and name in set(Block)}
    if general is None:
        return DocumentTexts(blocks)
    return DocumentTexts(blocks, general.accent or DEFAULT_ACCENT, general.logo_id)
