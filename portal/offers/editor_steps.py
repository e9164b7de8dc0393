"""What the editor's buttons do to the form before it is shown again: put options and visits in, take them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

from portal.offers.editor import Editor
from portal.offers.options import LABELS
from portal.offers.row_forms import LineForm
from portal.offers.visits import MOST_VISITS, propose_visits


def take_step(editor: Editor, step: str) -> bool:
    """Do what a button says, ``option-add`` or ``visit-drop 2``; tell whether it was one of them."""
    name, _space, wanted = step.partition(" ")
    if name not in STEPS:
        return False
    STEPS[name](editor, wanted)
    return True


def _add_option(editor: Editor, _wanted: str) -> None:
    """Put one more option in; the first one makes two, for there is nothing to choose from one."""
    form = editor.form
    for _place in range(1 if len(form.options) else 2):
        if len(form.options) < len(LABELS):
            form.options.append_entry()


def _drop_option(editor: Editor, label: str) -> None:
    """Take an option out with its lines. Those behind it move up a letter; what is left alone is no option."""
    form = editor.form
    labels = list(LABELS[: len(form.options)])
    if label not in labels:
        return
    form.options.pop_entry(labels.index(label))
    for place in reversed(range(len(form.lines))):
        if form.lines[place].form.option.data == label:
            form.lines.pop_entry(place)
    labels.remove(label)
    letters = dict(zip(labels, LABELS, strict=False))
    if len(form.options) == 1:
        form.options.pop_entry()
        letters = {}
    for field in (form.recommended, form.entry_option, *(entry.form.option for entry in form.lines)):
        field.data = letters.get(field.data or "", "")


def _take_visits(editor: Editor, _wanted: str) -> None:
    """Plan the visits that the lines take by the catalogue, and say for each line at which one it begins."""
    editor.compute()
    found = propose_visits(editor.lines)
    if found is None:
        return
    editor.form.visits.process(None, [asdict(visit) for visit in found.visits])
    for place, number in zip(editor.priced, found.numbers, strict=True):
        _set_visit(editor.form.lines[place].form, number)


def _add_visit(editor: Editor, _wanted: str) -> None:
    if len(editor.form.visits) < MOST_VISITS:
        editor.form.visits.append_entry({"days": 1})


def _drop_visit(editor: Editor, wanted: str) -> None:
    """Take a visit out; its lines belong to none, those of later ones move up."""
    visits = editor.form.visits
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 3 else 0
    if not 1 <= number <= len(visits):
        return
    visits.pop_entry(number - 1)
    for entry in editor.form.lines:
        own = entry.form.visit_no.data
        if own is not None and own >= number:
            _set_visit(entry.form, None if own == number else own - 1)


def _set_visit(line: LineForm, number: int | None) -> None:
    line.visit_no.data, line.visit_no.raw_data = number, None


STEPS: Mapping[str, Callable[[Editor, str], None]] = {
    "option-add": _add_option, "option-drop": _drop_option, "visits-take": _take_visits, "visit-add": _add_visit,
    "visit-drop": _drop_visit,
}  # fmt: skip
