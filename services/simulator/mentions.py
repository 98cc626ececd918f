"""Mentions: a true person or thing as one report describes it, and the truth beside."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from services.simulator import noise
from services.simulator.places import FOREIGN, City
from services.simulator.population import HOUSEHOLD, Citizen, World

LISTS: Final = {
    "p": "persons", "o": "organizations", "t": "phones", "d": "devices", "w": "online", "v": "vehicles",
    "s": "vessels", "f": "aircraft", "c": "containers", "a": "accounts", "i": "documents", "l": "locations",
    "x": "drugs", "m": "currency", "g": "firearms",
}  # fmt: skip
"""First letter of a local id → the payload's list of that kind."""


NONE: Final = "NONE"
"""In place of a local id: there is no such thing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A payload, and which true entity each of its local ids is."""

    payload: dict[str, Any]
    truth: dict[str, str]


class Cast:
    """The mentions of one report under construction, and who each truly is."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.truth: dict[str, str] = {}
        self.relations: list[dict[str, Any]] = []

    def add(self, letter: str, key: str, fields: dict[str, Any]) -> str:
        """Add a mention of true entity ``key`` (empty for items); returns its local id."""
        found = self.lists.setdefault(LISTS[letter], [])
        local = f"{letter}{len(found) + 1}"
        found.append({"local_id": local} | fields)
        if key:
            self.truth[local] = key
        return local

    def relate(self, source: str, target: str, kind: str, confidence: float = 1.0) -> None:
        """State a relation of this report."""
        relation: dict[str, Any] = {"from": source, "to": target, "type": kind}
        if confidence < 1:
            relation["confidence"] = confidence
        self.relations.append(relation)

    def person(self, number: int, role: str, *, documents: float = 0.3) -> str:
        """Mention the person of this number; ``documents`` is how often an identifying number is given."""
        rng, who = self.rng, self.world.citizen(number)
        fields: dict[str, Any] = {"role": role} | noise.written_name(rng, who.name, who.suffix)
        born = noise.written_date(rng, who.born)
        if born:
            fields["dob"] = born
        if rng.random() < 0.8:
            fields["sex"] = "M" if who.name.male else "F"
        if rng.random() < 0.4:
            fields["citizenship"] = [who.country]
        if rng.random() < documents:
            fields["ids"] = [_identifier(rng, who)]
        if rng.random() < 0.5:
            fields["us_person"] = "Y" if who.country == "US" else "N"
        return self.add("p", who.key, fields)

    def phone(self, number: int, role: str = "TARGET", which: int = 0) -> str | None:
        """Mention a person's telephone number; None where the person has none."""
        found = self.world.phone(number, which)
        return None if found is None else self.number(found, role)

    def number(self, e164: str, role: str = "CONTACT") -> str:
        """Mention a telephone number, now and then written the national way."""
        written = e164 if self.rng.random() < 0.9 else f"({e164[2:5]}) {e164[5:8]}-{e164[8:]}"
        fields = {"role": role, "number": written}
        if written != e164:
            fields["country"] = "US"
        return self.add("t", f"phone:{e164}", fields)

    def vehicle(self, number: int, role: str = "CONVEYANCE", *, full: bool = False) -> str:
        """Mention the vehicle of this number; ``full``: with VIN and description, as after a search."""
        rng, car = self.rng, self.world.car(number)
        plate = noise.misread(rng, car.plate) if rng.random() < 0.02 and not full else car.plate
        fields: dict[str, Any] = {
            "role": role,
            "plate": plate,
            "jurisdiction": f"US-{car.state}",
            "country": "US",
        }
        if full or rng.random() < 0.3:
            fields |= {"make": car.make, "model": car.model, "colour": car.colour, "kind": car.kind}
        if full and rng.random() < 0.8:
            fields |= {"vin": car.vin, "year": car.year}
        return self.add("v", car.key, fields)

    def account(self, number: int, role: str = "ACCOUNT_HOLDER") -> str:
        """Mention the account of the person of this number."""
        bank = self.world.bank(number)
        fields = {"role": role, "number": bank.account, "aba": bank.aba, "institution": bank.institution}
        if self.rng.random() < 0.5:
            fields |= {"branch_zip": bank.zip, "branch_state": bank.state}
        return self.add("a", bank.key, fields)

    def firm(self, number: int, role: str = "SUBJECT") -> str:
        """Mention the company of this number."""
        rng, firm = self.rng, self.world.firm(number)
        name = firm.name if rng.random() > 0.05 else noise.typo(rng, firm.name)
        fields: dict[str, Any] = {"role": role, "name": f"{name} {rng.choice(firm.form)}", "kind": "business"}
        if rng.random() < 0.3:
            fields["ids"] = [{"type": "EIN", "value": firm.ein, "issuer": "US"}]
        return self.add("o", firm.key, fields)

    def passport(self, number: int, role: str = "SUBJECT") -> str:
        """Mention a person's passport."""
        who = self.world.citizen(number)
        fields = {"role": role, "type": "PASSPORT", "number": who.passport, "issuer": who.country}
        return self.add("i", f"document:{number}", fields)

    def home(self, number: int) -> str:
        """Mention the address where a person lives."""
        rng, home = self.rng, self.world.citizen(number).household
        street, short = home.kind
        address = f"{home.house} {home.street} {street if rng.random() < 0.5 else short}"
        if home.unit is not None and rng.random() < 0.85:
            address += f"{rng.choice((' Apt ', ' #', ' Unit '))}{home.unit}"
        fields: dict[str, Any] = {
            "role": "PLACE",
            "address": address,
            "city": home.city.name,
            "state": home.city.state,
        }
        if rng.random() < 0.7:
            fields["postcode"] = home.zip
        fields["country"] = "US"
        return self.add("l", f"location:h{number // HOUSEHOLD}", fields)

    def spot(self, city: City, point: tuple[float, float] | None = None) -> str:
        """Mention a point in or near a city."""
        rng = self.rng
        lat, lon = point or (
            round(city.lat + rng.random() * 0.3 - 0.15, 5),
            round(city.lon + rng.random() * 0.3 - 0.15, 5),
        )
        fields = {
            "role": "PLACE", "city": city.name, "state": city.state, "country": "US", "lat": lat, "lon": lon,
        }  # fmt: skip
        return self.add("l", f"location:{lat},{lon}", fields)

    def abroad(self) -> str:
        """Mention a foreign city as origin or destination."""
        city, state, country = self.rng.choice(FOREIGN)
        fields = {"role": "PLACE", "city": city, "state": state, "country": country}
        return self.add("l", f"location:{country}-{city}", fields)

    def payload(self) -> dict[str, Any]:
        """The entity lists and relations as the envelope carries them."""
        return self.lists | ({"relations": self.relations} if self.relations else {})


def _identifier(rng: Random, who: Citizen) -> dict[str, str]:
    if who.curp and rng.random() < 0.5:
        return {"type": "CURP", "value": who.curp, "issuer": "MX"}
    if rng.random() < 0.4:
        return {"type": "PASSPORT", "value": who.passport, "issuer": who.country}
    return {"type": "DL", "value": who.licence, "issuer": f"US-{who.household.city.state}"}
