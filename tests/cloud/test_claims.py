"""A claim that someone forged: it keeps the workshop busy for ten minutes at most, and the message says how to remove it."""

from __future__ import annotations

import json
import re

import pytest

from tests.cloud.shell import Shell

pytestmark = pytest.mark.cloud
NAME = "/workshop/global-serverless/claim"
FORGED = {
    "token": "t", "machine": "m", "host": "h", "user": "bob", "pid": 1, "command": "setup",
    "since": "2026-01-01T09:00:00+00:00", "until": "9999-12-31T23:59:59+00:00",
}  # fmt: skip


def claims(shell: Shell) -> list[str]:
    return [found["Name"] for found in shell.client("ssm").describe_parameters()["Parameters"]]


def written_earlier(shell: Shell, seconds: int) -> None:
    """Let the cloud believe that it stored the parameter `seconds` ago."""
    shell.run("cloud", "stop")
    state = shell.state / "cloud" / "state" / "cloud.json"
    text, count = re.subn(
        r'("LastModifiedDate":\s*)([0-9.]+)', lambda found: f"{found[1]}{float(found[2]) - seconds}", state.read_text()
    )
    assert count
    state.write_text(text)
    shell.run("cloud", "start")


@pytest.mark.parametrize("command", ["setup", "teardown"])
def test_a_forged_claim_stops_a_run_with_the_way_out_and_is_taken_over_after_ten_minutes(clean, command):
    clean.client("ssm").put_parameter(Name=NAME, Value=json.dumps(FORGED), Type="String")
    refused = clean.run(command, code=1)
    assert "bob@h is running workshop setup" in refused.err and NAME in refused.err
    assert f"aws ssm delete-parameter --region us-west-2 --name {NAME}" in refused.err
    written_earlier(clean, 700)
    assert "Taking over from bob@h" in clean.run(command, *(["--through", "backend"] if command == "setup" else [])).err
    assert claims(clean) == []
