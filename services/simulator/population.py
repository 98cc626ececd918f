"""The simulated world: people in households, and what they use, each a pure function of seed and number.

Nothing is stored but a bounded cache, so a world of ten million people costs no memory.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final, TypeVar

from services.simulator import numbers
from services.simulator.names import Culture, PersonName, Spelled, draw_culture, draw_family, draw_name
from services.simulator.places import KINDS_OF_STREET, City, area_codes, cities, streets

T = TypeVar("T")
CACHE: Final = 20_000
PLANTED: Final = 6_000
"""Telephone numbers kept for the people of planted schemes."""
CREW: Final = 6
"""People set aside for each planted scheme: two households."""
HOUSEHOLD: Final = 3
"""People per household; the first two are a couple, the third mostly their child."""


@dataclass(frozen=True, slots=True)
class Household:
    """People who share an address and family names."""

    number: int
    culture: Culture
    families: tuple[Spelled, ...]
    mother_family: Spelled
    city: City
    house: int
    street: str
    kind: tuple[str, str]
    unit: int | None
    zip: str


@dataclass(frozen=True, slots=True)
class Citizen:
    """A person; ``key`` is the true entity id."""

    number: int
    name: PersonName
    suffix: str
    born: date
    country: str
    household: Household
    passport: str
    licence: str
    curp: str

    @property
    def key(self) -> str:
        """The true entity id."""
        return f"person:{self.number}"


@dataclass(frozen=True, slots=True)
class Car:
    """A road vehicle and its keeper's number."""

    number: int
    plate: str
    state: str
    vin: str
    make: str
    model: str
    year: int
    colour: str
    kind: str

    @property
    def key(self) -> str:
        """The true entity id."""
        return f"vehicle:{self.number}"


@dataclass(frozen=True, slots=True)
class Bank:
    """An account of a person or company."""

    number: int
    account: str
    aba: str
    institution: str
    state: str
    zip: str

    @property
    def key(self) -> str:
        """The true entity id."""
        return f"account:{self.number}"


@dataclass(frozen=True, slots=True)
class Firm:
    """A company and its address."""

    number: int
    name: str
    form: tuple[str, ...]
    ein: str
    city: City
    house: int
    street: str

    @property
    def key(self) -> str:
        """The true entity id."""
        return f"organization:{self.number}"


MAKES: Final = (
    ("Ford", "F-150", "V05"),
    ("Chevrolet", "Silverado", "V05"),
    ("Toyota", "Tacoma", "V05"),
    ("Toyota", "Camry", "V17"),
    ("Honda", "Accord", "V17"),
    ("Nissan", "Altima", "V17"),
    ("Volkswagen", "Jetta", "V17"),
    ("Dodge", "Charger", "V17"),
    ("GMC", "Yukon", "V17"),
    ("Jeep", "Grand Cherokee", "V17"),
    ("Freightliner", "Cascadia", "V01"),
    ("Kenworth", "T680", "V01"),
)
COLOURS: Final = ("WHITE", "BLACK", "SILVER", "GREY", "BLUE", "RED", "GREEN", "GOLD")
BANKS: Final = (
    "First Mesa Bank", "Rio Alto Savings", "Lone Cedar Credit Union", "Harborlight National",
    "Copper State Trust", "Prairie Union Bank", "Bluebonnet Federal", "Gulfline Bank", "Two Rivers Bank",
    "Sandstone Community Bank",
)  # fmt: skip
TRADES: Final = (
    "Transport", "Logistics", "Import Export", "Auto Sales", "Freight", "Produce", "Trading", "Recycling",
    "Jewelry", "Auto Body", "Electronics", "Construction", "Customs Brokers", "Car Wash", "Textiles",
)  # fmt: skip
FORMS: Final = (
    ("LLC", "L.L.C.", "Limited Liability Company"),
    ("Inc", "Incorporated", "Inc."),
    ("Corp", "Corporation"),
    ("SA de CV", "S.A. de C.V."),
    ("S de RL", "S. de R.L."),
    ("Co Ltd", "Company Limited", "Co., Ltd."),
)


