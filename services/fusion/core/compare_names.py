"""The comparisons of names: of persons, and of organisations and ships."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product, zip_longest
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from services.fusion.core.model import Table
from services.fusion.core.tally import Step, Tally
from services.fusion.core.tokens import FAMILY, GIVEN, UNKNOWN, Token, align, eastern, level, token
from shared.normalise import names, organisations, places
from shared.normalise.eastern import SURNAMES

_FULL: Final = 36
"""Pairs of names that are scored for two profiles of many names: those that share most sounds."""
_NAMES: Final = 64
"""Names of one profile that are looked at."""

_CLASH: Final = {GIVEN: "given", FAMILY: "family", UNKNOWN: "different"}

_NAMESAKE: Final = frozenset(
    {"same", "form", "spelling", "suffix", "no suffix", "generation", "missing", "particle"}
)

_OTHERS: Final = frozenset({"given", "different"})
"""Levels of a given name that is another: whoever shares the rest may be a brother or sister."""

_WHOLE: Final = 1600
"""Centibits that a whole name of two words is worth at least: organisations choose names to differ."""
_ONE: Final = 1400
"""The same of a name of one word: with the legal form and a country that few have, it is enough."""

_DECISIVE: Final = frozenset({"number", "other form"})
"""Levels that no change of name explains: what ``least`` forgives does not hold for them."""

_AKIN: Final = (
    frozenset({"ltd", "llc", "fze", "co"}),
    frozenset({"jsc", "plc", "inc", "co"}),
)
"""Legal forms that translations of one name put for each other."""

Row = tuple[str, str | None, str | None, int]
"""A compared word: level, value of each side, bits."""


class Named(NamedTuple):
    """A name made ready to compare; ``mark`` is a person's suffix or an organisation's legal form."""

    text: str
    tokens: tuple[Token, ...]
    mark: str

    @property
    def ordered(self) -> bool:
        """Whether it is known which words are the family's."""
        return bool(self.tokens) and self.tokens[0].role != UNKNOWN


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
        if not SURNAMES.isdisjoint(name.given + name.family):
            words = list(map(eastern, words))
        found.append(Named(text, tuple(words), name.suffix))
    return tuple(found) or None


def read_organisation(
    features: Mapping[str, Sequence[str]], tables: Mapping[str, Table]
) -> tuple[Named, ...] | None:
    """The names of an organisation or ship, other names last; None without any."""
    table = tables["word"]
    home = {word for text in features.get("address", ()) for word in places.parse(text).city.split()}
    found = []
    for text in (*features.get("name", ()), *features.get("alias", ())):
        name = organisations.parse(text)
        words = ((t, min(table.of(t), _HOME) if t in home else table.of(t)) for t in name.words)
        tokens = [token(t, UNKNOWN, bits) for t, bits in words]
        if tokens[0].text in organisations.NAMES_TOO:
            tokens[0] = tokens[0]._replace(particle=False, bits=table.of(tokens[0].text))
        found.append(Named(text, tuple(tokens), name.form))
    return tuple(found) or None


_HOME: Final = 750
"""Centibits of a word of a name that is its own place's too, which the address tells again."""


def person_name(a: tuple[Named, ...], b: tuple[Named, ...], step: Step, tally: Tally) -> None:
    """Word by word, in any order and script: the same, a form of the same name (Bill, William), another
    spelling, a typing error, an initial; rare names weigh more, a different given or family name weighs
    heavily against, and Jr. is never Sr."""
    best = _best(a, b, step, _score_person)
    _tell(best, step, tally)
    tally.kin += best.kin
    keys = {row[0] for row in best.rows}
    tally.siblings = not keys.isdisjoint(_OTHERS)
    tally.namesakes = keys <= _NAMESAKE and len(best.rows) > 1


