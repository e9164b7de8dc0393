"""Invented people for the demonstration clinic and for measuring: always the same ones for one seed.

About two thirds are Turkish, the rest German, British, Dutch, Russian, Ukrainian and Arab, as in a
clinic that treats visitors. Some live abroad, and some are families who share a home and a phone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from portal.core.text import words
from portal.ops.demo.names import ARABIC, BRITISH, CYRILLIC, DUTCH, GERMAN, SLAVIC, TURKISH, NamePool
from portal.ops.demo.places import PLACES

Gender = Literal["female", "male"]

TODAY = date(2026, 1, 1)  # ages count from here: the same people whenever they are made
FAMILY_SHARE = 0.06
INSTAGRAM_SHARE = 0.3
CHILD_SHARE = 0.08
ADULT_AGE, MAX_AGE, TYPICAL_AGE = 18, 88, 38
MAIL_HOSTS = ("example.com", "example.org", "example.net")
_LATIN = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфыэьъ", [*"abvgdeziyklmnoprstufye", "", ""], strict=True)),
        **{"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya"},  # noqa: RUF001
    }
)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person.

    ``phone`` is raw text as staff type it and is valid when read with Türkiye as the default country;
    countries are ISO 3166 alpha-2 codes; ``locale`` is the language the person reads.
    """

    first_name: str
    last_name: str
    gender: Gender
    birth_date: date
    nationality: str
    residence: str
    locale: str
    phone: str
    email: str
    address: str
    city: str
    instagram: str | None


@dataclass(frozen=True, slots=True)
class _Group:
    """People of one culture: ``share`` in thousandths, homes as (country, weight)."""

    share: int
    pool: NamePool
    nationality: str
    locale: str
    homes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Household:
    """What the members of a family have in common."""

    group: _Group
    last_name: str
    country: str
    city: str
    address: str
    phone: str


_GROUPS = (
    _Group(650, TURKISH, "TR", "tr", (("TR", 90), ("DE", 6), ("NL", 3), ("GB", 1))),
    _Group(110, GERMAN, "DE", "de", (("DE", 95), ("TR", 5))),
    _Group(80, BRITISH, "GB", "en", (("GB", 94), ("TR", 5), ("AE", 1))),
    _Group(40, DUTCH, "NL", "nl", (("NL", 97), ("TR", 3))),
    _Group(40, SLAVIC, "RU", "ru", (("RU", 80), ("TR", 20))),
    _Group(20, SLAVIC, "UA", "uk", (("UA", 80), ("DE", 10), ("TR", 10))),
    _Group(15, CYRILLIC, "RU", "ru", (("RU", 100),)),
    _Group(45, ARABIC, "AE", "ar", (("AE", 85), ("GB", 10), ("TR", 5))),
)


class _Dice(Random):
    """The one seeded source of every choice."""

    def group(self) -> _Group:
        """Draw a culture by its share."""
        return self.choices(_GROUPS, weights=[group.share for group in _GROUPS])[0]

    def home(self, group: _Group) -> str:
        """Draw the country a member of ``group`` lives in."""
        return self.choices([country for country, _ in group.homes], weights=[weight for _, weight in group.homes])[0]

    def digits(self, template: str) -> str:
        """Replace every ``#`` of ``template`` by a digit."""
        return "".join(str(self.randrange(10)) if char == "#" else char for char in template)


def people(count: int, seed: int) -> Iterator[Person]:
    """Yield ``count`` people, the same for the same ``seed``; a larger count only adds at the end."""
    dice = _Dice(seed)
    household = _household(dice)
    for number in range(1, count + 1):
        if dice.random() >= FAMILY_SHARE:
            household = _household(dice)
        yield _person(dice, household, number)


def _household(dice: _Dice) -> _Household:
    group = dice.group()
    country = dice.home(group)
    place = PLACES[country]
    city, districts = dice.choice(place.cities)
    street = f"{dice.choice(place.streets)} {place.number_word}{dice.randrange(1, 180)}"
    return _Household(
        group=group,
        last_name=dice.choice(group.pool.last),
        country=country,
        city=city,
        address=f"{street}, {dice.choice(districts)}",
        phone=dice.digits(dice.choice(place.phones)),
    )


def _person(dice: _Dice, household: _Household, number: int) -> Person:
    group = household.group
    gender: Gender = "female" if dice.random() < 0.54 else "male"
    first_name = dice.choice(group.pool.female if gender == "female" else group.pool.male)
    last_name = household.last_name
    if gender == "female" and group.pool in (SLAVIC, CYRILLIC):
        last_name = _feminine(last_name)
    handle = ".".join(_ascii_words(f"{first_name} {last_name}"))
    return Person(
        first_name=first_name,
        last_name=last_name,
        gender=gender,
        birth_date=_birth_date(dice),
        nationality=group.nationality,
        residence=household.country,
        locale=group.locale,
        phone=household.phone,
        email=f"{handle}{number}@{dice.choice(MAIL_HOSTS)}",
        address=household.address,
        city=household.city,
        instagram=f"{handle}_{number}" if dice.random() < INSTAGRAM_SHARE else None,
    )


def _feminine(last_name: str) -> str:
    """Give a Russian family name its feminine form; Ukrainian ones in -enko stay."""
    for ending, masculine, feminine in (
        ("ov", "", "a"),
        ("ev", "", "a"),
        ("in", "", "a"),
        ("sky", "y", "aya"),
        ("ов", "", "а"),  # noqa: RUF001
        ("ёв", "", "а"),  # noqa: RUF001
        ("ев", "", "а"),  # noqa: RUF001
        ("ский", "ий", "ая"),
    ):
        if last_name.endswith(ending):
            return last_name.removesuffix(masculine) + feminine
    return last_name


def _ascii_words(name: str) -> list[str]:
    """Return the words of a name for an address: ASCII letters only."""
    parts = (word.translate(_LATIN).encode("ascii", "ignore").decode() for word in words(name))
    return [part for part in parts if part]


def _birth_date(dice: _Dice) -> date:
    if dice.random() < CHILD_SHARE:
        years = dice.uniform(4, ADULT_AGE)
    else:
        years = dice.triangular(ADULT_AGE, MAX_AGE, TYPICAL_AGE)
    return TODAY - timedelta(days=int(years * 365.25))
