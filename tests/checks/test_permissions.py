"""Permissions: predicted by IAM, tried with reads, and the service-linked role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.checks.builders import ACCOUNT, AWAY, HOME, FakeAwsClient, FakeStep, context, denied, look, needs, planned, refusal
from workshop.aws.identity import Identity
from workshop.checks.base import CheckStatus
from workshop.checks.context import CheckContext
from workshop.checks.permissions import LinkedRoles, Reads, Simulated

TABLE = f"arn:aws:dynamodb:{HOME}:{ACCOUNT}:table/t"
STEP = FakeStep(permissions=[needs("dynamodb:CreateTable", TABLE), needs("dynamodb:DescribeTable", TABLE)])
ROLE = {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/Facilitator"}}


def wanting(aws: FakeAwsClient, step: FakeStep = STEP, **changes: Any) -> CheckContext:
    return context(aws, planned_steps=(planned(step),), **changes)


def deciding(forbidden: Sequence[str] = (), **why: Any) -> Any:
    """IAM's answer: everything is allowed but some actions."""

    def answer(region: str, *, ActionNames: list[str], **_: Any) -> dict[str, Any]:
        return {
            "EvaluationResults": [
                {"EvalActionName": name, "EvalDecision": "allowed"} if name not in forbidden
                else {"EvalActionName": name, "EvalDecision": "implicitDeny", **why}
                for name in ActionNames
            ]
        }  # fmt: skip

    return answer


async def test_what_iam_allows_passes() -> None:
    aws = FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": deciding()})
    assert (await look(Simulated(wanting(aws), HOME))).status is CheckStatus.PASS


async def test_what_iam_denies_is_named_with_the_policy_that_grants_it() -> None:
    aws = FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": deciding(["dynamodb:CreateTable"])})
    finding = await look(Simulated(wanting(aws), HOME))
    assert finding.status is CheckStatus.FAIL
    assert "dynamodb:CreateTable (not granted)" in finding.detail
    assert "dynamodb:DescribeTable" not in finding.detail
    assert "workshop policy --target aws > policy.json" in finding.fix


async def test_a_denial_by_the_organization_sends_to_the_organization() -> None:
    org = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}
    aws = FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": deciding(["dynamodb:CreateTable"], **org)})
    assert "organization" in (await look(Simulated(wanting(aws), HOME))).fix