def organisation_name(a: tuple[Named, ...], b: tuple[Named, ...], step: Step, tally: Tally) -> None:
    """Word by word, legal form apart: rare words weigh more, another number or place name weighs against,
    initials of the words count as the name."""
    _tell(_best(a, b, step, _score_organisation), step, tally)


def _best(a: tuple[Named, ...], b: tuple[Named, ...], step: Step, score: Score) -> Scored:
    """The pair of names that agrees best; the first such, in canonical order."""
    if len(a) == len(b) == 1:
        return score(a[0], b[0], step)
    found: Scored | None = None
    for x, y in _likeliest(a, b):
        scored = score(x, y, step)
        if found is None or scored.weight > found.weight:
            found = scored
    assert found is not None, "a parsed feature has at least one name"
    return found


def _likeliest(a: tuple[Named, ...], b: tuple[Named, ...]) -> Iterable[tuple[Named, Named]]:
    """All pairs of names where they are few, else those that share most sounds."""
    if len(a) * len(b) <= _FULL:
        return product(a, b)
    left, right = ([(n, {t.sound for t in n.tokens}) for n in names[:_NAMES]] for names in (a, b))
    ranked = sorted(product(left, right), key=lambda pair: _unlike(pair[0][1], pair[1][1]))
    return [(x, y) for (x, _), (y, _) in ranked[:_FULL]]


def _unlike(a: Collection[str], b: set[str]) -> int:
    """How much two sets of sounds differ: smaller is more alike."""
    return len(a) + len(b) - 3 * len(b.intersection(a))


def _tell(best: Scored, step: Step, tally: Tally) -> None:
    """Write the rows of the best pair of names, and what the cap takes off."""
    gained = lost = agreeing = 0
    for key, x, y, bits in best.rows:
        weight = tally.add(step, key, x, y, bits)
        if weight > 0:
            gained += weight
            agreeing += weight > _SLIGHT
        elif key not in _DECISIVE:
            lost += weight
    counts = _within(gained, agreeing, step)
    if counts < gained:
        tally.adjust(step.feature, step.levels["dependent"].label, counts - gained)
    if lost < step.least:
        tally.adjust(step.feature, step.levels["renamed"].label, step.least - lost)


def _weigh(rows: list[Row], step: Step) -> tuple[int, int]:
    """The sum of the rows, and what is off it because words that agree are not independent.

    Two names of one person tell some of it twice, and more than ``most`` no name tells. What is off is
    taken from what kin would share first, not from what is one's own.
    """
    gained = lost = decisive = agreeing = 0
    base, rarity = step.base, step.rarity
    for key, _, _, bits in rows:
        weight = base[key] + rarity[key] * bits // 100
        if weight > 0:
            gained += weight
            agreeing += weight > _SLIGHT
        elif key in _DECISIVE:
            decisive += weight
        else:
            lost += weight
    counts = _within(gained, agreeing, step)
    return counts + max(lost, step.least) + decisive, gained - counts


def _within(gained: int, agreeing: int, step: Step) -> int:
    """What counts of the sum of so many words that agree."""
    return min(gained - step.together * max(0, agreeing - 1), step.most)


_SLIGHT: Final = 100
"""Centibits of an agreement that is no name's: of a suffix, of an initial."""


def _score_person(a: Named, b: Named, step: Step) -> Scored:
    """Score two names of persons."""
    found = align(a.tokens, b.tokens)
    base, rarity = step.base, step.rarity
    rows: list[Row] = []
    kin = likeliest = 0
    swapped = False
    for x, y, key, bits, roles in found.matches:
        rows.append((key, x, y, bits))
        weight = base[key] + rarity[key] * bits // 100
        if roles in _CROSSED:
            swapped = True
            likeliest = max(likeliest, weight)
        elif FAMILY in roles:
            kin += weight
        elif UNKNOWN in roles and key != "joined":
            likeliest = max(likeliest, weight)
    if swapped:
        rows.append(("swapped", a.text, b.text, 0))
    if found.left or found.right:
        _leftover(found.left, found.right, rows)
        if not a.ordered and any(row[0] == "different" for row in rows):
            likeliest = max(likeliest, sum(base[m.level] + m.bits for m in found.matches if m.bits > 0))
    _suffix(a.mark, b.mark, rows)
    weight, off = _weigh(rows, step)
    return Scored(rows, weight, kin=max(0, max(likeliest, kin) - off))


