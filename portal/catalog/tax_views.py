"""The page about VAT: rates, exemptions, the permit they hang on, and the newest exchange rates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog import pricing, taxes
from portal.catalog.forms import VAT_CLASSES
from portal.catalog.rates.queries import find_bulletin
from portal.catalog.views import blueprint
from portal.core.access import Permission, access
from portal.core.clock import today
from portal.core.identity import current_clinic, request_actor
from portal.core.money import Currency
from portal.settings.kinds import YES


@blueprint.get("/taxes")
@access(Permission.CATALOG_READ)
def show_taxes() -> ResponseReturnValue:
    """Show the VAT rates and exemptions, and the exchange rates that offers count with."""
    return render_template(
        "catalog/taxes.html",
        rules=taxes.list_rules(),
        exemptions=taxes.list_exemptions(),
        classes=VAT_CLASSES,
        permit=pricing.holds_permit(),
        bulletin=find_bulletin(today(current_clinic().timezone)),
        currencies=[currency for currency in Currency if currency is not Currency.TRY],
    )


@blueprint.post("/taxes/permit")
@access(Permission.CATALOG_WRITE)
def declare_permit() -> ResponseReturnValue:
    """Note whether the clinic holds the health tourism permit."""
    held = request.form.get("held") == YES
    taxes.declare_permit(request_actor(), held=held)
    flash(_("Exemptions apply from now on.") if held else _("Exemptions no longer apply."), "success")
    return redirect(url_for("catalog.show_taxes"))
