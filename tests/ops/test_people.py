"""Invented people look like a real clinic's, can be stored, and can never be written to or called."""

import time
from collections import Counter
from itertools import islice

import phonenumbers
import pytest
from email_validator import validate_email

from portal.core.text import clean_line, words
from portal.ops.demo.people import MAIL_HOSTS, TODAY, Person, people

COUNT = 5000


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(people(COUNT, seed=7))


def test_one_seed_gives_the_same_people_and_more_only_adds(crowd: list[Person]) -> None:
    assert list(people(300, seed=7)) == crowd[:300]
    assert list(people(300, seed=8)) != crowd[:300]


def test_people_are_made_one_by_one() -> None:
    assert len(list(islice(people(10**9, seed=1), 3))) == 3
    assert list(people(0, seed=1)) == []


def test_twenty_thousand_people_take_under_three_seconds() -> None:
    begun = time.process_time()
    assert sum(1 for _ in people(20_000, seed=3)) == 20_000
    assert time.process_time() - begun < 3


def test_two_thirds_are_turkish_and_visitors_come_from_many_countries(crowd: list[Person]) -> None:
    nations = Counter(person.nationality for person in crowd)
    assert 0.6 < nations["TR"] / COUNT < 0.7
    assert {nation for nation, number in nations.items() if number > COUNT / 100} == {
        *("TR", "DE", "GB", "NL", "RU", "UA", "AE")
    }
    assert {person.locale for person in crowd} == {"tr", "de", "en", "nl", "ru", "uk", "ar"}


def test_every_phone_is_valid_and_of_the_country_lived_in(crowd: list[Person]) -> None:
    for person in crowd:
        number = phonenumbers.parse(person.phone, "TR")
        assert phonenumbers.is_valid_number(number), person.phone
        assert phonenumbers.region_code_for_number(number) == person.residence
    assert len({person.residence for person in crowd}) >= 5


def test_phones_are_typed_nationally_and_internationally(crowd: list[Person]) -> None:
    turkish = [person.phone for person in crowd if person.residence == "TR"]
    assert {phone[0] for phone in turkish} == {"0", "5", "+"}
    assert {person.phone[0] for person in crowd if person.residence != "TR"} == {"0", "+"}


def test_some_families_share_a_phone_but_most_people_do_not(crowd: list[Person]) -> None:
    homes = Counter((person.phone, person.address) for person in crowd)
    assert 0.03 < sum(number - 1 for number in homes.values()) / COUNT < 0.12


def test_no_mail_can_reach_anybody(crowd: list[Person]) -> None:
    assert {person.email.rpartition("@")[2] for person in crowd} == set(MAIL_HOSTS)
    assert len({person.email for person in crowd}) == COUNT
    for person in crowd[:500]:
        assert person.email.isascii()
        validate_email(person.email, check_deliverability=False, test_environment=True)


def test_turkish_letters_are_plentiful(crowd: list[Person]) -> None:
    letters = Counter("".join(person.first_name + person.last_name for person in crowd if person.nationality == "TR"))
    assert all(letters[letter] > COUNT / 50 for letter in "İIışğçöüÇÖŞ")
    assert letters["Ü"] > 0


def test_some_names_are_in_cyrillic_and_agree_with_gender(crowd: list[Person]) -> None:
    cyrillic = [person for person in crowd if "\u0400" <= person.first_name[0] <= "\u04ff"]
    assert len(cyrillic) > COUNT / 200
    women = {person.last_name for person in cyrillic if person.gender == "female"}
    men = {person.last_name for person in cyrillic if person.gender == "male"}
    assert not any(name.endswith(("ов", "ев", "ский")) for name in women)
    assert not any(name.endswith(("ова", "ева", "ская")) for name in men)
    assert {"Вишневская", "Волкова"} <= women


def test_everybody_can_be_stored_and_found(crowd: list[Person]) -> None:
    for person in crowd:
        for text in (person.first_name, person.last_name, person.address, person.city, person.phone):
            assert text
            assert text == clean_line(text)
        assert words(f"{person.first_name} {person.last_name}")
        assert len(person.phone) <= 40
        assert person.instagram is None or (person.instagram.isascii() and len(person.instagram) <= 60)


def test_ages_are_those_of_dental_patients(crowd: list[Person]) -> None:
    ages = [(TODAY - person.birth_date).days / 365.25 for person in crowd]
    assert min(ages) >= 3
    assert max(ages) < 90
    assert 0.05 < sum(age < 18 for age in ages) / COUNT < 0.12
