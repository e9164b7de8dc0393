"""Forms: input shape, clean text, errors beside the field, and nothing typed ever lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from flask import flash, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from wtforms import DateField, Field, FieldList, HiddenField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from portal.core.i18n import language
from portal.core.money import MoneyError, MoneyProblem, parse_decimal
from portal.core.text import clean_line, clean_text

_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)
RESUMED = "_resumed"  # a form carried over a login: shown again, never saved unseen


def _trimmed(value: str | None) -> str | None:
    return None if value is None else clean_line(value)


def _trimmed_text(value: str | None) -> str | None:
    return None if value is None else clean_text(value)


class Required(InputRequired):
    """Something must be there, and not only white space."""

    def __init__(self, message: str | LazyString | None = None) -> None:
        super().__init__(message or _l("Fill this in."))

    def __call__(self, form: Any, field: Field) -> None:  # noqa: ARG002 - WTForms hands it over
        """Raise StopValidation where the field is empty after cleaning."""
        empty = field.data is None or (isinstance(field.data, str) and not field.data.strip())
        if empty and not field.errors:
            raise StopValidation(str(self.message))


class MaxLength(Length):
    """At most ``limit`` characters, said with the number."""

    def __init__(self, limit: int) -> None:
        super().__init__(max=limit, message=_l("Use at most %(max)d characters."))


class LineField(StringField):
    """One line of text, cleaned: no control characters, single spaces, trimmed."""

    def __init__(self, label: Any = None, *, limit: int, required: bool = False, **kwargs: Any) -> None:
        rules = [Required() if required else Optional(), MaxLength(limit), *kwargs.pop("validators", [])]
        super().__init__(label, rules, filters=[_trimmed], **kwargs)


class TextField(TextAreaField):
    """Several lines of text, cleaned."""

    def __init__(self, label: Any = None, *, limit: int, **kwargs: Any) -> None:
        super().__init__(label, [Optional(), MaxLength(limit)], filters=[_trimmed_text], **kwargs)


class DayField(DateField):
    """A day typed as a browser sends it or as people write it; one that does not exist is an error."""

    def __init__(self, label: Any = None, *, required: bool = False, **kwargs: Any) -> None:
        rules = [Required() if required else Optional()]
        super().__init__(label, rules, format=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"], **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a day; raises ValueError with a message that says how to write it."""
        self.data: date | None = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            super().process_formdata([valuelist[0].strip()])
        except ValueError as error:
            raise ValueError(_("This day does not exist. Write it as 31.12.1990.")) from error


class RowsField(FieldList):
    """Rows of a form, numbered in their names; a number no page of ours writes is no row.

    WTForms takes every character that ``str.isdigit`` knows, and fails on ``²`` and on 5,000 digits.
    """

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        start = len(prefix) + 1
        for name in formdata:
            number = name[start:].split("-", 1)[0] if name.startswith(prefix) else ""
            if number.isascii() and number.isdigit() and len(number) < 7:
                yield int(number)


class UuidField(HiddenField):
    """A hidden id; anything else becomes None."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a UUID."""
        try:
            self.data = UUID(valuelist[0]) if valuelist else None
        except (ValueError, AttributeError):
            self.data = None


class DecimalField(StringField):
    """An amount in Turkish or English notation, as Decimal; what cannot be read stays as typed.

    Digits are checked as written, so 1e400 is an error and never a number.
    """

    def __init__(
        self, label: Any = None, *, low: Decimal | None = None, high: Decimal | None = None,
        required: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        self.low, self.high = low, high
        super().__init__(label, [Required() if required else Optional()], **kwargs)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else plain_number(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the amount; raises ValueError with a clear message."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            number = parse_decimal(valuelist[0])
        except MoneyError as error:
            raise ValueError(self._refusal(error.reason)) from error
        if self.low is not None and number < self.low:
            raise ValueError(self._refusal(MoneyProblem.NEGATIVE))
        if self.high is not None and number > self.high:
            raise ValueError(self._refusal(MoneyProblem.TOO_LARGE))
        self.data = number

    def _refusal(self, reason: MoneyProblem) -> str:
        if reason is MoneyProblem.NEGATIVE and self.low is not None:
            return str(_("It cannot be less than %(low)s.", low=plain_number(self.low)))
        if reason is MoneyProblem.TOO_LARGE and self.high is not None:
            return str(_("It cannot be more than %(high)s.", high=plain_number(self.high)))
        return str(_("Write a number such as 1.234,56 or 1234.56."))


def choices(pairs: Iterable[tuple[Any, Any]], *, empty: str | None = None) -> list[SelectChoice]:
    """Return the choices of a select from (value, label) pairs; ``empty`` labels a first one without a value."""
    first = [] if empty is None else [SelectChoice("", empty)]
    return [*first, *(SelectChoice(str(value), label) for value, label in pairs)]


def plain_number(value: Decimal) -> str:
    """Write a number as it is typed in the reader's language: no grouping, no needless zeros."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", ",") if language() == "tr" else text


class PortalForm(FlaskForm):
    """Base of every form. ``form_key`` makes sending twice harmless, ``version`` finds two editors."""

    class Meta(FlaskForm.Meta):
        """Reads the text of a sent form only: a file under a text field's name is not there."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Return what fields are filled from."""
            if formdata is _Auto:
                return request.form if form.is_submitted() else None
            return formdata

    def submitted(self) -> bool:
        """Tell whether the form was sent to be saved, and is valid."""
        if not self.is_submitted():
            return False
        if RESUMED in request.form:
            flash(_("You are logged in again and nothing is lost. Check your entries, then save them."), "info")
            return False
        return bool(self.validate())


class RowForm(FlaskForm):
    """One row of a form, which carries the token itself."""

    class Meta:
        """Part of a form that is protected as a whole."""

        csrf = False


class KeyedForm(PortalForm):
    """A form that makes a row: the same form sent twice makes one."""

    form_key = UuidField(default=uuid4)


class VersionField(HiddenField):
    """The version of the row the form was opened with; a missing or mangled one is never current."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a small whole number."""
        raw = valuelist[0] if valuelist else ""
        self.data = int(raw) if _VERSION.fullmatch(raw) else 0
