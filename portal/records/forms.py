"""The form of a medical record."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Form, FormField, SelectField, SelectMultipleField, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.forms import LineField, PortalForm, RowsField, TextField, VersionField, choices
from portal.records.document import Allergy, Flag, MedicalRecord, Medication, Severity

MAX_ROWS, EMPTY_ROWS = 40, 2
SEVERITIES = {Severity.SEVERE: _l("Severe"), Severity.MODERATE: _l("Moderate"), Severity.MILD: _l("Mild")}
FLAGS = {
    Flag.ANTICOAGULANT: _l("Takes a blood thinner"),
    Flag.BISPHOSPHONATE: _l("Bisphosphonate or denosumab"),
    Flag.BLEEDING: _l("Bleeding disorder"),
    Flag.ENDOCARDITIS: _l("Needs antibiotics before treatment (endocarditis)"),
    Flag.PREGNANT: _l("Pregnant"),
    Flag.BREASTFEEDING: _l("Breastfeeding"),
    Flag.PACEMAKER: _l("Pacemaker"),
    Flag.RADIOTHERAPY: _l("Radiotherapy of head or neck"),
    Flag.IMMUNE: _l("Weakened immune system"),
    Flag.INFECTION: _l("Infectious disease"),
    Flag.EPILEPSY: _l("Epilepsy"),
    Flag.DIABETES: _l("Diabetes"),
    Flag.HYPERTENSION: _l("High blood pressure"),
    Flag.HEART: _l("Heart disease"),
    Flag.ASTHMA: _l("Asthma"),
    Flag.SMOKER: _l("Smoker"),
}


class AllergyForm(Form):
    """One allergy; without a substance, no row."""

    substance = LineField(_l("Allergic to"), limit=100)
    severity = SelectField(_l("Severity"), choices=choices(SEVERITIES.items(), empty="—"))
    reaction = LineField(_l("Reaction"), limit=200)

    def validate_severity(self, field: SelectField) -> None:
        """Ask how bad it is: what decides about an alert is never guessed."""
        if self.substance.data and not field.data:
            raise ValidationError(_("Say how severe it is."))

    def validate_substance(self, field: LineField) -> None:
        """Refuse a severity of nothing."""
        if (self.severity.data or self.reaction.data) and not field.data:
            raise ValidationError(_("Say what it is."))


class MedicationForm(Form):
    """One medicine; without a name, no row."""

    name = LineField(_l("Medicine"), limit=100)
    dose = LineField(_l("Dose"), limit=100)

    def validate_name(self, field: LineField) -> None:
        """Refuse a dose of nothing."""
        if self.dose.data and not field.data:
            raise ValidationError(_("Say what it is."))


class MedicalForm(PortalForm):
    """A patient's medical record."""

    version = VersionField(default=0)
    flags = SelectMultipleField(
        _l("Please mark what applies"), choices=choices(FLAGS.items()), widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )  # fmt: skip
    no_allergies = BooleanField(_l("Asked: no known allergy"))
    allergies = RowsField(FormField(AllergyForm), max_entries=MAX_ROWS)
    medications = RowsField(FormField(MedicationForm), max_entries=MAX_ROWS)
    history = TextField(
        _l("History"), limit=5000, description=_l("Illnesses, operations, and whatever else the dentist should know.")
    )
    reviewed = BooleanField(_l("Gone through with the patient today"))

    def validate_no_allergies(self, field: BooleanField) -> None:
        """Refuse "none" beside one."""
        if field.data and any(row.form.substance.data for row in self.allergies):
            raise ValidationError(_("Allergies are listed below: take the mark away, or the allergies."))

    def record(self) -> MedicalRecord:
        """Return what was typed; call after validation."""
        return MedicalRecord(
            history=self.history.data or None,
            allergies=tuple(
                Allergy(row.substance.data, Severity(row.severity.data), row.reaction.data or None)
                for row in (entry.form for entry in self.allergies)
                if row.substance.data
            ),
            no_allergies=self.no_allergies.data,
            medications=tuple(
                Medication(row.name.data, row.dose.data or None)
                for row in (entry.form for entry in self.medications)
                if row.name.data
            ),
            flags=frozenset(Flag(flag) for flag in self.flags.data or ()),
        )


def medical_form(record: MedicalRecord, version: int) -> MedicalForm:
    """Return the form of a record with a few empty rows, or what was sent."""
    allergies: list[dict[str, Any]] = [
        {"substance": each.substance, "severity": each.severity, "reaction": each.reaction}
        for each in record.allergies
    ]  # fmt: skip
    medications: list[dict[str, Any]] = [{"name": each.name, "dose": each.dose} for each in record.medications]
    return MedicalForm(
        data={
            "version": version, "history": record.history, "no_allergies": record.no_allergies,
            "flags": sorted(record.flags), "allergies": _with_blank(allergies), "medications": _with_blank(medications),
        }
    )  # fmt: skip


def _with_blank(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*rows, *({} for _row in range(min(EMPTY_ROWS, MAX_ROWS - len(rows))))]
