"""Pages that find duplicates, join them and part them again."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import VIEW, Permission, access
from portal.core.errors import NotFoundError, RuleError, StaleVersionError
from portal.core.identity import request_actor
from portal.core.panels import patient_page
from portal.core.reads import note_reads
from portal.patients import duplicates, merging, queries
from portal.patients import merging_presenting as presenting
from portal.patients.merging_forms import MergeForm, merge_form
from portal.patients.models import Patient
from portal.patients.views import blueprint

patient_page.add(Permission.PATIENTS_MERGE, presenting.merge_panel)


@blueprint.get("/duplicates")
@access(Permission.PATIENTS_MERGE)
def list_duplicates() -> ResponseReturnValue:
    """List possible duplicates; two numbers lead straight to the comparison."""
    numbers = [request.args.get(name, "")[:20] for name in ("keep", "join")]
    if any(numbers):
        found = [duplicates.find_number(number) for number in numbers]
        if None not in found and found[0] != found[1]:
            return redirect(url_for("patients.merge", patient_id=found[0], other_id=found[1]))
        flash(_("There are no two patients with these numbers."), "warning")
    groups = presenting.groups()
    return render_template("patients/duplicates.html", groups=groups, numbers=numbers, told=presenting.born_and_lives)


@blueprint.route("/<uuid:patient_id>/merge/<uuid:other_id>", methods=["GET", "POST"])
@access(Permission.PATIENTS_MERGE, reads="patient_id")
def merge(patient_id: UUID, other_id: UUID) -> ResponseReturnValue:
    """Compare two patients, choose between their values, and join the second to the first."""
    kept, other = queries.get_patient(patient_id), queries.get_patient(other_id)
    note_reads(VIEW, [other_id])
    form = merge_form(presenting.differences(kept, other), version=kept.version, other_version=other.version)
    problems = merging.merge_problems(kept, other)
    if not form.submitted() or problems:
        return _compare_page(kept, other, form, 422 if form.errors else 200)
    versions = (form.version.data, form.other_version.data)
    try:
        made = merging.merge_patients(
            request_actor(), kept_id=kept.id, merged_id=other.id, versions=versions, taken=form.taken()
        )
    except StaleVersionError:
        flash(_("One of the two was changed while you compared them. Look again, then join them."), "warning")
        return _compare_page(kept, other, None, 409)
    undo = url_for("patients.undo_merge", patient_id=kept.id, merge_id=made.id)
    flash({"text": _("The two patients are one now."), "undo_url": undo}, "success")  # type: ignore[arg-type]
    return redirect(url_for("patients.show", patient_id=kept.id))


def _compare_page(kept: Patient, other: Patient, form: MergeForm | None, status: int) -> ResponseReturnValue:
    """Show both; without a form, the one that fits how they stand now."""
    differences = presenting.differences(kept, other)
    if form is None:
        form = merge_form(differences, formdata=None, version=kept.version, other_version=other.version)
    shown = {"kept": kept, "other": other, "differences": differences, "shares": presenting.shares(kept, other)}
    problems = merging.merge_problems(kept, other)
    return render_template("patients/merge.html", form=form, problems=problems, **shown), status


@blueprint.post("/<uuid:patient_id>/merges/<uuid:merge_id>/undo")
@access(Permission.PATIENTS_MERGE)
def undo_merge(patient_id: UUID, merge_id: UUID) -> ResponseReturnValue:
    """Part two patients again, or say why that is no longer possible."""
    if duplicates.get_merge(merge_id).kept_id != patient_id:
        raise NotFoundError
    try:
        merging.undo_merge(request_actor(), merge_id)
    except RuleError as error:
        flash(_("They stay one: %(reason)s", reason=error.message), "warning")
    else:
        flash(_("They are two patients again, each with what was theirs."), "success")
    return redirect(url_for("patients.show", patient_id=patient_id))
