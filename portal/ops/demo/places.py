"""Homes and phone numbers for invented people, by country.

Numbers come from ranges kept free for fiction where a country has them: Ofcom's drama numbers (GB) and
the Bundesnetzagentur's film numbers (DE). Elsewhere no such range is known; there the subscriber part
begins with 000, which operators leave unassigned.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What addresses and phones of one country look like; every ``#`` of ``phones`` is a digit.

    Phones are templates as staff in Türkiye type them: Turkish ones nationally or with +90, all
    others with + or 00. ``cities`` are (city, districts); ``number_word`` stands before a house number.
    """

    cities: tuple[tuple[str, tuple[str, ...]], ...]
    streets: tuple[str, ...]
    number_word: str
    phones: tuple[str, ...]


_TR_OPERATORS = ("505", "532", "533", "535", "541", "542", "544", "551", "553", "555")
_TR_SHAPES = ("0{} 000 ## ##", "0{}000####", "0({}) 000 ## ##", "{} 000 ## ##", "+90 {} 000 ## ##", "+90{}000####")
_GB_AREAS = ("113 496 0###", "117 496 0###", "121 496 0###", "131 496 0###", "161 496 0###", "20 7946 0###")
_DE_AREAS = ("30 23125###", "69 90009###", "40 66969###", "221 4710###", "89 99998###")
_RU_OPERATORS = ("900", "916", "925", "999")

PLACES: dict[str, Place] = {
    "TR": Place(
        cities=(
            ("İstanbul", ("Kadıköy", "Beşiktaş", "Şişli", "Üsküdar", "Bakırköy", "Ümraniye", "Sarıyer")),
            ("Ankara", ("Çankaya", "Keçiören", "Yenimahalle", "Gölbaşı")),
            ("İzmir", ("Karşıyaka", "Bornova", "Çeşme", "Balçova")),
            ("Antalya", ("Muratpaşa", "Konyaaltı", "Kaş", "Alanya")),
            ("Muğla", ("Bodrum", "Fethiye", "Marmaris")),
            ("Eskişehir", ("Odunpazarı", "Tepebaşı")),
            ("Şanlıurfa", ("Haliliye", "Eyyübiye")),
        ),
        streets=(
            *("Atatürk Cad.", "İstiklal Cad.", "Cumhuriyet Cad.", "Gül Sok.", "Çınar Sok.", "Işık Sok."),
            *("Öğretmenler Cad.", "Şehit Pilot Cad.", "İnönü Bulvarı", "Zübeyde Hanım Cad."),
        ),
        number_word="No: ",
        phones=tuple(shape.format(operator) for operator in _TR_OPERATORS for shape in _TR_SHAPES),
    ),
    "DE": Place(
        cities=(
            ("Berlin", ("10115 Mitte", "12043 Neukölln", "10997 Kreuzberg")),
            ("Köln", ("50667 Altstadt", "50823 Ehrenfeld")),
            ("München", ("80331 Altstadt", "80799 Maxvorstadt")),
            ("Hamburg", ("20095 Altstadt", "22765 Ottensen")),
        ),
        streets=("Lindenstraße", "Hauptstraße", "Gartenweg", "Mühlenweg", "Schillerstraße", "Königsallee"),
        number_word="",
        phones=(
            *("+49 171 39200##", "+49 176 040690##", "0049 176 040690##"),
            *(f"{prefix} {area}" for area in _DE_AREAS for prefix in ("+49", "0049", "+49 (0)")),
        ),
    ),
    "GB": Place(
        cities=(
            ("London", ("Camden", "Hackney", "Ealing", "Croydon")),
            ("Manchester", ("Didsbury", "Salford")),
            ("Leeds", ("Headingley", "Horsforth")),
            ("Edinburgh", ("Leith", "Morningside")),
        ),
        streets=("High Street", "Station Road", "Church Lane", "Victoria Road", "Mill Lane", "Queen's Drive"),
        number_word="",
        phones=tuple(f"{prefix} {area}" for area in _GB_AREAS for prefix in ("+44", "0044", "+44 (0)")),
    ),
    "NL": Place(
        cities=(
            ("Amsterdam", ("1012 Centrum", "1091 Oost")),
            ("Rotterdam", ("3011 Centrum", "3039 Blijdorp")),
            ("Utrecht", ("3511 Binnenstad", "3581 Oost")),
        ),
        streets=("Dorpsstraat", "Kerkstraat", "Molenweg", "Prinsengracht", "Julianalaan"),
        number_word="",
        phones=("+31 6 10000###", "0031 6 10000###", "+31 6 1200 0###"),
    ),
    "RU": Place(
        cities=(
            ("Moskva", ("Arbat", "Khamovniki", "Sokolniki")),
            ("Sankt-Peterburg", ("Petrogradsky", "Vasileostrovsky")),
            ("Kazan", ("Vakhitovsky",)),
        ),
        streets=("ul. Lenina", "ul. Pushkina", "Nevsky pr.", "ul. Sadovaya", "ul. Gagarina"),
        number_word="d. ",
        phones=tuple(
            shape.format(operator)
            for operator in _RU_OPERATORS
            for shape in ("+7 {} 000-##-##", "+7{}000####", "007 {} 000 ## ##")
        ),
    ),
    "UA": Place(
        cities=(("Kyiv", ("Podil", "Pechersk")), ("Odesa", ("Arkadiia",)), ("Lviv", ("Sykhiv",))),
        streets=("vul. Franka", "vul. Shevchenka", "vul. Sadova"),
        number_word="",
        phones=("+380 50 000 ## ##", "+38067000####", "00380 50 000 ## ##"),
    ),
    "AE": Place(
        cities=(("Dubai", ("Deira", "Jumeirah", "Al Barsha")), ("Abu Dhabi", ("Al Reem", "Khalifa City"))),
        streets=("Al Wasl Road", "Corniche Street", "Palm Street", "Al Noor Street"),
        number_word="Villa ",
        phones=("+971 50 000 ####", "+97155000####", "00971 50 000 ####"),
    ),
}
