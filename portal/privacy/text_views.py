"""Pages of the texts patients are told of and agree to."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import NotFoundError, StaleVersionError
from portal.core.identity import current_clinic, request_actor
from portal.core.links import chosen
from portal.core.patient_texts import PATIENT_LANGUAGES, language_name
from portal.privacy import texts
from portal.privacy.forms import TextForm
from portal.privacy.models import ConsentKind
from portal.privacy.views import blueprint
from portal.privacy.words import KINDS


@blueprint.get("/texts")
@access(Permission.PRIVACY_MANAGE)
def list_texts() -> ResponseReturnValue:
    """Show which texts are in force, in which languages."""
    languages = [(code, language_name(code)) for code in PATIENT_LANGUAGES]
    return render_template("privacy/texts.html", kinds=KINDS, languages=languages, current=texts.list_current())


@blueprint.route("/texts/edit", methods=["GET", "POST"])
@access(Permission.PRIVACY_MANAGE)
def edit_text() -> ResponseReturnValue:
    """Write the next version of a text; the first starts from the portal's draft."""
    kind, locale = chosen(ConsentKind, request.args.get("kind", "notice")), request.args.get("locale", "tr")
    if kind is None or locale not in PATIENT_LANGUAGES:
        raise NotFoundError
    versions, status = texts.list_versions(kind, locale), 200
    after = versions[0].version_no if versions else 0
    start = versions[0].body if versions else texts.draft(kind, locale, clinic=current_clinic().name)
    form = TextForm(after=after, body=start)
    if form.submitted():
        try:
            texts.publish_text(
                request_actor(), kind=kind, locale=locale, body=form.body.data, after=form.after.data
            )  # fmt: skip
        except StaleVersionError:
            flash(_("Somebody else published a version meanwhile. Compare it below, then publish yours."), "warning")
            form.after.data, status = after, 409
        else:
            flash(_("The text is published. Consents noted from now on refer to it."), "success")
            return redirect(url_for("privacy.list_texts"))
    shown = {"kind": kind, "locale": locale, "versions": versions, "label": KINDS[kind]}
    page = render_template("privacy/edit_text.html", form=form, language=language_name(locale), **shown)
    return page, 422 if form.errors else status


@blueprint.get("/texts/<uuid:text_id>")
@access(Permission.PATIENTS_READ)
def show_text(text_id: UUID) -> ResponseReturnValue:
    """Show one version of a text, as it was agreed to."""
    text = texts.get_text(text_id)
    return render_template(
        "privacy/text.html", text=text, label=KINDS[text.kind], language=language_name(text.locale)
    )  # fmt: skip
