"""Texts people type: cleaned for storing, folded for searching, keyed for sorting.

Python's own lower() and casefold() do not know Turkish: ``'İ'.lower()`` has two code points and
``'Işıl'.lower() != 'IŞIL'.lower()``. Never fold e-mail addresses, slugs or keys with these.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose into a base letter and a mark. The Azerbaijani ə is the e
# Turkish writes for it; the Russian yo loses its dots, as Russians mostly type it.
_BASE_LETTERS = str.maketrans(
    {
        **{"ı": "i", "ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"},
        **{"ħ": "h", "ŋ": "n", "ŧ": "t", "ə": "e", "ς": "σ", "ё": "е"},  # noqa: RUF001
    }
)

# A letter's key is itself, or the letter it follows with "~", which is above z: ç comes after every
# c and before d. Letters of other scripts carry a "{", which is above z as well, but below "~".
_AFTER, _OTHER_SCRIPT = "~", "{"
_TURKISH_KEYS = {
    **{letter: letter for letter in "abcdefghjklmnopqrstuvwxyz0123456789"},
    **{"ç": "c~", "ğ": "g~", "ı": "i", "i": "i~", "ö": "o~", "ş": "s~", "ü": "u~"},
    **{"Ç": "c~", "Ğ": "g~", "I": "i", "İ": "i~", "Ö": "o~", "Ş": "s~", "Ü": "u~"},
}
_CYRILLIC_AFTER = {"ё": "е", "ґ": "г", "є": "е", "і": "и", "ї": "и"}  # noqa: RUF001
_APOSTROPHES = frozenset("'`\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}")

_KEPT_CONTROLS = frozenset("\t\n\r\v\f\x1c\x1d\x1e\x1f\x85")  # white space, collapsed later
_UNWANTED_FORMATS = frozenset("\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MAX_KEY = 300  # a few letters of other scripts have keys of a dozen characters
_WORD = re.compile(r"[^\W_]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def fold(text: str) -> str:
    """Reduce a text to what search compares: lower case, no diacritics, İ I ı i all i.

    Scripts other than Latin are kept, not transliterated. Folding twice changes nothing more.
    """
    if text.isascii():
        return text.lower()
    folded = "".join(map(_fold_char, unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", folded)


def words(text: str) -> list[str]:
    """Return the folded words of a text, each once, in order; everything but letters and digits splits."""
    return list(dict.fromkeys(_WORD.findall(fold(text))))


def sort_key(text: str) -> str:
    """Return a key whose code point order (COLLATE "C") is the order of the Turkish alphabet.

    Digits, then a b c ç d e f g ğ h ı i j k l m n o ö p q r s ş t u ü v w x y z, then other scripts.
    Case and foreign diacritics make no difference (I is ı, İ is i; é is e), apostrophes are skipped,
    and any other punctuation counts as one space, which comes before everything.
    """
    key = "".join(map(_sort_char, unicodedata.normalize("NFC", text)))
    return " ".join(key.split())[:MAX_KEY].rstrip()


def clean_line(text: str) -> str:
    """Return a text fit for one line: NFC, no control characters, single spaces, trimmed.

    NUL and lone surrogates, which PostgreSQL refuses, are dropped, and so are the invisible marks
    that reverse the reading direction or hide between letters.
    """
    kept = "".join(char for char in text if not _is_unwanted(char))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def clean_text(text: str) -> str:
    """Clean every line as ``clean_line`` does; keep line breaks as ``\\n``, at most two in a row."""
    lines = "\n".join(clean_line(line) for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in "Iİ":
        return "i"
    if _is_cyrillic(char):  # a breve or dots there make a letter of its own, not an accent
        return char.lower().translate(_BASE_LETTERS)
    parts = unicodedata.normalize("NFKD", char)
    base = "".join(part for part in parts if not unicodedata.combining(part))
    return base.lower().translate(_BASE_LETTERS)


@lru_cache(maxsize=4096)
def _sort_char(char: str) -> str:
    if char in _TURKISH_KEYS:
        return _TURKISH_KEYS[char]
    if char in _APOSTROPHES:
        return ""
    lower = char.lower()
    if lower in _CYRILLIC_AFTER:
        return _OTHER_SCRIPT + _CYRILLIC_AFTER[lower] + _AFTER
    return "".join(map(_sort_folded, _fold_char(char)))


def _sort_folded(char: str) -> str:
    if char in _TURKISH_KEYS:
        return _TURKISH_KEYS[char]
    return _OTHER_SCRIPT + char if char.isalnum() else " "


def _is_cyrillic(char: str) -> bool:
    return "\u0400" <= char <= "\u052f"


def _is_unwanted(char: str) -> bool:
    if char in _UNWANTED_FORMATS:
        return True
    return unicodedata.category(char) in {"Cc", "Cs"} and char not in _KEPT_CONTROLS