class World:
    """The people and things of one seed; ``people`` is how many there are."""

    def __init__(self, seed: int, people: int) -> None:
        self.seed = seed
        self.people = people
        self._cache: OrderedDict[tuple[str, int], object] = OrderedDict()
        self._codes = area_codes()
        self.phones = len(self._codes) * 100

    def citizen(self, number: int) -> Citizen:
        """The person of this number."""
        return self._of("citizen", number, self._make_citizen)

    def household(self, number: int) -> Household:
        """The household of this number."""
        return self._of("household", number, self._make_household)

    def car(self, number: int) -> Car:
        """The vehicle kept by the person of this number."""
        return self._of("car", number, self._make_car)

    def bank(self, number: int) -> Bank:
        """The account of the person of this number."""
        return self._of("bank", number, self._make_bank)

    def firm(self, number: int) -> Firm:
        """The company of this number."""
        return self._of("firm", number, self._make_firm)

    def phone(self, person: int, which: int = 0) -> str | None:
        """A person's telephone number in the range reserved for fiction; None once the numbers are used up.

        People beyond ``people``, whom only planted schemes use, have numbers of their own.
        """
        slot = (person - self.people) * 2 + which if person >= self.people else PLANTED + person * 3 + which
        if slot >= (PLANTED if person >= self.people else self.phones):
            return None
        code, line = divmod(slot * 7_919 % self.phones, 100)
        return f"+1{self._codes[code]}55501{line:02d}"

    def near(self, person: int, step: int) -> int:
        """Somebody whom a person knows: of a planted scheme another of its people, otherwise anybody."""
        if person < self.people:
            return (person + step) % self.people
        offset = (person - self.people) % CREW
        return person - offset + (offset + step) % CREW

    def imei(self, person: int) -> str:
        """The IMEI of a person's handset."""
        return numbers.luhn(f"35{self.seed % 10_000:04d}{person % 100_000_000:08d}")

    def email(self, person: int) -> str:
        """A person's e-mail address, at a domain reserved for examples."""
        name = self.citizen(person).name
        local = f"{name.given.latin[-1]}.{name.family[0].latin[-1]}{person}"
        return "".join(c for c in local.lower() if c.isascii() and (c.isalnum() or c == ".")) + "@example.com"

    def _of(self, kind: str, number: int, make: Callable[[Random, int], T]) -> T:
        key = (kind, number)
        found = self._cache.get(key)
        if found is None:
            tag = _TAGS[kind]
            found = make(Random((self.seed << 48) | (number << 3) | tag), number)  # noqa: S311 - a simulation
            self._cache[key] = found
            if len(self._cache) > CACHE:
                self._cache.popitem(last=False)
        return found  # type: ignore[return-value]  # the key's kind decides the type

    def _make_household(self, rng: Random, number: int) -> Household:
        culture = draw_culture(rng)
        family, mother = draw_family(rng, culture), draw_family(rng, culture)
        families = (family, mother) if culture.code == "es" else (family,)
        places = cities()
        city = places[int(rng.random() ** 1.5 * len(places))]
        return Household(
            number,
            culture,
            families,
            mother,
            city,
            int(rng.random() * 9_800) + 100,
            rng.choice(streets()),
            rng.choice(KINDS_OF_STREET),
            int(rng.random() * 400) + 1 if rng.random() < 0.4 else None,
            f"{city.zips}{int(rng.random() * 60) + 1:02d}",
        )

    def _make_citizen(self, rng: Random, number: int) -> Citizen:
        home, place = self.household(number // HOUSEHOLD), number % HOUSEHOLD
        families = home.families
        if place == 1 and rng.random() < 0.4:
            second = (draw_family(rng, home.culture),) if home.culture.code == "es" else ()
            families = (draw_family(rng, home.culture), *second)
        name, suffix = draw_name(rng, home.culture, families), ""
        if place == 2 and rng.random() < 0.12:
            father = self.citizen(number - 2)
            if father.name.male:
                name, suffix = father.name, "Jr"
        years = 20 + rng.random() * 20 if place == 2 else 38 + rng.random() * 34
        born = date(2026, 1, 1) - timedelta(days=int(years * 365.25))
        country = rng.choice(home.culture.countries)
        digits = int(rng.random() * 90_000_000) + 10_000_000
        return Citizen(
            number,
            name,
            suffix,
            born,
            country,
            home,
            f"{chr(65 + number % 26)}{digits}",
            f"{int(rng.random() * 90_000_000) + 10_000_000}",
            numbers.curp(rng, name, born) if country == "MX" else "",
        )

    def _make_car(self, rng: Random, number: int) -> Car:
        make, model, kind = rng.choice(MAKES)
        year = 2004 + int(rng.random() * 21)
        city = self.household(number // HOUSEHOLD).city
        return Car(
            number,
            numbers.plate(rng),
            city.state,
            numbers.vin(rng, year),
            make,
            model,
            year,
            rng.choice(COLOURS),
            kind,
        )

    def _make_bank(self, rng: Random, number: int) -> Bank:
        home = self.household(number // HOUSEHOLD)
        which = int(rng.random() * len(BANKS))
        account = str(int(rng.random() * 9e11) + int(1e11))
        return Bank(number, account, numbers.aba(which), BANKS[which], home.city.state, home.zip)

    def _make_firm(self, rng: Random, number: int) -> Firm:
        culture = draw_culture(rng)
        word = draw_family(rng, culture).latin[-1]
        places = cities()
        city = places[int(rng.random() ** 1.5 * len(places))]
        ein = f"{int(rng.random() * 90) + 10}-{int(rng.random() * 9e6) + int(1e6)}"
        house = int(rng.random() * 9_800) + 100
        name = f"{word} {rng.choice(TRADES)}"
        return Firm(number, name, rng.choice(FORMS), ein, city, house, rng.choice(streets()))


_TAGS: Final = {"household": 0, "citizen": 1, "car": 2, "bank": 3, "firm": 4}
