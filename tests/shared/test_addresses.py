from pathlib import Path

import pytest

from shared.addresses import address_of
from shared.settings import Settings


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        (None, "http://127.0.0.1:9103"),
        ("http://host", "http://host:9103"),
        ("https://host/", "https://host:9103"),
        ("http://host:8443", "http://host:8443"),
        ("https://{service}.interlock.example", "https://epic.interlock.example"),
        ("http://{service}:{port}", "http://epic:9103"),
    ],
)
def test_a_service_is_found_where_the_pattern_says(pattern: str | None, address: str, tmp_path: Path) -> None:
    assert address_of(Settings(home=tmp_path, port_base=9100), "EPIC", pattern) == address
