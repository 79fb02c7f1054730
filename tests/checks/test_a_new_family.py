"""A family of checks is one file and one registration: this file is one, and goes through `check`, its report and the policy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workshop.checks import registry
from workshop.checks.base import Check, Family, Finding, RegionalCheck, passed, warned
from workshop.cli.main import run
from workshop.steps.base import Permission, Phase


class BadgesPrinted(Check):
    """The badges are printed."""

    name = "badges"
    title = "The badges are printed"
    needs_credentials = False

    async def run(self) -> Finding:
        return warned("12 of 40 badges are printed.", "Print the rest")


class RoomBooked(RegionalCheck):
    """A room is booked beside every region."""

    name = "room"
    title = "A room is booked"
    needs_credentials = False

    async def run(self) -> Finding:
        return passed(f"{self.context.event.participants} chairs")

    def permissions(self) -> list[Permission]:
        return [Permission("venue:DescribeRooms", "*", self.region, Phase.CHECK)]


FAMILY = Family("venue", "The venue", (BadgesPrinted, RoomBooked))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(registry.FAMILIES, FAMILY.name, __name__)
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


CHECK = ["check", "--target", "aws", "--only", FAMILY.name, "--participants", "40"]


def test_it_is_run_and_its_results_are_in_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CHECK, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["checks"]
    assert [(c["id"], c["family"], c["region"], c["status"]) for c in found] == [
        ("venue.badges", "venue", "", "warn"),
        ("venue.room", "venue", "us-west-2", "pass"),
        ("venue.room", "venue", "eu-west-1", "pass"),
    ]
    assert {c["detail"] for c in found} == {"12 of 40 badges are printed.", "40 chairs"}


def test_its_warnings_count_under_strict(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CHECK, "--strict", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_it_is_reported_under_its_title_on_the_terminal_and_on_the_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    assert run([*CHECK, "--html", str(page)]) == 0
    lines = capsys.readouterr().out.splitlines()
    section = lines[lines.index("The venue") :]
    assert "The badges are printed" in section[1]
    assert "→ Print the rest" in section[3]
    assert "A room is booked (us-west-2): 40 chairs" in section[4]
    assert "The venue" in page.read_text()


def test_the_policy_of_the_check_phase_grants_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "--phase", "check", "--expect-account", "111122223333"]) == 0
    statements = json.loads(capsys.readouterr().out)["Statement"]
    (statement,) = (each for each in statements if each["Sid"] == "Venue")
    assert statement["Action"] == ["venue:DescribeRooms"]
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-west-2"]}}


def test_a_mistyped_family_is_answered_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--skip", "venu"]) == 2
    assert "Did you mean 'venue'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", registry.FAMILIES)
def test_a_family_is_registered_under_its_own_name(name: str) -> None:
    assert registry.family_named(name).name == name


@pytest.mark.parametrize("name", registry.FAMILIES)
def test_the_documentation_lists_every_family(name: str) -> None:
    assert f"\n| `{name}` | " in (Path(__file__).parents[2] / "docs" / "checks.md").read_text()


def test_the_help_lists_the_families_without_loading_them() -> None:
    heavy = ("workshop.checks.base", "workshop.checks.identity", "pydantic", "boto3", "httpx")
    program = (
        f"import sys\nfrom workshop.cli.main import run\nrun(['check', '--help'])\n"
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ", ".join(name for name in registry.FAMILIES if name != FAMILY.name) in " ".join(done.stdout.split())
    assert done.stdout.splitlines()[-1] == "[]"
