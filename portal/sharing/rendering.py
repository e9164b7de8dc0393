"""The pages a visitor of a private link is shown: the question, the offer, and messages in place of them."""

from __future__ import annotations

from uuid import uuid4

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.core.identity import current_clinic
from portal.core.patient_texts import Texts
from portal.offers.models import Verify
from portal.settings.house import patient_languages
from portal.settings.letterhead import opening_hours
from portal.settings.queries import list_offer_templates
from portal.settings.templates import document_texts
from portal.sharing import page
from portal.sharing.deciding import Refusal
from portal.sharing.page import PatientPage, Typed
from portal.sharing.queries import find_contact, get_patient_of
from portal.sharing.visiting import Visitor, link_path, visitor_words


def gate_page(visitor: Visitor) -> str:
    """Return the page that asks for the second factor, or says that the link is locked."""
    method, words = Verify(visitor.recipient.verify_method or Verify.CODE), visitor.words
    problem = words.phrase("That was not right. Please try again.") if request.args.get("tried") else ""
    return _render(
        "gate", words, question=words.phrase(page.QUESTIONS[method]) if method in page.QUESTIONS else "",
        method=method, locked=visitor.recipient.locked_at is not None, problem=problem,
    )  # fmt: skip


def offer_page(visitor: Visitor, typed: Typed) -> str:
    """Return the offer, with what she typed where it was not taken."""
    view = PatientPage(visitor.offer, visitor.recipient, get_patient_of(visitor.recipient), visitor.words, typed)
    return _render("offer", visitor.words, view=view, form_key=uuid4())


def refused_page(visitor: Visitor, reason: Refusal, typed: Typed) -> ResponseReturnValue:
    """Return why a decision was not taken; over the offer itself where she can mend it there."""
    if reason is Refusal.EMPTY:
        return offer_page(visitor, typed), 422
    return message_page(page.REFUSED[reason], 409, words=visitor.words, back=True)


def message_page(text: str, code: int, *, words: Texts | None = None, back: bool = False) -> ResponseReturnValue:
    """Return one sentence in place of the offer, and the way back to it where there is one."""
    words = words or visitor_words()
    return _render("message", words, text=words.phrase(text), back=back), code


def closed_page() -> ResponseReturnValue:
    """Say that the clinic itself is closed here, of this link nothing at all."""
    words = visitor_words()
    text = words.phrase("The pages of %(clinic)s are closed at the moment.", clinic=current_clinic().name)
    return _render("message", words, text=text, closed=True), 403


def _render(name: str, words: Texts, **values: object) -> str:
    if name != "offer":
        values |= {"contact": find_contact(), "hours": opening_hours(words)}
    has_logo = name != "message" and document_texts(list_offer_templates(), words.locale).logo_id is not None
    return render_template(
        f"sharing/page/{name}.html", phrase=words.phrase, phrase_n=words.phrase_n, words=words, path=link_path(),
        languages=page.languages(words.locale, patient_languages()), has_logo=has_logo, **values,
    )  # fmt: skip