_CROSSED: Final = frozenset({"gf", "fg"})
"""Roles of words that are a given name on one side and a family name on the other."""


def _leftover(left: list[Token], right: list[Token], rows: list[Row]) -> None:
    """Rows for the words that answer none."""
    rows += [("particle", t.text, None, 0) for t in left if t.particle]
    rows += [("particle", None, t.text, 0) for t in right if t.particle]
    y = [t for t in right if not t.particle]
    alone: list[Row] = []
    for one in left:
        if one.particle:
            continue
        role = one.role
        other = next((t for t in y if role in (t.role, UNKNOWN) or t.role == UNKNOWN), None)
        if other is None:
            alone.append(("missing", one.text, None, 0))
            continue
        y.remove(other)
        rows.append(("alike" if level(one, other) == "alike" else _CLASH[role], one.text, other.text, 0))
    rows += alone
    rows += [("missing", None, t.text, 0) for t in y]


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
        _leftover_words(found.left, found.right, rows, step)
    if a.text.partition(",")[0] == b.text.partition(",")[0]:
        least = _WHOLE if len(a.tokens) > 1 else _ONE
        rows.append(("whole", a.text, b.text, max(0, least - _weigh(rows, step)[0])))
    if a.mark == b.mark:
        if a.mark:
            rows.append(("legal form", a.mark, b.mark, 0))
    elif a.mark and b.mark and not any({a.mark, b.mark} <= akin for akin in _AKIN):
        rows.append(("other form", a.mark, b.mark, 0))
    return Scored(rows, _weigh(rows, step)[0], kin=0)


def _leftover_words(left: list[Token], right: list[Token], rows: list[Row], step: Step) -> None:
    for x, y in _opposed(left, right):
        key = _unanswered(x, y, step)
        bits = min(x.bits, y.bits) if x and y and key == "form" else 0
        rows.append((key, x.text if x else None, y.text if y else None, bits))


def _unanswered(x: Token | None, y: Token | None, step: Step) -> str:
    """The level of two words that answer none, or of one word alone."""
    if x is None or y is None:
        word = x.text if x else y.text if y else ""
        if word.isdigit():
            return "numbered"
        return "frame" if word in organisations.FRAMES and "frame" in step.base else "missing"
    if x.text.isdigit() and y.text.isdigit():
        return "number"
    if x.text + "s" == y.text or y.text + "s" == x.text:
        return "form"
    return "alike" if level(x, y) == "alike" and _nearly(x.text, y.text) else "different"


def _nearly(x: str, y: str) -> bool:
    """Whether two words differ in a quarter of their letters at most: Brightmoon is no Brightsun."""
    return OSA.normalized_similarity(x, y) >= _QUARTER


_QUARTER: Final = 0.75


def _opposed(left: list[Token], right: list[Token]) -> Iterator[tuple[Token | None, Token | None]]:
    """The words that answer none against each other: number against number, word against word."""
    for digits in (True, False):
        yield from zip_longest(
            [t for t in left if t.text.isdigit() is digits], [t for t in right if t.text.isdigit() is digits]
        )


def _acronym(a: Named, b: Named) -> list[Row] | None:
    """A row where ``a`` is one word made of the initials of ``b``, of three letters or more."""
    if len(a.tokens) != 1 or len(b.tokens) < 3:
        return None
    word = a.tokens[0].text
    if word != "".join(t.text[0] for t in b.tokens):
        return None
    return [("initial", word, b.text, _LETTER * len(word))]


_LETTER: Final = 420
"""Centibits of a letter of initials."""
