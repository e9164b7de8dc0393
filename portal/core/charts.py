"""Charts that pygal draws, made fit for our pages: no styles or scripts, told in words, coloured by our sheet."""

from __future__ import annotations

from xml.etree import ElementTree

from markupsafe import Markup

from portal.core.templating import drawing

_DROPPED = ("defs", "title", "desc")  # styles and scripts, and a second telling of every label
_VALUES, _TOOLTIPS = "text-overlay", "tooltip-overlay"


def clean_chart(svg: ElementTree.Element, name: str, *, title: str, text: str, values: bool = False) -> Markup:
    """Return a chart without what the page's policy forbids and what only pygal's own script would use.

    ``name`` becomes its class, ``title`` and ``text`` are read out in place of the picture; ``values``: the numbers
    that pygal writes beside bars stay.
    """
    dropped = {_TOOLTIPS} if values else {_VALUES, _TOOLTIPS}
    for parent in list(svg.iter()):
        parent.attrib.pop("style", None)
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag in _DROPPED or dropped & set(_classes(child)):
                parent.remove(child)
    key = f"chart-{name}"
    svg.attrib.update({"id": key, "class": f"chart {key}", "role": "img"})
    svg.set("aria-labelledby", f"{key}-title {key}-text")
    for place, (tag, part, words) in enumerate((("title", "title", title), ("desc", "text", text))):
        child = ElementTree.Element(tag, {"id": f"{key}-{part}"})
        child.text = words
        svg.insert(place, child)
    return drawing(svg)


def _classes(element: ElementTree.Element) -> list[str]:
    return element.get("class", "").split()
