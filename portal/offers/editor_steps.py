"""What the editor's buttons do to the form before it is shown again: put options in, take them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from portal.offers.editor import Editor
from portal.offers.forms import OfferForm
from portal.offers.options import LABELS


def take_step(editor: Editor, step: str) -> bool:
    """Do what a button says, ``option-add`` or ``option-drop B``; tell whether it was one of them."""
    name, _space, wanted = step.partition(" ")
    if name not in STEPS:
        return False
    STEPS[name](editor.form, wanted)
    return True


def _add_option(form: OfferForm, _wanted: str) -> None:
    """Put one more option in; the first one makes two, for there is nothing to choose from one."""
    for _place in range(1 if len(form.options) else 2):
        if len(form.options) < len(LABELS):
            form.options.append_entry()


def _drop_option(form: OfferForm, label: str) -> None:
    """Take an option out with its lines. Those behind it move up a letter; what is left alone is no option."""
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


STEPS: Mapping[str, Callable[[OfferForm, str], None]] = {"option-add": _add_option, "option-drop": _drop_option}
