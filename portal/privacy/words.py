"""How the kinds of privacy's rows are called, in the reader's language."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.privacy.models import AccessAction, ConsentChannel, ConsentKind, RequestKind, RequestStatus

KINDS: dict[str, LazyString] = {
    ConsentKind.NOTICE: _l("Privacy notice"),
    ConsentKind.TREATMENT: _l("Treatment"),
    ConsentKind.PHOTO_RECORD: _l("Photographs for the record"),
    ConsentKind.PHOTO_PUBLISH: _l("Publishing photographs"),
    ConsentKind.MARKETING: _l("Marketing messages"),
    ConsentKind.WHATSAPP: _l("Messages over WhatsApp"),
    ConsentKind.ABROAD_TRANSFER: _l("Transfer abroad"),
}
CHANNELS: dict[str, LazyString] = {
    ConsentChannel.PAPER: _l("on paper"),
    ConsentChannel.ON_SCREEN: _l("on the screen"),
    ConsentChannel.LINK: _l("through a link"),
    ConsentChannel.VERBAL: _l("by word of mouth"),
}
READS: dict[str, LazyString] = {
    AccessAction.VIEW: _l("looked at the record"),
    AccessAction.MEDICAL: _l("looked at the medical record"),
    AccessAction.FILE: _l("opened a file"),
    AccessAction.EXPORT: _l("exported data"),
    AccessAction.PRINT: _l("made a document"),
    AccessAction.EDIT: _l("opened the record to change it"),
}
TABLES: dict[str, LazyString] = {
    "patients": _l("Patient"), "patient_offers": _l("Links to offers"), "patient_consents": _l("Consents"),
    "patient_merges": _l("Joined duplicates"), "data_subject_requests": _l("Requests about personal data"),
    "notes": _l("Notes"), "note_revisions": _l("Earlier versions of notes"), "reminders": _l("Reminders"),
    "offers": _l("Offers"), "offer_options": _l("Options of offers"), "offer_visits": _l("Visits of offers"),
    "offer_questions": _l("Questions"), "patient_medical": _l("Medical record"), "patient_files": _l("Files"),
    "pdf_documents": _l("Documents of offers"), "offer_signatures": _l("Signatures"), "outbox_mails": _l("Mails"),
    "patient_terms": _l("Words of the search"), "offer_terms": _l("Words of the search for offers"),
}  # fmt: skip
REQUESTS: dict[str, LazyString] = {
    RequestKind.ACCESS: _l("What is stored"),
    RequestKind.EXPORT: _l("A copy of the data"),
    RequestKind.RECTIFY: _l("Correction"),
    RequestKind.ERASE: _l("Erasure"),
    RequestKind.OBJECT: _l("Objection"),
}
STATES: dict[str, LazyString] = {
    RequestStatus.OPEN: _l("Open"),
    RequestStatus.DONE: _l("Done"),
    RequestStatus.REFUSED: _l("Refused"),
}
