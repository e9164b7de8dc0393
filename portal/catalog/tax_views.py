"""The page about VAT: rates, exemptions, the permit they hang on, and the newest exchange rates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalog import pricing, tax_changes, taxes
from portal.catalog.forms import VAT_CLASSES
from portal.catalog.rates.queries import find_bulletin
from portal.catalog.tax_forms import EndForm, ExemptionForm, RateForm
from portal.catalog.views import blueprint
from portal.core.access import Permission, access
from portal.core.clock import today
from portal.core.errors import NotFoundError, RuleError
from portal.core.identity import current_clinic, request_actor
from portal.core.money import Currency
from portal.settings.index import SettingsPage, add_page
from portal.settings.kinds import YES

add_page(
    SettingsPage(
        "catalog.show_taxes", _l("VAT and exchange rates"), _l("Rates, exemptions, and the health tourism permit."),
        "percent", Permission.CATALOG_WRITE,
    )
)  # fmt: skip


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
        day=today(current_clinic().timezone),
    )


@blueprint.post("/taxes/permit")
@access(Permission.CATALOG_WRITE)
def declare_permit() -> ResponseReturnValue:
    """Note whether the clinic holds the health tourism permit."""
    held = request.form.get("held") == YES
    taxes.declare_permit(request_actor(), held=held)
    flash(_("Exemptions apply from now on.") if held else _("Exemptions no longer apply."), "success")
    return redirect(url_for("catalog.show_taxes"))


@blueprint.route("/taxes/rates/new", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def new_rate() -> ResponseReturnValue:
    """Let a VAT rate hold from a day on."""
    form, day = RateForm(), today(current_clinic().timezone)
    if form.submitted() and form.rate.data is not None and form.valid_from.data:
        try:
            tax_changes.add_rate(
                request_actor(), vat_class=form.vat_class.data, rate=form.rate.data, valid_from=form.valid_from.data,
                day=day,
            )  # fmt: skip
            flash(_("The rate is added."), "success")
            return redirect(url_for("catalog.show_taxes"))
        except RuleError as error:
            form.form_errors.append(error.message)
    return _form_page(form, _("New VAT rate"))


@blueprint.route("/taxes/exemptions/new", methods=["GET", "POST"])
@access(Permission.CATALOG_WRITE)
def new_exemption() -> ResponseReturnValue:
    """Exempt a class of treatments from a day on."""
    form, day = ExemptionForm(), today(current_clinic().timezone)
    if form.submitted() and form.valid_from.data:
        try:
            tax_changes.add_exemption(
                request_actor(), vat_class=form.vat_class.data, residency=form.residency.data, code=form.code.data,
                valid_from=form.valid_from.data, day=day,
            )  # fmt: skip
            flash(_("The exemption is added."), "success")
            return redirect(url_for("catalog.show_taxes"))
        except RuleError as error:
            form.form_errors.append(error.message)
    return _form_page(form, _("New exemption"))


@blueprint.post("/taxes/exemptions/end")
@access(Permission.CATALOG_WRITE)
def end_exemption() -> ResponseReturnValue:
    """Let an exemption end today."""
    wanted = EndForm().exemption_id.data
    if wanted is None:
        raise NotFoundError
    try:
        tax_changes.end_exemption(request_actor(), wanted, day=today(current_clinic().timezone))
        flash(_("The exemption ends today."), "success")
    except RuleError as error:
        flash(error.message, "warning")
    return redirect(url_for("catalog.show_taxes"))


def _form_page(form: RateForm | ExemptionForm, title: str) -> ResponseReturnValue:
    return render_template("catalog/tax_form.html", form=form, title=title), 422 if form.errors else 200
