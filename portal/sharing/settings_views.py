"""The page of what holds for all of a clinic's private links: how patients reach it, and what opens them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.identity import request_actor
from portal.core.phones import show_phone
from portal.sharing import services
from portal.sharing.forms import LinkSettingsForm
from portal.sharing.queries import allows_open_links, find_contact

blueprint = Blueprint("link_settings", __name__, url_prefix="/settings/links")


@blueprint.route("", methods=["GET", "POST"])
@access(Permission.SETTINGS_WRITE)
def edit() -> ResponseReturnValue:
    """Change whom patients call where a link does not open, and whether links may open without a second factor."""
    contact = find_contact()
    stored = {"phone": show_phone(contact.phone), "email": contact.email, "open_links": allows_open_links()}
    form = LinkSettingsForm(data=stored)
    if form.submitted():
        services.save_link_settings(
            request_actor(), phone=form.phone_e164, email=form.email.data, open_links=form.open_links.data
        )
        flash(_("Saved."), "success")
        return redirect(url_for("link_settings.edit"))
    return render_template("sharing/settings.html", form=form), 422 if form.errors else 200
