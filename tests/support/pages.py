"""Reading the portal's pages in tests: what stands in fields, errors beside them, rows and messages."""

from __future__ import annotations

import re
from html import unescape

from werkzeug.test import TestResponse

_CONTROL = re.compile(r"<(input|select|textarea)\b([^>]*)>(?:(.*?)</\1>)?", re.DOTALL)
_FIELDS = re.compile(r"<(?:input|select|textarea)\b[^>]*>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
_OPTION = re.compile(r"<option\b([^>]*)>")
_TAG = re.compile(r"<[^>]+>")


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes of a tag's inside, without value as ""."""
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(tag)}


def text_of(html: str) -> str:
    """Return the text of a piece of HTML on one line."""
    return " ".join(unescape(_TAG.sub(" ", html)).split())


def told(answer: TestResponse) -> str:
    """Return what the page's main part says, as text."""
    assert answer.status_code == 200, answer.text[:500]
    return text_of(answer.text.partition("<main")[2])


def main_form(page: str) -> str:
    """Return the inside of the page's form that is filled in, without the template of a blank line."""
    found = re.search(r'<form class="form[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found, page[:2000]
    return re.sub(r"<template.*?</template>", "", found.group(1), flags=re.DOTALL)


def form_values(page: TestResponse) -> dict[str, str]:
    """Return what a browser would send of the page's form, but for its token."""
    form, values = main_form(page.text), {}
    for opening in _FIELDS.finditer(form):
        tag = attributes(opening.group())
        name = tag.get("name")
        if not name or name == "csrf_token" or (tag.get("type") == "checkbox" and "checked" not in tag):
            continue
        values[name] = tag.get("value", "y" if tag.get("type") == "checkbox" else "")
        whole = _CONTROL.match(form, opening.start())
        if whole and whole.group(1) == "textarea":
            values[name] = unescape(whole.group(3) or "").removeprefix("\r\n")
        elif whole and whole.group(1) == "select":
            values[name] = _chosen(whole.group(3) or "")
    return values


def placeholder(page: TestResponse, name: str) -> str:
    """Return what a field of the page's form shows while it is empty."""
    tags = [attributes(tag.group()) for tag in _FIELDS.finditer(main_form(page.text))]
    return next(tag["placeholder"] for tag in tags if tag.get("name") == name)


def field_errors(page: TestResponse) -> dict[str, str]:
    """Return field -> message, of the fields that are marked as invalid and name their message's element."""
    found = {}
    for tag in _FIELDS.finditer(main_form(page.text)):
        field = attributes(tag.group())
        if field.get("aria-invalid") == "true":
            message_id = next(name for name in field["aria-describedby"].split() if name.endswith("-error"))
            message = re.search(rf'id="{message_id}">(.*?)</div>', page.text, re.DOTALL)
            assert message, message_id
            found[field["name"]] = text_of(message.group(1))
    return found


def summary(page: TestResponse) -> str:
    """Return the text of the error summary, "" where there is none."""
    found = re.search(r'<div class="error-summary".*?</div>', page.text, re.DOTALL)
    return text_of(found.group()) if found else ""


def row_names(page: TestResponse) -> list[str]:
    """Return the texts of the rows' links, in order."""
    return [text_of(text) for text in re.findall(r'<a class="row-link"[^>]*>(.*?)</a>', page.text, re.DOTALL)]


def row_links(page: TestResponse) -> list[str]:
    """Return where the rows lead, in order."""
    return [unescape(url) for url in re.findall(r'<a class="row-link" href="([^"]*)"', page.text)]


def link(page: TestResponse, rel: str) -> str | None:
    """Return the address of the pager's link "next" or "prev", or None."""
    found = re.search(rf'href="([^"]*)" rel="{rel}"', page.text)
    return unescape(found.group(1)) if found else None


def flashes(page: TestResponse) -> list[str]:
    """Return the page's messages."""
    return [text_of(text) for text in re.findall(r'<div class="flash .*?<p>(.*?)</p>', page.text, re.DOTALL)]


def last_part(answer: TestResponse) -> str:
    """Return the id at the end of where an answer leads."""
    assert answer.status_code == 302, (answer.status_code, summary(answer), answer.text[:3000])
    return answer.headers["Location"].partition("?")[0].rstrip("/").rpartition("/")[2]


def _chosen(options: str) -> str:
    tags = [attributes(tag) for tag in _OPTION.findall(options)]
    chosen = next((tag for tag in tags if "selected" in tag), tags[0] if tags else {})
    return chosen.get("value", "")
