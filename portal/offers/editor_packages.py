"""A package chosen from the list of treatments: its parts become lines after it, as they do where it is typed."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from portal.catalog.enums import Scope
from portal.catalog.packages import components_of, list_packages
from portal.offers.editing import PriceBook, TypedLine
from portal.offers.editor_lines import package_key, typed_data
from portal.offers.forms import OfferForm
from portal.offers.models import Jaw
from portal.offers.package_lines import with_components
from portal.offers.row_forms import MAX_LINES, LineForm
from portal.offers.totals import DiscountKind


def expand_packages(form: OfferForm, book: PriceBook) -> None:
    """Put the parts of every package whose parts are not there yet after it, in place of those of another one.

    A line remembers the package and the jaw whose parts were put in, so that parts taken out stay out.
    """
    for place in reversed(range(len(form.lines))):
        line = form.lines[place].form
        if _is_changed(line):
            _drop_parts(form, place)
            line.parts_of.data = ""
    for line in list(waiting_packages(form, book)):
        _add_parts(form, book, line)


def waiting_packages(form: OfferForm, book: PriceBook) -> Iterator[LineForm]:
    """Yield the lines of packages whose parts are not there yet; one for a jaw waits until the jaw is chosen."""
    packages = {str(package_id) for package_id in list_packages()}
    for entry in form.lines:
        line: LineForm = entry.form
        chosen = line.catalog_id.data or ""
        if chosen not in packages or line.included.data or line.parts_of.data == package_key(*_choice(line)):
            continue
        row = book.treatments.get(UUID(chosen))
        if row is not None and (Scope(row.scope) is not Scope.ARCH or _choice(line)[1]):
            yield line


def _is_changed(line: LineForm) -> bool:
    return bool(line.parts_of.data) and line.parts_of.data != package_key(*_choice(line))


def _choice(line: LineForm) -> tuple[str, Jaw | None]:
    """Return the treatment and the jaw of a line, before it is validated."""
    return line.catalog_id.data or "", Jaw(line.arch.data) if line.arch.data in set(Jaw) else None


def _add_parts(form: OfferForm, book: PriceBook, line: LineForm) -> None:
    chosen, arch = _choice(line)
    package = TypedLine(
        UUID(chosen), None, "", arch, None, None, DiscountKind.PERCENT, None, None, option=line.option.data or "",
    )  # fmt: skip
    _package, *parts = with_components(package, book)
    place = next(number for number, entry in enumerate(form.lines) if entry.form is line)
    if len(form.lines) + len(parts) > MAX_LINES:
        return
    for offset, part in enumerate(parts, 1):
        form.lines.insert_entry(place + offset, typed_data(part))
    line.parts_of.data = package_key(chosen, arch)


def _drop_parts(form: OfferForm, place: int) -> None:
    """Take out the lines after a package that are parts of what it was before."""
    old = (form.lines[place].form.parts_of.data or "").partition(" ")[0]
    known = {str(part.catalog_id) for part in components_of(UUID(old))} if _is_id(old) else set()
    while len(form.lines) > place + 1:
        after = form.lines[place + 1].form
        if not after.included.data or after.catalog_id.data not in known:
            return
        form.lines.pop_entry(place + 1)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
