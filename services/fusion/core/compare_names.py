"""The comparisons of names: of persons, and of organisations and ships."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from services.fusion.core.model import Table
from services.fusion.core.tally import Step, Tally
from services.fusion.core.tokens import FAMILY, GIVEN, UNKNOWN, Token, align, level, token
from shared.normalise import names, organisations

_FULL: Final = 36
"""Pairs of names that are scored for two profiles of many names; beyond, the first names only."""

_CLASH: Final = {GIVEN: "given", FAMILY: "family", UNKNOWN: "different"}

_NAMESAKE: Final = frozenset(
    {"same", "form", "spelling", "suffix", "no suffix", "generation", "missing", "particle"}
)

_WHOLE: Final = 1600
"""Centibits that a whole name of two words is worth at least: organisations choose names to differ."""

Row = tuple[str, str | None, str | None, int]
"""A scored word: level, value of each side, bits."""


class Named(NamedTuple):
    """A name made ready to compare; ``mark`` is a person's suffix or an organisation's legal form."""

    text: str
    tokens: tuple[Token, ...]
    mark: str


class Scored(NamedTuple):
    """Two names compared: rows, their sum, and how much of it kin would share."""

    rows: list[Row]
    weight: int
    kin: int


Score = Callable[[Named, Named, Step], Scored]


def read_person(
    features: Mapping[str, Sequence[str]], tables: Mapping[str, Table]
) -> tuple[Named, ...] | None:
    """The names of a person, other names last; None without any."""
    given, family = tables["given"], tables["family"]
    found = []
    for text in (*features.get("name", ()), *features.get("alias", ())):
        name = names.parse(text)
        if name.ordered:
            words = [token(t, GIVEN, given.of(t)) for t in name.given]
            words += [token(t, FAMILY, family.of(t)) for t in name.family]
        else:
            words = [token(t, UNKNOWN, min(given.of(t), family.of(t))) for t in name.given]
        found.append(Named(text, tuple(words), name.suffix))
    return tuple(found) or None


def read_organisation(
    features: Mapping[str, Sequence[str]], tables: Mapping[str, Table]
) -> tuple[Named, ...] | None:
    """The names of an organisation or ship, other names last; None without any."""
    table = tables["word"]
    found = []
    for text in (*features.get("name", ()), *features.get("alias", ())):
        name = organisations.parse(text)
        found.append(Named(text, tuple(token(t, UNKNOWN, table.of(t)) for t in name.words), name.form))
    return tuple(found) or None


def person_name(a: tuple[Named, ...], b: tuple[Named, ...], step: Step, tally: Tally) -> None:
    """Word by word, in any order and script: the same, a form of the same name (Bill, William), another
    spelling, a typing error, an initial; rare names weigh more, a different given or family name weighs
    heavily against, and Jr. is never Sr."""
    best = _best(a, b, step, _score_person)
    _tell(best, step, tally)
    tally.kin += best.kin
    tally.namesakes = all(key in _NAMESAKE for key, *_ in best.rows) and len(best.rows) > 1


def organisation_name(a: tuple[Named, ...], b: tuple[Named, ...], step: Step, tally: Tally) -> None:
    """Word by word, legal form apart: rare words weigh more, another number or place name weighs against,
    initials of the words count as the name."""
    _tell(_best(a, b, step, _score_organisation), step, tally)


def _best(a: tuple[Named, ...], b: tuple[Named, ...], step: Step, score: Score) -> Scored:
    """The pair of names that agrees best; the first such, in canonical order."""
    if len(a) * len(b) > _FULL:
        a, b = a[:6], b[:6]
    found: Scored | None = None
    for x in a:
        for y in b:
            scored = score(x, y, step)
            if found is None or scored.weight > found.weight:
                found = scored
    assert found is not None, "a parsed feature has at least one name"
    return found


def _tell(best: Scored, step: Step, tally: Tally) -> None:
    """Write the rows of the best pair of names, and what the cap takes off."""
    gained = 0
    for key, x, y, bits in best.rows:
        gained += max(0, tally.add(step, key, x, y, bits))
    if gained > step.most:
        tally.adjust(step.feature, step.levels["dependent"].label, step.most - gained)


def _weigh(rows: list[Row], step: Step) -> int:
    gained = lost = 0
    for key, _, _, bits in rows:
        weight = step.base[key] + step.levels[key].rarity * bits // 100
        if weight > 0:
            gained += weight
        else:
            lost += weight
    return min(gained, step.most) + lost


def _score_person(a: Named, b: Named, step: Step) -> Scored:
    """Score two names of persons."""
    found = align(a.tokens, b.tokens)
    rows: list[Row] = []
    kin = likeliest = 0
    swapped = False
    for m in found.matches:
        rows.append((m.level, m.a, m.b, m.bits))
        weight = step.base[m.level] + step.levels[m.level].rarity * m.bits // 100
        if m.roles in {"gf", "fg"}:
            swapped = True
            likeliest = max(likeliest, weight)
        elif FAMILY in m.roles:
            kin += weight
        elif UNKNOWN in m.roles and m.level != "joined":
            likeliest = max(likeliest, weight)
    if swapped:
        rows.append(("swapped", a.text, b.text, 0))
    _leftover(found.left, found.right, rows)
    _suffix(a.mark, b.mark, rows)
    return Scored(rows, _weigh(rows, step), max(likeliest, kin))


def _leftover(left: list[Token], right: list[Token], rows: list[Row]) -> None:
    """Rows for the words that answer none."""
    x, y = [t for t in left if not t.particle], [t for t in right if not t.particle]
    rows.extend(("particle", t.text, None, 0) for t in left if t.particle)
    rows.extend(("particle", None, t.text, 0) for t in right if t.particle)
    for one in list(x):
        other = next((t for t in y if t.role == one.role or UNKNOWN in (t.role, one.role)), None)
        if other is None:
            continue
        x.remove(one)
        y.remove(other)
        rows.append(("alike" if level(one, other) == "alike" else _CLASH[one.role], one.text, other.text, 0))
    rows.extend(("missing", t.text, None, 0) for t in x)
    rows.extend(("missing", None, t.text, 0) for t in y)


def _suffix(a: str, b: str, rows: list[Row]) -> None:
    if a == b:
        if a:
            rows.append(("suffix", a, b, 0))
    elif a and b:
        kin = {a, b} <= {"jr", "ii"}
        rows.append(("no suffix" if kin else "generation", a, b, 0))
    else:
        rows.append(("no suffix", a or None, b or None, 0))


def _score_organisation(a: Named, b: Named, step: Step) -> Scored:
    """Score two names of organisations."""
    rows = _acronym(a, b) or _acronym(b, a)
    if rows is None:
        found = align(a.tokens, b.tokens)
        rows = [(m.level, m.a, m.b, m.bits) for m in found.matches]
        _leftover_words(found.left, found.right, rows)
    if a.text.partition(",")[0] == b.text.partition(",")[0] and len(a.tokens) > 1:
        rows.append(("whole", a.text, b.text, max(0, _WHOLE - _weigh(rows, step))))
    if a.mark and b.mark:
        rows.append(("legal form" if a.mark == b.mark else "other form", a.mark, b.mark, 0))
    return Scored(rows, _weigh(rows, step), kin=0)


def _leftover_words(left: list[Token], right: list[Token], rows: list[Row]) -> None:
    for x, y in zip(left, right, strict=False):
        if x.text.isdigit() and y.text.isdigit():
            key = "number"
        else:
            key = "alike" if level(x, y) == "alike" else "different"
        rows.append((key, x.text, y.text, 0))
    rows.extend((_lacking(t), t.text, None, 0) for t in left[len(right) :])
    rows.extend((_lacking(t), None, t.text, 0) for t in right[len(left) :])


def _lacking(t: Token) -> str:
    """The level of a word that only one name has: a number makes it another fund, ship or branch."""
    return "number" if t.text.isdigit() else "missing"


def _acronym(a: Named, b: Named) -> list[Row] | None:
    """A row where ``a`` is one word made of the initials of ``b``, of three letters or more."""
    if len(a.tokens) != 1 or len(b.tokens) < 3:
        return None
    word = a.tokens[0].text
    if word != "".join(t.text[0] for t in b.tokens):
        return None
    return [("initial", word, b.text, sum(t.bits for t in b.tokens))]
