"""Quotas: room, little room, none, and accounts where nobody may ask."""

from __future__ import annotations

from typing import Any

from tests.checks.builders import ACCOUNT, HOME, FakeAwsClient, FakeStep, context, look, needs, planned, refusal
from workshop.checks.base import CheckStatus
from workshop.checks.context import CheckContext
from workshop.checks.quotas import ConcurrencyQuota, QuotaRoom
from workshop.steps.registry import quotas

MAKES = FakeStep(
    permissions=[
        needs("dynamodb:CreateTable", f"arn:aws:dynamodb:{HOME}:{ACCOUNT}:table/t"),
        needs("cloudformation:CreateStack", f"arn:aws:cloudformation:{HOME}:{ACCOUNT}:stack/s/*"),
        needs("lambda:CreateFunction", f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:f"),
        needs("apigateway:POST", f"arn:aws:apigateway:{HOME}::/restapis"),
        needs("apigateway:POST", f"arn:aws:apigateway:{HOME}::/restapis/*"),
        needs("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/s-*", region=""),
    ]
)


def account(**answers: Any) -> CheckContext:
    """An account that answers these operations."""
    return context(
        FakeAwsClient({name.replace("__", "."): answer for name, answer in answers.items()}), planned_steps=(planned(MAKES),)
    )


def room(quota: str, context: CheckContext, region: str = HOME) -> QuotaRoom:
    """The check of one quota that a step kind declares; `roles` belong to no region."""
    (declared,) = (each for each in quotas() if each.name == quota)
    return QuotaRoom(context, "" if declared.is_global else region, quota=declared)


def limit(concurrent: int) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": concurrent}}


def quota(value: float) -> dict[str, Any]:
    return {"Quota": {"Value": value}}


QUOTA = "service-quotas__get_service_quota"


async def test_a_thousand_functions_at_once_are_enough_and_ten_are_worth_a_word_about_the_drill() -> None:
    assert (await look(ConcurrencyQuota(account(lambda__get_account_settings=limit(1000)), HOME))).status is CheckStatus.PASS
    small = await look(ConcurrencyQuota(account(lambda__get_account_settings=limit(10)), HOME))
    assert small.status is CheckStatus.WARN
    assert "drill" in small.detail
    assert "L-B99A9384" in small.fix


async def test_no_function_at_all_is_no_go() -> None:
    assert (await look(ConcurrencyQuota(account(lambda__get_account_settings=limit(0)), HOME))).status is CheckStatus.FAIL


async def test_room_is_what_is_left_after_what_the_steps_add() -> None:
    names = {"TableNames": [f"t{n}" for n in range(10)]}
    for most, status in ((100, CheckStatus.PASS), (12, CheckStatus.WARN), (11, CheckStatus.WARN), (10, CheckStatus.FAIL)):
        finding = await look(room("tables", account(**{"dynamodb__list_tables": names, QUOTA: quota(most)}), HOME))
        assert (finding.status, most) == (status, most)
    assert "adds 1" in finding.detail
    assert "--quota-code L-F98FE922" in finding.fix


async def test_without_the_quotas_api_the_default_is_compared_and_nothing_is_claimed() -> None:
    finding = await look(room("tables", account(dynamodb__list_tables={"TableNames": []}), HOME))
    assert finding.status is CheckStatus.SKIP
    assert "could not be read (denied)" in finding.detail
    assert "2,500" in finding.detail


async def test_a_full_account_is_noticed_even_by_the_default() -> None:
    full = {"TableNames": [f"t{n}" for n in range(2500)]}
    assert (await look(room("tables", account(dynamodb__list_tables=full), HOME))).status is CheckStatus.FAIL


async def test_what_cannot_even_be_counted_is_skipped_with_the_reason() -> None:
    finding = await look(room("tables", account(), HOME))
    assert (finding.status, "tables" in finding.detail) == (CheckStatus.SKIP, True)


async def test_stacks_ask_cloudformation_itself_and_count_every_page() -> None:
    pages = [{"Stacks": [{}] * 3, "NextToken": "more"}, {"Stacks": [{}] * 2}]
    limits = {"AccountLimits": [{"Name": "StackLimit", "Value": 5}]}
    describe = {"describe_stacks": lambda region, **_: pages.pop(0), "describe_account_limits": limits}
    answers = {f"cloudformation__{operation}": answer for operation, answer in describe.items()}
    finding = await look(room("stacks", account(**answers)))
    assert finding.status is CheckStatus.FAIL
    assert "5 of 5" in finding.detail


async def test_an_api_is_counted_once_although_its_parts_are_made_by_the_same_verb() -> None:
    finding = await look(room("rest-apis", account(**{"apigateway__get_rest_apis": {"items": [{}]}, QUOTA: quota(600)}), HOME))
    assert (finding.status, "adds 1" in finding.detail) == (CheckStatus.PASS, True)


async def test_roles_are_counted_by_iam() -> None:
    summary = {"SummaryMap": {"Roles": 1000, "RolesQuota": 1000}}
    assert (await look(room("roles", account(iam__get_account_summary=summary)))).status is CheckStatus.FAIL


async def test_steps_that_make_none_are_not_held_up_by_a_quota() -> None:
    nothing = context(FakeAwsClient())
    assert {
        (await look(check)).status
        for check in (room("tables", nothing, HOME), ConcurrencyQuota(nothing, HOME), room("roles", nothing))
    } == {CheckStatus.SKIP}


async def test_a_quota_without_a_value_is_a_crash() -> None:
    answers = {"dynamodb__list_tables": {"TableNames": []}, QUOTA: {"Quota": {}}}
    assert (await look(room("tables", account(**answers), HOME))).status is CheckStatus.CRASH


async def test_lambda_that_may_not_be_asked_is_skipped() -> None:
    finding = await look(ConcurrencyQuota(account(lambda__get_account_settings=refusal("AccessDenied", "no")), HOME))
    assert finding.status is CheckStatus.SKIP


async def test_each_custom_domain_of_a_step_is_counted() -> None:
    names = ("api.example.com", "ireland.example.com")
    domains = [f"arn:aws:apigateway:{HOME}::/domainnames{path}" for name in names for path in ("", f"/{name}/basepathmappings")]
    step = FakeStep(permissions=[needs("apigateway:POST", arn) for arn in domains])
    aws = FakeAwsClient({"apigateway.get_domain_names": {"items": [{}] * 119}, "service-quotas.get_service_quota": quota(120)})
    found = await look(room("custom-domains", context(aws, planned_steps=(planned(step),))))
    assert found.status is CheckStatus.FAIL
    assert found.detail.startswith("119 of 120 in use, this workshop adds 2")
