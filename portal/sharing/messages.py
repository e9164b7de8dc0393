"""What is written to a patient beside her link, in her language: never what is treated, nor what it costs."""

from __future__ import annotations

from portal.core.patient_texts import texts
from portal.settings.messages import MessageChannel, Occasion, render_message


def share_message(locale: str, *, clinic: str, link: str, patient: str = "") -> str:
    """Return the message a link travels with, to be changed by whoever sends it: the clinic's own text, or ours."""
    values = {"clinic": clinic, "link": link, "patient": patient}
    return render_message(Occasion.SHARE, MessageChannel.WHATSAPP, locale, values).body


def mail_subject(locale: str, *, clinic: str) -> str:
    """Return the subject of every mail to a patient: it may be read over her shoulder."""
    return texts(locale).phrase("A message from %(clinic)s", clinic=clinic)


def accepted_mail(locale: str, *, clinic: str, number: str, total: str, day: str, sha256: str, link: str) -> str:
    """Return the copy a patient gets of what she has accepted; the treatments stay behind the link."""
    words = texts(locale)
    lines = (
        words.phrase("You have accepted offer %(number)s of %(clinic)s.", number=number, clinic=clinic),
        words.phrase("Total: %(total)s. Signed on %(day)s.", total=total, day=day),
        words.phrase("What you accepted stands here: %(link)s", link=link),
        words.phrase("Fingerprint of what you signed: %(sha256)s", sha256=sha256),
    )
    return "\n\n".join(lines) + "\n"
