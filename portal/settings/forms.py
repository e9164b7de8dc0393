"""Forms of a clinic's document templates."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Regexp
from wtforms.widgets import ColorInput

from portal.core.forms import PortalForm, TextField
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.settings.models import PdfTemplate
from portal.settings.templates import DEFAULT_ACCENT, Block


class DocumentForm(PortalForm):
    """The texts of a document in one language, or in every one, and its colour."""

    header = TextField(_l("Letterhead"), limit=500, description=_l("Address, phone, licence: beside the logo."))
    bank = TextField(_l("How to pay"), limit=1000, description=_l("Bank, IBAN, SWIFT, and what is due when."))
    terms = TextField(_l("Terms"), limit=8000)
    footer = TextField(_l("Foot of every page"), limit=300, description=_l("Company name and tax number, for example."))
    accent = StringField(
        _l("Colour"), [Regexp(r"#[0-9a-fA-F]{6}\Z", message=_l("Write the colour as #0f6b6f."))],
        default=DEFAULT_ACCENT, widget=ColorInput(), filters=[lambda value: value or DEFAULT_ACCENT],
    )  # fmt: skip

    def blocks(self) -> dict[Block, str]:
        """Return the texts by block."""
        return {name: self[name].data or "" for name in Block}


def document_form(template: PdfTemplate | None, *, sent: bool) -> DocumentForm:
    """Return the form of one language's texts, as stored unless it was sent."""
    if sent:
        return DocumentForm()
    stored = {name: text for name, text in (template.blocks if template else {}).items() if name in set(Block)}
    accent = (template.accent if template else None) or DEFAULT_ACCENT
    return DocumentForm(formdata=None, data={**stored, "accent": accent})


def known_language(value: str | None) -> str | None:
    """Return the language of documents that an address names; None for every language."""
    return value if value in PATIENT_LANGUAGES else None
