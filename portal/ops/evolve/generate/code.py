"""Python as it stands in a revision file: laid out as ruff would, 120 characters wide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

WIDTH = 120
_TAB = "    "
_WORDS = re.compile(r"""\s*(?:'(?:[^']|'')*'|"[^"]*"|[^\s'"])+""")


class Code(str):
    """A piece of Python that stands as it is; any other string becomes a literal."""


def literal(text: str) -> str:
    """Return ``text`` as a string literal, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def value(given: object) -> str:
    """Return a string, a list, a mapping or a flag as Python."""
    if isinstance(given, Code):
        return str(given)
    if isinstance(given, str):
        return literal(given)
    if isinstance(given, Mapping):
        return "{" + ", ".join(f"{value(key)}: {value(item)}" for key, item in given.items()) + "}"
    if isinstance(given, Sequence):
        return "[" + ", ".join(value(item) for item in given) + "]"
    return repr(given)


def call(function: str, arguments: Sequence[object], named: Mapping[str, object], depth: int) -> list[str]:
    """Return the lines of a call, broken into a line an argument where it is too long for one."""
    indent = _TAB * depth
    flat = [*(value(item) for item in arguments), *(f"{name}={value(item)}" for name, item in named.items())]
    line = f"{indent}{function}({', '.join(flat)})"
    if len(line) <= WIDTH:
        return [line]
    inner = f"{indent}{_TAB}{', '.join(flat)}"
    broken = [*(("", item) for item in arguments), *((f"{name}=", item) for name, item in named.items())]
    if len(inner) <= WIDTH and len(broken) > 1:
        return [f"{indent}{function}(", inner, f"{indent})"]
    lines = [line for prefix, item in broken for line in _argument(prefix, item, depth + 1)]
    return [f"{indent}{function}(", *lines, f"{indent})"]


def _argument(prefix: str, item: object, depth: int) -> Iterator[str]:
    """Yield the lines of one argument that stands alone, with its comma."""
    indent, flat = _TAB * depth, f"{prefix}{value(item)}"
    if len(indent) + len(flat) + 1 <= WIDTH:
        yield f"{indent}{flat},"
    elif isinstance(item, Mapping | list | tuple):
        pair = isinstance(item, Mapping)
        opening, closing = ("{", "}") if pair else ("[", "]")
        yield f"{indent}{prefix}{opening}"
        for entry in item:
            yield from _argument(f"{value(entry)}: " if pair else "", item[entry] if pair else entry, depth + 1)
        yield f"{indent}{closing},"
    else:
        parts = [literal(part) for part in split(str(item), WIDTH - len(indent) - len(prefix) - 8)]
        yield f"{indent}{prefix}{parts[0]}"
        yield from (f"{indent}{part}" for part in parts[1:-1])
        yield f"{indent}{parts[-1]},"


def split(text: str, width: int) -> list[str]:
    """Return ``text`` cut before spaces that are in no SQL literal, each part at most ``width`` where that can be."""
    parts = [""]
    for word in _WORDS.findall(text):
        if parts[-1] and len(parts[-1]) + len(word.rstrip()) > width:
            parts.append("")
        parts[-1] += word
    return parts


def block(name: str, text: str) -> list[str]:
    """Return a constant that holds SQL of several lines."""
    return [f'{name} = """', *(f"{_TAB}{line}" for line in text.replace("\\", "\\\\").splitlines()), '"""']
