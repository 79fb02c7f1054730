"""The policy is enough for setup and teardown where IAM is enforced, and no statement of it is too many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.amount import few
from tests.checks.strict import Strict, policy_of, run, strict_cloud

NEEDED = (
    "ApiGateway", "ApiGateway2", "ApiGateway3", "CloudFormation", "DynamoDB", "DynamoDB2", "Iam", "Iam2", "Iam3", "Iam4",
    "Lambda", "Logs", "Logs2",
)  # fmt: skip
OPTIONAL = {"Claim": "ssm:PutParameter", "Claim2": "", "Account": "", "CloudFormation2": ""}
"""What a run does without: the guard against other machines says so, but for the look into other regions; without the list of
regions all of them are searched; the list of deleted stacks is for those that another machine made."""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    with strict_cloud(tmp_path_factory.mktemp("strict")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def changing() -> dict[str, Any]:
    return policy_of("--phase", "setup", "--phase", "teardown")


def without(policy: dict[str, Any], sid: str) -> dict[str, Any]:
    return {**policy, "Statement": [part for part in policy["Statement"] if part["Sid"] != sid]}


def test_every_statement_is_left_out_once(changing: dict[str, Any]) -> None:
    assert {*NEEDED, *OPTIONAL} == {part["Sid"] for part in changing["Statement"]}


def test_setup_and_teardown_go_through_under_the_policy(strict: Strict, changing: dict[str, Any]) -> None:
    environment = strict.user(changing)
    up = run(environment, "setup")
    assert up.code == 0, up.err
    down = run(environment, "teardown")
    assert (down.code, down.document["leftovers"]) == (0, []), down.err


@pytest.mark.parametrize("sid", few(NEEDED, 4))
def test_without_any_statement_it_fails_and_names_the_missing_action(strict: Strict, changing: dict[str, Any], sid: str) -> None:
    (left_out,) = [part for part in changing["Statement"] if part["Sid"] == sid]
    environment = strict.user(without(changing, sid))
    up = run(environment, "setup")
    ran = up if up.code else run(environment, "teardown")
    said = json.dumps(ran.document) + ran.err
    assert ran.code in (1, 5), said
    assert "not authorized to perform" in said
    assert any(f"{action} " in said or f"{action}\\n" in said for action in left_out["Action"]), said


@pytest.mark.parametrize("sid", few(sorted(OPTIONAL), 2))
def test_what_is_left_out_of_the_rest_costs_a_notice_only(strict: Strict, changing: dict[str, Any], sid: str) -> None:
    environment = strict.user(without(changing, sid))
    up = run(environment, "setup")
    down = run(environment, "teardown")
    assert (up.code, down.code) == (0, 0), up.err + down.err
    assert OPTIONAL[sid] in up.err


def test_the_check_sees_beforehand_what_the_policy_lacks(strict: Strict) -> None:
    whole = policy_of()
    (tables,) = [p["Sid"] for p in whole["Statement"] if "dynamodb:CreateTableReplica" in p["Action"]]
    ran = run(strict.user(without(whole, tables)), "check", "--only", "permissions")
    assert ran.code == 3, ran.err
    (found,) = [c for c in ran.document["checks"] if c["id"] == "permissions.simulation" and c["region"] == "eu-west-1"]
    assert found["status"] == "fail"
    assert "dynamodb:CreateTableReplica" in found["detail"]
    assert "workshop policy" in found["fix"]


def test_the_check_goes_through_under_the_whole_policy(strict: Strict) -> None:
    ran = run(strict.user(policy_of()), "check", "--skip", "machine")
    bad = [(c["id"], c["region"], c["detail"]) for c in ran.document["checks"] if c["status"] in ("fail", "crash")]
    assert bad == [] and ran.code == 0, ran.err
    simulated = [c["status"] for c in ran.document["checks"] if c["id"] == "permissions.simulation"]
    assert simulated == ["pass"] * 3


def test_the_policy_of_the_checks_alone_is_enough_to_ask_everything(strict: Strict) -> None:
    """Only the prediction fails then: the caller may look, and not act."""
    ran = run(strict.user(policy_of("--phase", "check")), "check", "--skip", "machine")
    bad = {c["id"] for c in ran.document["checks"] if c["status"] in ("fail", "crash")}
    assert bad == {"permissions.simulation"}
    denied = [c for c in ran.document["checks"] if "AccessDenied" in c["detail"]]
    assert denied == []


def test_a_folder_for_state_is_not_needed_to_print_a_policy(tmp_path: Path) -> None:
    assert policy_of("--phase", "check")["Statement"]
