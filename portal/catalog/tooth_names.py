"""The words for every tooth, whole phrases: languages order and inflect their parts differently."""

from collections.abc import Iterable

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from portal.core.patient_texts import Texts


def tooth_word(text: str) -> str:
    """Mark the words of a tooth, which both staff and patients read, for translation."""
    return text


TOOTH_WORDS: dict[int, str] = {
    11: tooth_word("upper right central incisor"),
    12: tooth_word("upper right lateral incisor"),
    13: tooth_word("upper right canine"),
    14: tooth_word("upper right first premolar"),
    15: tooth_word("upper right second premolar"),
    16: tooth_word("upper right first molar"),
    17: tooth_word("upper right second molar"),
    18: tooth_word("upper right third molar (wisdom tooth)"),
    21: tooth_word("upper left central incisor"),
    22: tooth_word("upper left lateral incisor"),
    23: tooth_word("upper left canine"),
    24: tooth_word("upper left first premolar"),
    25: tooth_word("upper left second premolar"),
    26: tooth_word("upper left first molar"),
    27: tooth_word("upper left second molar"),
    28: tooth_word("upper left third molar (wisdom tooth)"),
    31: tooth_word("lower left central incisor"),
    32: tooth_word("lower left lateral incisor"),
    33: tooth_word("lower left canine"),
    34: tooth_word("lower left first premolar"),
    35: tooth_word("lower left second premolar"),
    36: tooth_word("lower left first molar"),
    37: tooth_word("lower left second molar"),
    38: tooth_word("lower left third molar (wisdom tooth)"),
    41: tooth_word("lower right central incisor"),
    42: tooth_word("lower right lateral incisor"),
    43: tooth_word("lower right canine"),
    44: tooth_word("lower right first premolar"),
    45: tooth_word("lower right second premolar"),
    46: tooth_word("lower right first molar"),
    47: tooth_word("lower right second molar"),
    48: tooth_word("lower right third molar (wisdom tooth)"),
    51: tooth_word("upper right primary central incisor"),
    52: tooth_word("upper right primary lateral incisor"),
    53: tooth_word("upper right primary canine"),
    54: tooth_word("upper right primary first molar"),
    55: tooth_word("upper right primary second molar"),
    61: tooth_word("upper left primary central incisor"),
    62: tooth_word("upper left primary lateral incisor"),
    63: tooth_word("upper left primary canine"),
    64: tooth_word("upper left primary first molar"),
    65: tooth_word("upper left primary second molar"),
    71: tooth_word("lower left primary central incisor"),
    72: tooth_word("lower left primary lateral incisor"),
    73: tooth_word("lower left primary canine"),
    74: tooth_word("lower left primary first molar"),
    75: tooth_word("lower left primary second molar"),
    81: tooth_word("lower right primary central incisor"),
    82: tooth_word("lower right primary lateral incisor"),
    83: tooth_word("lower right primary canine"),
    84: tooth_word("lower right primary first molar"),
    85: tooth_word("lower right primary second molar"),
}
TOOTH_NAMES: dict[int, LazyString] = {tooth: lazy_gettext(words) for tooth, words in TOOTH_WORDS.items()}


def name_teeth(teeth: Iterable[int], words: Texts) -> str:
    """Name teeth in a patient's language: "upper right canine, upper left canine"."""
    return words.listed(words.phrase(TOOTH_WORDS[tooth]) for tooth in teeth)
