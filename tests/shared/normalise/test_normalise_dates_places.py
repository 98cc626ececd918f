"""Dates of any precision, and addresses of the United States and Mexico."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise import dates, places
from shared.normalise.countries import country, is_country
from shared.normalise.text import fold


@pytest.mark.parametrize(
    ("written", "text", "precise"),
    [
        ("1988", "1988", False), ("1988-01", "1988-01", False), ("1988-01-03", "1988-01-03", True),
        ("19880103", "1988-01-03", True), ("3/25/1990", "1990-03-25", True),
        ("25/3/1990", "1990-03-25", True),
        ("12 Mar 1980", "1980-03-12", True), ("1853-21-01", "1853-21-01", False),
        ("2001-02-30", "2001-02-30", False),
        ("1965-03-XX", "1965-03", False), ("1965-00-00", "1965", False), ("circa 1965", "1965", False),
        ("1965 (approx)", "1965", False), ("1965/3/5", "1965-03-05", True), ("03/1965", "1965-03", False),
        ("5th March 1965", "1965-03-05", True), ("March 5, 1965", "1965-03-05", True),
        ("05MAR1965", "1965-03-05", True), ("24-May-11", "2011-05-24", True),
        ("3/1/70", "1970-03-01", True), ("12 марта 1965", "1965-03-12", True),
        ("5 de marzo de 1965", "1965-03-05", True), ("1965年3月5日", "1965-03-05", True),
    ],
)  # fmt: skip
def test_a_date_is_read_with_its_precision(written: str, text: str, precise: bool) -> None:
    found = dates.parse(written)
    assert found is not None
    assert (str(found), found.precise) == (text, precise)


@pytest.mark.parametrize("text", ["unknown", "0000-00-00", "1960 to 1965", "1960-1965", "May", "5 Foo 1965"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.parse(text) is None


@pytest.mark.parametrize(
    ("written", "first", "last", "count"),
    [
        ("1960 to 1965", "1960", "1965", 6), ("between 1960 and 1962", "1960", "1962", 3),
        ("1960-1965", "1960", "1965", 6), ("1960s", "1960", "1969", 10),
        ("01 Jan 1965 to 31 Dec 1965", "1965", "1965", 1), ("12 Mar 1980", "1980-03-12", "1980-03-12", 1),
    ],
)  # fmt: skip
def test_a_range_is_each_of_its_years(written: str, first: str, last: str, count: int) -> None:
    found = [str(d) for d in dates.span(written)]
    assert (found[0], found[-1], len(found)) == (first, last, count)


def test_a_range_that_is_no_date_of_birth_is_none() -> None:
    assert dates.span("1900 to 1999") == dates.span("1965 to 1960") == dates.span("soon") == ()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("123 N Main Street Apt. 4B, El Paso, TX 79901-1234, USA", "123 n main st|4b|el paso|TX|79901|US"),
        ("123 North Main St #4B, El Paso TX 79901", "123 n main st|4b|el paso|TX|79901|"),
        ("Calle Hidalgo 45, Ciudad Juárez, Chihuahua", "45 c hidalgo||cd juarez|CHH||"),
        ("Av. Juárez No. 123 Int. 4, Col. Centro, 32000 Cd. Juárez, Chih., México",
         "ave juarez 123 colonia centro|4|cd juarez|CHH|32000|MX"),
        ("1600 Quill Avenue NW, Washington DC 20500", "1600 quill ave nw||washington|DC|20500|"),
        ("Bahnhofstr. 12, 10115 Berlin, Germany", "12 bahnhofstr||berlin||10115|DE"),
        ("125009, Russia, Moscow, Tverskaya ul. 12", "12 tverskaya ul||moscow||125009|RU"),
        ("10 Quill Lane, London, SW1A 9ZZ, UK", "10 quill ln||london||SW1A9ZZ|GB"),
        ("Tehran, Iran, Islamic Republic of", "||tehran|||IR"),
        ("Karaj, Alborz Province, Iran", "||karaj|||IR"),
        ("1017 AB Amsterdam, The Netherlands", "||amsterdam||1017AB|NL"), ("Amman", "||amman|||"),
        ("80 Quay Road, Singapore 048624", "80 quay rd||singapore||048624|"),
        ("El Paso, TX", "||el paso|TX||"),
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


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("IRN", "IR"), ("iranian", "IR"), ("Iran, Islamic Republic of", "IR"), ("Korea, North", "KP"),
        ("Venezuela, Bolivarian Republic of", "VE"), ("Bolivia (Plurinational State of)", "BO"),
        ("UK", "GB"), ("Burma", "MM"), ("The Netherlands", "NL"), ("Россия", "RU"), ("ru", "RU"),
        ("Atlantis", "atlantis"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_code_name_and_nationals(written: str, code: str) -> None:
    assert country(written) == code


def test_two_letters_in_an_address_are_no_country() -> None:
    assert is_country("Panama")
    assert not is_country("PA")
