"""Splink on the sets of `bench/resolve.py`: the settings of its own tutorials, better blocked.

Needs `pip install -e '.[bench]'`. Labels are used for nothing but to find the threshold that is best for
Splink, which is reported beside its tutorials' fixed one (a match probability of 0.95).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

FIXED = 0.95
"""The match probability at which Splink's tutorials cluster."""
THRESHOLDS = tuple(range(-4, 33))
"""Match weights (bits) among which the best is looked for."""


class Recipe(NamedTuple):
    """How Splink is set up for one set; ``sure``: rules that find ``recall`` of the matches."""

    comparisons: Sequence[Any]
    blocking: Sequence[Any]
    sure: Sequence[Any]
    recall: float
    training: Sequence[Any]


def _fake_1000() -> Recipe:
    """The tutorial's comparisons; it blocks on first name with city and on surname: more here."""
    return Recipe(
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        blocking=[block_on("first_name"), block_on("surname"), block_on("dob"), block_on("email")],
        sure=[block_on("first_name", "surname", "dob"), block_on("email")],
        recall=0.7,
        training=[block_on("first_name", "surname"), block_on("dob"), block_on("email")],
    )


def _historical() -> Recipe:
    """The settings of the example that deduplicates the whole of this set."""
    return Recipe(
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_and_surname"
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"),
            block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"),
            block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        sure=[
            block_on("first_name", "surname", "dob"),
            block_on("substr(first_name,1,2)", "surname", "substr(postcode_fake,1,2)"),
            block_on("dob", "postcode_fake"),
        ],
        recall=0.6,
        training=[block_on("first_name", "surname"), block_on("dob")],
    )


def _febrl3() -> Recipe:
    """The settings of the example that deduplicates this set."""
    return Recipe(
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("soc_sec_id"),
            block_on("given_name"),
            block_on("surname"),
            block_on("date_of_birth"),
            block_on("postcode"),
        ],
        sure=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            block_on("given_name", "surname", "postcode"),
        ],
        recall=0.9,
        training=[block_on("date_of_birth"), block_on("postcode")],
    )


RECIPES = {
    "fake_1000": (_fake_1000, "unique_id"),
    "historical_dev": (_historical, "unique_id"),
    "febrl3": (_febrl3, "rec_id"),
}


def scored(name: str, rows: Iterable[dict[str, str]]) -> list[tuple[str, str, float]]:
    """The pairs that Splink scores: two ids and the match weight in bits."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    make, key = RECIPES[name]
    recipe = make()
    table = [{k: v.strip() or None for k, v in row.items() if k != "cluster"} for row in rows]
    for row in table:
        row["unique_id"] = row[key]
        if name == "historical_dev":
            both = row["first_name"] and row["surname"]
            row["first_and_surname"] = f"{row['first_name']} {row['surname']}" if both else None
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=recipe.comparisons,
        blocking_rules_to_generate_predictions=recipe.blocking,
        unique_id_column_name="unique_id",
    )
    linker = Linker(DuckDBAPI().register(pa.Table.from_pylist(table)), settings)
    training = linker.training
    training.estimate_probability_two_random_records_match(list(recipe.sure), recall=recipe.recall)
    training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for rule in recipe.training:
        training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_weight=min(THRESHOLDS)).as_pyarrow_table()
    ends = zip(found["unique_id_l"].to_pylist(), found["unique_id_r"].to_pylist(), strict=True)
    return [(a, b, w) for (a, b), w in zip(ends, found["match_weight"].to_pylist(), strict=True)]
