"""The page of messages to patients."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission, access
from portal.core.clock import today
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.identity import current_clinic, request_actor
from portal.core.links import ListLinks, chosen
from portal.core.patient_texts import PATIENT_LANGUAGES, language_name, texts
from portal.settings import messages
from portal.settings.index import SettingsPage, add_page
from portal.settings.message_forms import CHANNELS, OCCASIONS, MessageForm, message_form
from portal.settings.messages import Message, MessageChannel, Occasion
from portal.settings.views import blueprint

add_page(
    SettingsPage("settings.edit_messages", _l("Messages to patients"), _l("What you write with a link, and after it."),
                 "chat-dots")
)  # fmt: skip
Place = tuple[Occasion, MessageChannel, str]


@blueprint.route("/messages", methods=["GET", "POST"])
@access(Permission.SETTINGS_WRITE)
def edit_messages() -> ResponseReturnValue:
    """Change one message in one language, look at it filled in, or take the shipped text back."""
    place = _place()
    row, shipped = messages.find_template(*place), messages.default_message(*place)
    stored = shipped if row is None else Message(row.body, row.subject)
    form = message_form(place[0], place[1], stored, row.version if row else 0)
    conflicts: list[Conflict] = []
    if form.submitted() and not request.form.get("preview"):
        try:
            messages.save_template(request_actor(), *place, version=form.version.data, message=form.message())
            flash(_("Saved."), "success")
            return redirect(_url(place))
        except StaleVersionError:
            conflicts = _conflicts(form, place)
    return _page(form, place, own=row is not None, conflicts=conflicts)


@blueprint.post("/messages/reset")
@access(Permission.SETTINGS_WRITE)
def reset_message() -> ResponseReturnValue:
    """Take the shipped text back."""
    place = _place()
    messages.reset_template(request_actor(), *place)
    flash(_("The text that comes with Clinikoop holds again."), "success")
    return redirect(_url(place))


def _place() -> Place:
    """Return the message an address names; what makes no sense counts as not given."""
    args = request.args
    locale = args.get("lang") if args.get("lang") in PATIENT_LANGUAGES else PATIENT_LANGUAGES[0]
    return (
        chosen(Occasion, args.get("of")) or Occasion.SHARE,
        chosen(MessageChannel, args.get("by")) or MessageChannel.WHATSAPP,
        str(locale),
    )


def _url(place: Place, endpoint: str = "settings.edit_messages") -> str:
    return url_for(endpoint, of=place[0], by=place[1], lang=place[2])


def _samples(locale: str) -> dict[str, str]:
    words, day = texts(locale), today(current_clinic().timezone) + timedelta(days=14)
    return {
        "patient": "Ayşe Yılmaz", "clinic": current_clinic().name, "link": "https://…/o/3f8Kq2",
        "valid_until": words.day(day),
    }  # fmt: skip


def _conflicts(form: MessageForm, place: Place) -> list[Conflict]:
    row = messages.find_template(*place)
    now = Message(row.body, row.subject) if row else messages.default_message(*place)
    form.version.data = row.version if row else 0
    return [Conflict(_("Text"), now.body, form.message().body)]


def _page(form: MessageForm, place: Place, *, own: bool, conflicts: list[Conflict]) -> ResponseReturnValue:
    links = ListLinks(url_for("settings.edit_messages"), {"of": place[0], "by": place[1], "lang": place[2]})
    tabs = [
        (_("When"), links.options("of", OCCASIONS)),
        (_("By"), links.options("by", CHANNELS)),
        (_("Language"), links.options("lang", {code: language_name(code) for code in PATIENT_LANGUAGES})),
    ]
    samples = _samples(place[2])
    slots = [f"{{{name}}}" for name in messages.SLOTS[place[0]]]
    page = render_template(
        "settings/messages.html", form=form, tabs=tabs, lang=place[2], own=own, conflicts=conflicts, samples=samples,
        slots=slots, shown=messages.fill(form.message(), samples), reset_url=_url(place, "settings.reset_message"),
    )  # fmt: skip
    return page, 409 if conflicts else 422 if form.errors else 200
