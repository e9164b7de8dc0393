"""Pages of a clinic's settings: what its documents look like."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.conflicts import NOTHING, Conflict
from portal.core.errors import RuleError, StaleVersionError
from portal.core.identity import request_actor
from portal.core.patient_texts import PATIENT_LANGUAGES, language_name
from portal.settings import queries, services
from portal.settings.forms import DocumentForm, document_form, known_language
from portal.settings.models import PdfTemplate
from portal.settings.preview import draw_sample
from portal.settings.templates import DEFAULT_ACCENT, Block, DocumentTexts, document_texts, texts_mark

blueprint = Blueprint("settings", __name__, url_prefix="/settings")
SAMPLE_LANGUAGE = "tr"  # where texts are for every language
LARGEST_UPLOAD = 25 * 1024 * 1024  # beyond it nothing is read; between 5 MB and this a clear answer is given


@blueprint.route("/documents", methods=["GET", "POST"])
@access(Permission.SETTINGS_WRITE)
def documents() -> ResponseReturnValue:
    """Change what documents say in one language, or in every one."""
    locale = known_language(request.args.get("lang"))
    template = next((row for row in queries.list_offer_templates() if row.locale == locale), None)
    form = document_form(template, sent=request.method == "POST")
    if not form.submitted():
        return _page(form, locale)
    try:
        services.save_texts(
            request_actor(), locale=locale, blocks=form.blocks(), accent=form.accent.data, seen=form.seen.data
        )  # fmt: skip
    except StaleVersionError:
        form.seen.data = texts_mark(template)
        return _page(form, locale, conflicts=_conflicts(form, template, locale))
    flash(_("Saved."), "success")
    return redirect(url_for("settings.documents", lang=locale))


@blueprint.post("/documents/preview")
@access(Permission.SETTINGS_WRITE, resumable=True)
def preview() -> ResponseReturnValue:
    """Show how what is being typed would print, as a picture where one is asked for; saves nothing."""
    locale, form = known_language(request.args.get("lang")), DocumentForm()
    if not form.validate():
        return _page(form, locale)
    told = _typed(form, locale)
    if request.accept_mimetypes.best == "image/png":
        picture = draw_sample(locale or SAMPLE_LANGUAGE, told)
        return Response(picture, mimetype="image/png") if picture else ("", 503)
    return _page(form, locale, told)


@blueprint.post("/documents/logo")
@access(Permission.SETTINGS_WRITE, max_bytes=LARGEST_UPLOAD)
def set_logo() -> ResponseReturnValue:
    """Take an uploaded picture as the clinic's logo."""
    upload = request.files.get("logo")
    try:
        services.set_logo(request_actor(), upload.read() if upload else b"")
        flash(_("The logo is set."), "success")
    except RuleError as error:
        flash(error.message, "danger")
    return redirect(url_for("settings.documents"))


@blueprint.post("/documents/logo/remove")
@access(Permission.SETTINGS_WRITE)
def remove_logo() -> ResponseReturnValue:
    """Print documents without a logo."""
    services.remove_logo(request_actor())
    flash(_("The logo is removed."), "success")
    return redirect(url_for("settings.documents"))


@blueprint.get("/documents/logo.png")
@access(Permission.SETTINGS_WRITE)
def logo() -> ResponseReturnValue:
    """Return the clinic's logo, nothing where it has none."""
    logo_id = document_texts(queries.list_offer_templates(), SAMPLE_LANGUAGE).logo_id
    if logo_id is None:
        return "", 204
    image = queries.get_image(logo_id)
    return Response(image.content, mimetype=image.mime)


def _typed(form: DocumentForm, locale: str | None) -> DocumentTexts:
    """Return what documents would say with what is being typed, over what is stored for every language."""
    templates = queries.list_offer_templates()
    stored = document_texts(templates, locale or SAMPLE_LANGUAGE)
    general = document_texts([row for row in templates if row.locale is None], SAMPLE_LANGUAGE)
    blocks = {name: text or (general.block(name) if locale else "") for name, text in form.blocks().items()}
    return DocumentTexts(blocks, stored.accent if locale else form.accent.data, stored.logo_id)


def _conflicts(form: DocumentForm, template: PdfTemplate | None, locale: str | None) -> list[Conflict]:
    """Return where what is stored now differs from what was typed."""
    stored = template.blocks if template else {}
    pairs = [(form[name], stored.get(name, ""), text) for name, text in form.blocks().items()]
    if locale is None:
        pairs.append((form.accent, (template.accent if template else None) or DEFAULT_ACCENT, form.accent.data))
    return [
        Conflict(str(field.label.text), theirs or NOTHING, mine or NOTHING)
        for field, theirs, mine in pairs
        if theirs != mine
    ]


def _page(
    form: DocumentForm, locale: str | None, told: DocumentTexts | None = None, *, conflicts: Sequence[Conflict] = ()
) -> ResponseReturnValue:
    general = document_texts([row for row in queries.list_offer_templates() if row.locale is None], SAMPLE_LANGUAGE)
    picture = draw_sample(locale or SAMPLE_LANGUAGE, told or _typed(form, locale)) if not form.errors else None
    page = render_template(
        "settings/documents.html", form=form, lang=locale, general=general, blocks=list(Block),
        tabs=[(None, _("Every language")), *((code, language_name(code)) for code in PATIENT_LANGUAGES)],
        picture=b64encode(picture).decode() if picture else None, conflicts=conflicts,
    )  # fmt: skip
    return page, 409 if conflicts else 422 if form.errors else 200
