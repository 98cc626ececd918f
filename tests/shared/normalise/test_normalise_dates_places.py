"""Dates of any precision, and addresses of the United States and Mexico."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise import dates, places
from shared.normalise.text import fold


@pytest.mark.parametrize(
    ("written", "text", "precise"),
    [
        ("1988", "1988", False), ("1988-01", "1988-01", False), ("1988-01-03", "1988-01-03", True),
        ("19880103", "1988-01-03", True), ("3/25/1990", "1990-03-25", True),
        ("25/3/1990", "1990-03-25", True),
        ("12 Mar 1980", "1980-03-12", True), ("1853-21-01", "1853-21-01", False),
        ("2001-02-30", "2001-02-30", False),
    ],
)  # fmt: skip
def test_a_date_is_read_with_its_precision(written: str, text: str, precise: bool) -> None:
    found = dates.parse(written)
    assert found is not None
    assert (str(found), found.precise) == (text, precise)


def test_what_is_no_date_is_none() -> None:
    assert dates.parse("unknown") is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("123 N Main Street Apt. 4B, El Paso, TX 79901-1234, USA", "123 n main st|4b|el paso|TX|79901|US"),
        ("123 North Main St #4B, El Paso TX 79901", "123 n main st|4b|el paso|TX|79901|"),
        ("Calle Hidalgo 45, Ciudad Juárez, Chihuahua", "45 c hidalgo||cd juarez|CHH||"),
        ("Av. Juárez No. 123 Int. 4, Col. Centro, 32000 Cd. Juárez, Chih., México",
         "ave juarez 123 colonia centro|4|cd juarez|CHH|32000|MX"),
        ("1600 Quill Avenue NW, Washington DC 20500", "1600 quill ave nw||washington|DC|20500|"),
    ],
)  # fmt: skip
def test_an_address_line_is_taken_apart(line: str, text: str) -> None:
    assert str(places.address(line)) == text


def test_given_parts_win_over_the_line() -> None:
    assert (
        str(places.address("12 Oak Rd", "El Paso", "US-TX", "79901", "US"))
        == "12 oak rd||el paso|TX|79901|US"
    )
    assert places.address(None) is None


@given(st.text(alphabet=st.characters(exclude_characters="|"), min_size=1, max_size=80))
def test_a_place_reads_back_from_its_text(line: str) -> None:
    found = places.address(line)
    assert found is None or places.parse(str(found)) == found


def test_geohash_cells_nest() -> None:
    assert places.geohash(31.7587, -106.4869).startswith(places.geohash(31.7587, -106.4869, 5))


@given(st.text(max_size=60))
def test_folding_is_stable_and_ascii(text: str) -> None:
    folded = fold(text)
    assert folded.isascii()
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1961-03-09T00:00:00", "1961-03-09"),
        ("circa 1961", "1961"),
        ("c. 1961", "1961"),
        ("1961-00-00", "1961"),
        ("Mar 1961", "1961-03"),
        ("March 9, 1961", "1961-03-09"),
        ("09.03.1961", "1961-03-09"),
        ("03/09/1961", "1961-03-09"),
    ],
)
def test_dates_as_lists_write_them(written: str, text: str) -> None:
    assert str(dates.parse(written)) == text
