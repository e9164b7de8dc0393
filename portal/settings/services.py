"""Changing a clinic's document templates and its logo."""

from __future__ import annotations

from collections.abc import Mapping

from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.settings.images import clean_image
from portal.settings.models import ClinicImage, PdfTemplate
from portal.settings.queries import OFFER_TEMPLATE, list_offer_templates
from portal.settings.registry import own_clinic
from portal.settings.templates import Block, texts_mark


def save_texts(
    actor: Actor, *, locale: str | None, blocks: Mapping[Block, str], accent: str | None = None, seen: str = ""
) -> None:
    """Keep what documents say in one language, in every language where ``locale`` is None; ``accent`` goes with that.

    A text that is left empty is taken from the template of every language. Raises StaleVersionError where the
    texts are no longer as they were ``seen``, by their mark.
    """
    own_clinic(lock=True)
    stored = next((row for row in list_offer_templates() if row.locale == locale), None)
    if seen and seen != texts_mark(stored):
        raise StaleVersionError
    template = _template(actor, locale)
    before, after = dict(template.blocks), {str(name): text for name, text in blocks.items() if text}
    changes = {str(name): [before.get(name), after.get(name)] for name in Block if before.get(name) != after.get(name)}
    if locale is None and accent != template.accent:
        changes["accent"] = [template.accent, accent]
        template.accent = accent
    if changes:
        template.blocks = after
        audit.record(actor, "template.changed", template, changes=changes)


def set_logo(actor: Actor, data: bytes) -> None:
    """Take a picture as the clinic's logo; raises RuleError where it is none that can be taken."""
    made = clean_image(data)
    image = ClinicImage(
        mime=made.mime, content=made.content, sha256=made.sha256, width=made.width, height=made.height
    )  # fmt: skip
    session = current_session()
    session.add(image)
    audit.record(actor, "image.added", image, changes={"sha256": [None, made.sha256]})
    session.flush()
    _use(actor, image)


def remove_logo(actor: Actor) -> None:
    """Print documents with the clinic's name instead of a logo."""
    _use(actor, None)


def _use(actor: Actor, image: ClinicImage | None) -> None:
    """Put another logo in place of the one before, and delete that one."""
    template, session = _template(actor, None), current_session()
    before = session.get(ClinicImage, (template.clinic_id, template.logo_id)) if template.logo_id else None
    if before is image:
        return
    hashes = [before.sha256 if before else None, image.sha256 if image else None]
    template.logo_id = image.id if image else None
    audit.record(actor, "template.changed", template, changes={"logo": hashes})
    session.flush()
    if before is not None:
        session.delete(before)


def _template(actor: Actor, locale: str | None) -> PdfTemplate:
    found = next((row for row in list_offer_templates() if row.locale == locale), None)
    if found is None:
        name = OFFER_TEMPLATE if locale is None else f"{OFFER_TEMPLATE} {locale}"
        found = PdfTemplate(name=name, body="", locale=locale, blocks={}, is_default=locale is None)
        current_session().add(found)
        audit.record(actor, "template.created", found, changes={"locale": [None, locale]})
        current_session().flush()
    return found
