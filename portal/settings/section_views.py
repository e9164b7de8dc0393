"""Pages of a clinic's settings: what there is, each section's form, and who changed what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, after_this_request, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.forms import PortalForm
from portal.core.identity import current_identity, request_actor
from portal.settings import index, sections
from portal.settings.registry import Definition, Section, find_stored, list_definitions
from portal.settings.section_forms import field_name, section_form
from portal.settings.views import blueprint
from portal.settings.words import describe


@dataclass(frozen=True)
class Row:
    """A setting on its section's page."""

    key: str
    field: Any
    help: str
    default: str
    own: str | None  # what the clinic set, where it is not the default


@blueprint.get("/")
@access(Permission.SETTINGS_WRITE)
def show_index() -> ResponseReturnValue:
    """List the parts of the settings."""
    parts = [page for section, page in index.SECTIONS.items() if list_definitions(section)]
    mine = [page for page in index.pages if page.permission in current_identity().permissions]
    return render_template("settings/index.html", parts=parts, pages=mine)


@blueprint.get("/history")
@access(Permission.SETTINGS_WRITE)
def show_history() -> ResponseReturnValue:
    """Show who changed which setting, of one section or of all."""
    known = [section for section in Section if list_definitions(section)]
    wanted = next((section for section in known if section == request.args.get("of")), None)
    tabs = [(None, _("All")), *((section, index.SECTIONS[section].label) for section in known)]
    return render_template("settings/history.html", entries=sections.list_changes(wanted), wanted=wanted, tabs=tabs)


@blueprint.post("/reset")
@access(Permission.SETTINGS_WRITE)
def reset() -> ResponseReturnValue:
    """Let one setting's default hold again."""
    found = sections.reset_to_default(request_actor(), request.form.get("key", ""))
    if found is None:
        abort(404)
    _forget_clinics()
    flash(_("%(name)s: the default holds again.", name=found.label), "success")
    return redirect(url_for(index.SECTIONS[found.section].endpoint))  # type: ignore[index]


def _edit(section: Section) -> ResponseReturnValue:
    definitions = list_definitions(section)
    if not definitions:
        abort(404)
    stored = find_stored(definitions)
    form = section_form(definitions, sections.section_values(definitions, stored), sections.fingerprint(stored))
    conflicts: list[Conflict] = []
    if form.submitted():
        values = {row.key: form[field_name(row)].data for row in definitions}
        try:
            sections.save_section(request_actor(), section, values=_texts(values), seen=form["seen"].data)
        except StaleVersionError:
            conflicts = _conflicts(definitions, form)
        else:
            _forget_clinics()
            flash(_("Saved."), "success")
            return redirect(url_for(index.SECTIONS[section].endpoint))
    page = _page(section, definitions, form, conflicts)
    return page, 409 if conflicts else 422 if form.errors else 200


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as their kinds keep them: no text is "", several choices are in one order."""
    return {
        key: "" if value is None else tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
    }


def _conflicts(definitions: Sequence[Definition[Any]], form: PortalForm) -> list[Conflict]:
    """Return where what is stored now differs from what was typed, and let the form be saved over it."""
    stored = find_stored(definitions)
    theirs = sections.section_values(definitions, stored)
    mine = _texts({row.key: form[field_name(row)].data for row in definitions})
    form["seen"].data = sections.fingerprint(stored)
    return [
        Conflict(str(row.label), describe(row, theirs[row.key]), describe(row, mine[row.key]))
        for row in definitions
        if row.kind.write(theirs[row.key]) != row.kind.write(mine[row.key])
    ]


def _page(section: Section, definitions: Sequence[Definition[Any]], form: PortalForm, conflicts: list[Conflict]) -> str:
    stored = find_stored(definitions)
    values = sections.section_values(definitions, stored)
    rows = [
        Row(
            row.key, form[field_name(row)], str(row.help), "" if row.required else describe(row, row.default),
            None if row.required or values[row.key] == row.default else describe(row, values[row.key]),
        )
        for row in definitions
    ]  # fmt: skip
    return render_template(
        "settings/section.html", page=index.SECTIONS[section], section=section, form=form, rows=rows,
        conflicts=conflicts, previews=index.previews(section),
    )  # fmt: skip


def _forget_clinics() -> None:
    """Let this process look its clinics up again, once what was changed is committed."""

    def forget(response: Response) -> Response:
        current_app.extensions["clinic_directory"].forget()
        return response

    after_this_request(forget)


def _page_of(section: Section) -> Callable[[], ResponseReturnValue]:
    @access(Permission.SETTINGS_WRITE)
    def edit() -> ResponseReturnValue:
        return _edit(section)

    return edit


for _section in Section:
    blueprint.add_url_rule(f"/{_section}", f"section_{_section}", _page_of(_section), methods=["GET", "POST"])