async def test_the_role_is_simulated_by_its_real_arn_in_its_region() -> None:
    seen: list[dict[str, Any]] = []

    def remember(region: str, **request: Any) -> dict[str, Any]:
        seen.append(request)
        return {"EvaluationResults": []}

    await look(Simulated(wanting(FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": remember})), HOME))
    assert seen[0]["PolicySourceArn"] == ROLE["Role"]["Arn"]
    assert seen[0]["ContextEntries"][0]["ContextKeyValues"] == [HOME]
    assert seen[0]["ResourceArns"] == [TABLE]


async def test_a_role_that_several_services_get_is_simulated_for_each_of_them() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/wild-rydes-api-*"
    given = [replace(needs("iam:PassRole", role), passed_to=to) for to in (("lambda.amazonaws.com",), ("a.test", "b.test"))]
    step = FakeStep(permissions=[*given, needs("iam:CreateRole", role)])
    seen: list[tuple[tuple[str, ...], str]] = []

    def all_but_one(region: str, *, ActionNames: list[str], ContextEntries: list[Any], **_: Any) -> dict[str, Any]:
        service = next((e["ContextKeyValues"][0] for e in ContextEntries if e["ContextKeyName"] == "iam:PassedToService"), "")
        seen.append((tuple(ActionNames), service))
        decision = "implicitDeny" if service == denied_one else "allowed"
        return {"EvaluationResults": [{"EvalActionName": name, "EvalDecision": decision} for name in ActionNames]}

    for denied_one in ("lambda.amazonaws.com", "a.test", "b.test"):
        aws = FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": all_but_one})
        finding = await look(Simulated(wanting(aws, step), HOME))
        assert finding.status is CheckStatus.FAIL
        assert f"1 of 2 actions are denied: iam:PassRole (not granted, for {denied_one})" in finding.detail
    services = ("a.test", "b.test", "lambda.amazonaws.com")
    assert set(seen) == {(("iam:CreateRole",), ""), *((("iam:PassRole",), each) for each in services)}


async def test_all_pages_of_a_prediction_are_read() -> None:
    pages = [
        {"EvaluationResults": [], "IsTruncated": True, "Marker": "more"},
        {"EvaluationResults": [{"EvalActionName": "dynamodb:CreateTable", "EvalDecision": "explicitDeny"}]},
    ]
    aws = FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": lambda region, **_: pages.pop(0)})
    finding = await look(Simulated(wanting(aws), HOME))
    assert "by an explicit deny" in finding.detail


async def test_a_prediction_that_is_denied_is_skipped_with_the_reason() -> None:
    finding = await look(Simulated(wanting(FakeAwsClient({"iam.get_role": ROLE})), HOME))
    assert finding.status is CheckStatus.SKIP
    assert "AccessDenied" in finding.detail


async def test_the_root_user_is_not_simulated() -> None:
    aws = FakeAwsClient()
    root = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    assert (await look(Simulated(wanting(aws, caller=root), HOME))).status is CheckStatus.PASS
    assert aws.calls == []


async def test_a_prediction_in_another_shape_is_a_crash() -> None:
    aws = FakeAwsClient({"iam.get_role": ROLE, "iam.simulate_principal_policy": {"EvaluationResults": [{}]}})
    assert (await look(Simulated(wanting(aws), HOME))).status is CheckStatus.CRASH


async def test_reads_go_to_the_services_that_the_steps_use_and_to_no_other() -> None:
    aws = FakeAwsClient({"dynamodb.list_tables": {}})
    assert (await look(Reads(wanting(aws), HOME))).status is CheckStatus.PASS
    assert aws.calls == [("dynamodb", HOME, "list_tables")]
    assert (await look(Reads(wanting(aws), AWAY))).status is CheckStatus.SKIP


async def test_a_denied_read_names_action_and_policy() -> None:
    finding = await look(Reads(wanting(FakeAwsClient()), HOME))
    assert finding.status is CheckStatus.FAIL
    assert "dynamodb list_tables" in finding.detail
    assert "workshop policy" in finding.fix


async def test_a_denial_by_a_service_control_policy_is_said() -> None:
    text = "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o/service_control_policy/p"
    finding = await look(Reads(wanting(FakeAwsClient({"dynamodb.list_tables": denied(message=text)})), HOME))
    assert finding.status is CheckStatus.FAIL
    assert "organization" in finding.fix


async def test_a_service_that_is_down_is_a_failure_of_its_own() -> None:
    finding = await look(Reads(wanting(FakeAwsClient({"dynamodb.list_tables": refusal("InternalServerError", "oh")})), HOME))
    assert finding.status is CheckStatus.FAIL
    assert "InternalServerError" in finding.detail


LINKED = FakeStep(
    permissions=[
        needs(
            "iam:CreateServiceLinkedRole",
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/replication.dynamodb.amazonaws.com/*", region="",
        )
    ]
)  # fmt: skip


async def test_the_service_linked_role_exists_or_will_be_made() -> None:
    there = FakeAwsClient({"iam.list_roles": {"Roles": [{"RoleName": "AWSServiceRoleForDynamoDBReplication"}]}})
    assert "exists" in (await look(LinkedRoles(wanting(there, LINKED)))).detail
    none = await look(LinkedRoles(wanting(FakeAwsClient({"iam.list_roles": {"Roles": []}}), LINKED)))
    assert (none.status, "makes its role" in none.detail) == (CheckStatus.PASS, True)


async def test_without_the_permission_or_the_need_the_role_is_skipped() -> None:
    assert (await look(LinkedRoles(wanting(FakeAwsClient(), LINKED)))).status is CheckStatus.SKIP
    assert (await look(LinkedRoles(wanting(FakeAwsClient())))).status is CheckStatus.SKIP
