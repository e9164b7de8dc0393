"""What permissions, states and actions are called on the staff pages."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission
from portal.staff.queries import PersonState

PERMISSION_LABELS: dict[Permission, LazyString] = {
    Permission.PATIENTS_READ: _l("See patients"),
    Permission.PATIENTS_WRITE: _l("Register and change patients"),
    Permission.PATIENTS_EXPORT: _l("Download lists of patients"),
    Permission.PATIENTS_MERGE: _l("Join patients registered twice"),
    Permission.MEDICAL_READ: _l("See medical data"),
    Permission.MEDICAL_WRITE: _l("Change medical data"),
    Permission.FILES_READ: _l("See patients' files"),
    Permission.FILES_WRITE: _l("Add and remove patients' files"),
    Permission.OFFERS_READ: _l("See offers"),
    Permission.OFFERS_WRITE: _l("Write and send offers"),
    Permission.OFFERS_EXPORT: _l("Download lists of offers"),
    Permission.OFFERS_SIGN: _l("Sign offers off as a dentist"),
    Permission.CATALOG_READ: _l("See treatments and prices"),
    Permission.CATALOG_WRITE: _l("Change treatments and prices"),
    Permission.SOURCES_WRITE: _l("Change referral sources"),
    Permission.RULES_WRITE: _l("Change follow-up rules"),
    Permission.SETTINGS_WRITE: _l("Change the clinic's settings"),
    Permission.STAFF_WRITE: _l("Manage staff"),
    Permission.PRIVACY_MANAGE: _l("Manage privacy and see who read what"),
}
STATE_LABELS: dict[PersonState, LazyString] = {
    PersonState.ACTIVE: _l("Active"),
    PersonState.INVITED: _l("Invited"),
    PersonState.INACTIVE: _l("Deactivated"),
}
STATE_KINDS = {PersonState.ACTIVE: "ok", PersonState.INVITED: "pending", PersonState.INACTIVE: "cancelled"}
FIELDS: dict[str, str | LazyString] = {
    "name": _l("Name"), "title": _l("Job title"), "phone_e164": _l("Phone"), "locale": _l("Language"),
    "role": _l("Role"),
}  # fmt: skip
ACTIONS: dict[str, str | LazyString] = {
    "account.created": _l("made the account"),
    "account.changed": _l("changed the account"),
    "account.permissions": _l("changed the permissions"),
    "account.invited": _l("invited this colleague"),
    "invite.made": _l("made a link for the invitation"),
    "invite.used": _l("accepted the invitation"),
    "links.revoked": _l("took back the links before"),
    "account.deactivated": _l("deactivated the account"),
    "account.reactivated": _l("let this colleague in again"),
    "work.reassigned": _l("handed work over"),
    "sessions.ended": _l("ended sessions"),
    "password.demanded": _l("asked for a new password"),
    "reset.made": _l("sent a link for a new password"),
    "reset.used": _l("chose a new password by the link"),
    "second_step.begun": _l("began to set up the second step at login"),
    "second_step.on": _l("turned the second step at login on"),
    "second_step.off": _l("turned the second step at login off"),
    "second_step.codes": _l("made new recovery codes"),
    "second_step.recovery": _l("logged in with a recovery code"),
    "password.rehashed": _l("logged in with an imported password, which is now kept in a better way"),
    "language.changed": _l("chose another language"),
    "password.changed": _l("changed the password"),
    "session.started": _l("logged in"),
    "session.ended": _l("logged out"),
}
