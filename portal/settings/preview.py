"""How documents would look: the module that prints them, above this one, says here how it shows a sample."""

from __future__ import annotations

from collections.abc import Callable

from portal.settings.templates import DocumentTexts

Sampler = Callable[[str, DocumentTexts], bytes]
_samplers: list[Sampler] = []


def show_samples_by(sampler: Sampler) -> None:
    """Let ``sampler`` draw a sample's first page as PNG, of a language and texts; it raises RuntimeError."""
    _samplers[:] = [sampler]


def draw_sample(locale: str, told: DocumentTexts) -> bytes | None:
    """Return the first page of a sample as PNG, or None where it cannot be drawn."""
    try:
        return _samplers[0](locale, told)
    except (IndexError, RuntimeError):
        return None
