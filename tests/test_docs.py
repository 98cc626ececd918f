"""The documentation says what is: commands exist and work, tables are complete, links lead somewhere."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.__main__ import _running
from services.command import entry
from services.command.settings_list import as_markdown
from shared.contracts.topics import TOPICS
from tests.system import FEED_PORTS, LEADS_PORT, System

ROOT = Path(__file__).parents[1]
OPERATIONS = ROOT / "docs" / "operations.md"
GUIDES = [ROOT / "README.md", ROOT / "CHANGELOG.md", OPERATIONS, ROOT / "docs" / "api.md"]
"""Pages that say what can be done today; others also say what is planned."""
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shell_lines(page: Path) -> Iterator[str]:
    """Every command line in the page's shell examples."""
    for block in re.findall(r"(?ms)^```sh\n(.*?)^```", page.read_text()):
        for line in block.splitlines():
            command = line.split("  #")[0].strip()
            if command:
                yield command


def groups(app: typer.Typer) -> dict[str, set[str]]:
    """The names of all commands; of a group's with their group's."""
    names = {str(c.name or c.callback.__name__): set[str]() for c in app.registered_commands if c.callback}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        names[str(group.name)] = set(groups(group.typer_instance))
    return names


COMMANDS = groups(entry.commands(_running))


def interlock_calls(page: Path) -> Iterator[list[str]]:
    text = page.read_text()
    lines = [*shell_lines(page), *re.findall(r"`(interlock [^`]+)`", text)]
    for line in lines:
        for call in re.findall(r"(?:^|[\s(/])interlock ((?:[a-z-]+ ?)+)", line):
            yield call.split()


@pytest.mark.parametrize("page", GUIDES, ids=lambda p: p.name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    for words in interlock_calls(page):
        assert words[0] in COMMANDS, f"{page.name}: interlock {' '.join(words)}"
        if COMMANDS[words[0]] and len(words) > 1:
            assert words[1] in COMMANDS[words[0]], f"{page.name}: interlock {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_setting_is_documented_as_it_is() -> None:
    text = OPERATIONS.read_text()
    missing = [row for row in as_markdown().splitlines() if row not in text]
    assert not missing, "take the table from `interlock settings --markdown`:\n" + "\n".join(missing)


def test_every_topic_is_documented_with_what_it_keeps() -> None:
    text = OPERATIONS.read_text()
    for topic in TOPICS:
        row = next((line for line in text.splitlines() if line.startswith(f"| `{topic.name}`")), "")
        kept = "for ever" if topic.retention_days is None else f"{topic.retention_days} days"
        assert kept in row, topic.name


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    text = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    assert text.count("- alert:") == text.count("summary:") == text.count("remedy:")
    metrics = re.findall(r"interlock_[a-z_]+", text)
    exposed = "".join(
        (ROOT / path).read_text() for path in ("shared/telemetry.py", "services/fusion/size_store.py")
    )
    for metric in metrics:
        assert re.sub(r"_bucket$", "", metric) in exposed, metric


def test_every_command_has_help_worth_reading() -> None:
    runner = CliRunner()
    for name, below in COMMANDS.items():
        for words in [[name, inner] for inner in sorted(below)] or [[name]]:
            shown = runner.invoke(entry.commands(_running), [*words, "--help"])
            assert shown.exit_code == 0, words
            assert len(shown.output.splitlines()) > 8, words


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System(tmp_path_factory.mktemp("tour"))
    system.start()
    yield system
    assert system.stop() == 0, system.log()


def test_the_tour_of_the_readme_works(running: System, tmp_path: Path) -> None:
    ports = {8100 + offset: running.url(offset) for offset in (*FEED_PORTS.values(), LEADS_PORT)}
    lines = [
        c for c in shell_lines(ROOT / "README.md") if not c.startswith("make ") and not c.endswith(" up")
    ]
    script = "\n".join(["set -euo pipefail", *lines])
    for port, url in ports.items():
        script = script.replace(f"http://127.0.0.1:{port}", url)
    script = script.replace(".venv/bin/", shlex.quote(str(Path(sys.executable).parent)) + "/")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=running.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"receipt_id"' in done.stdout
    assert '"items"' in done.stdout
