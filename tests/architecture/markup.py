"""Reading pages as a browser would: forms with what they would send, and the facts the page rules ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Form:
    """A form: where it goes, how, and the fields a browser would send untouched."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def data(self, **changed: str) -> dict[str, list[str]]:
        """Return the fields as the test client sends them, some of them changed."""
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return {**found, **{name: [value] for name, value in changed.items()}}


@dataclass
class Document:
    """What a page consists of, as far as the rules ask."""

    lang: str | None = None
    title: str = ""
    headings: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def form(self, action: str) -> Form:
        """Return the form that is sent to ``action``."""
        found = [form for form in self.forms if form.action == action]
        assert found, f"no form goes to {action}; there are {[form.action for form in self.forms]}"
        return found[0]


def read(page: str, url: str = "") -> Document:
    """Return what the page at ``url`` consists of; a form without an action goes back to ``url``."""
    reader = _Reader(url)
    reader.feed(page)
    reader.close()
    return reader.document


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.document, self.url = Document(), url
        self.text: list[str] | None = None
        self.form: Form | None = None
        self.select: tuple[str, list[str], list[str]] | None = None
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self._note_rules(tag, named)
        if tag in ("title", "h1", "textarea"):
            self.text = []
            self.area = named.get("name") if tag == "textarea" else None
        elif tag == "form":
            self.form = Form(named.get("action") or self.url, named.get("method", "get").lower())
            self.document.forms.append(self.form)
        elif tag == "select":
            self.select = (named.get("name", ""), [], [])
        elif tag == "option" and self.select:
            value = named.get("value", "")
            self.select[1].append(value)
            if "selected" in named:
                self.select[2].append(value)
        elif tag == "input":
            self._input(named)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self.text or []).strip()
        if tag == "title":
            self.document.title = self.document.title or text  # a drawing has a title, too
        elif tag == "h1":
            self.document.headings.append(text)
        elif tag == "textarea" and self.form and self.area:
            self.form.fields.append((self.area, "".join(self.text or []).replace("\r\n", "\n").removeprefix("\n")))
        elif tag == "select" and self.form and self.select and self.select[0]:
            name, options, chosen = self.select
            self.form.fields.extend((name, value) for value in chosen or options[:1])
        elif tag == "form":
            self.form = None
        if tag in ("title", "h1", "textarea"):
            self.text = None

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def _input(self, named: dict[str, str]) -> None:
        kind = named.get("type", "text")
        if self.form is None or not named.get("name") or "disabled" in named or kind in ("submit", "button", "file"):
            return
        if kind in ("checkbox", "radio") and "checked" not in named:
            return
        self.form.fields.append((named["name"], named.get("value", "on" if kind == "checkbox" else "")))

    def _note_rules(self, tag: str, named: dict[str, str]) -> None:
        document = self.document
        if tag == "html":
            document.lang = named.get("lang")
        if tag == "a" and "href" in named:
            document.links.append(named["href"])
        if "id" in named:
            document.ids.append(named["id"])
        if tag == "style" or (tag == "script" and "src" not in named):
            document.inline.append(f"<{tag}>")
        document.inline += [f"<{tag} {name}>" for name in named if name == "style" or name.startswith("on")]
        document.inline += [
            f"<{tag} {name}>" for name, value in named.items() if value.strip().startswith("javascript:")
        ]
        loaded = named.get("src") or (named.get("href", "") if tag == "link" else "")
        drawn = tag == "img" and loaded.startswith("data:image/png;base64,")
        if loaded and not drawn and (not loaded.startswith("/") or loaded.startswith("//")):
            document.outside.append(loaded)
