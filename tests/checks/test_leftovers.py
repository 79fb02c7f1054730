"""What is in the way: foreign, left, half made, throttled, tagged, claimed; and stacks in bad states."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from tests.checks.builders import ACCOUNT, HOME, NOW, FakeAwsClient, FakeStep, context, look, needs, planned, refusal
from workshop.aws.lock.claim_record import ClaimRecord
from workshop.checks.base import CheckStatus, Finding
from workshop.checks.claim import ClaimCheck
from workshop.checks.context import CheckContext
from workshop.checks.leftovers import InTheWay, ReservedConcurrency, Strays
from workshop.checks.stacks import StackStates
from workshop.steps.base import Observed, Resource, State


async def seen(step: FakeStep, *, since: str = "", complete: bool = True) -> Finding:
    place = planned(step, complete=complete)
    return await look(InTheWay(context(planned_steps=(place,), since=since), HOME, planned=place))


async def test_nothing_there_passes() -> None:
    assert (await seen(FakeStep())).status is CheckStatus.PASS


async def test_something_foreign_is_no_go_with_its_fix() -> None:
    finding = await seen(FakeStep(Observed(State.FOREIGN, "A table t stands.", fix="aws dynamodb delete-table", ours=False)))
    assert (finding.status, finding.detail, finding.fix) == (CheckStatus.FAIL, "A table t stands.", "aws dynamodb delete-table")


async def test_what_broke_or_was_left_half_made_is_a_warning_with_both_ways_out() -> None:
    for state in (State.BROKEN, State.PARTIAL):
        finding = await seen(FakeStep(Observed(state, "ROLLBACK_COMPLETE")))
        assert finding.status is CheckStatus.WARN
        assert "workshop setup --target aws" in finding.fix
        assert "workshop teardown --target aws" in finding.fix


async def test_what_exists_already_passes_when_it_is_known_and_warns_when_it_is_not() -> None:
    ready = FakeStep(Observed(State.READY))
    assert (await seen(ready, since="2026-11-20")).status is CheckStatus.PASS
    assert (await seen(ready)).status is CheckStatus.WARN
    finding = await seen(FakeStep(Observed(State.ABSENT, "is being deleted", ours=False)))
    assert finding.status is CheckStatus.WARN and "foreign of that name is being deleted" in finding.detail


async def test_remains_that_stop_a_creation_are_no_go_and_others_a_warning() -> None:
    group = Resource("log-group", "/aws/lambda/f", HOME, fix="aws logs delete-log-group")
    role = Resource("role", "s-Role-1", "global", fix="aws iam delete-role")
    assert (await seen(FakeStep(remains=[group, role]))).status is CheckStatus.FAIL
    finding = await seen(FakeStep(remains=[role]))
    assert (finding.status, finding.fix) == (CheckStatus.WARN, "aws iam delete-role")


async def test_a_step_that_needs_what_others_make_is_skipped() -> None:
    assert (await seen(FakeStep(Observed(State.FOREIGN)), complete=False)).status is CheckStatus.SKIP


async def test_a_denied_look_is_a_failure_and_a_broken_one_a_crash() -> None:
    assert (await seen(FakeStep(refusal("AccessDenied", "no")))).status is CheckStatus.FAIL
    assert (await seen(FakeStep(KeyError("x")))).status is CheckStatus.CRASH


FUNCTION = FakeStep(permissions=[needs("lambda:CreateFunction", f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:f")])


async def throttled(answer: Any) -> Finding:
    aws = FakeAwsClient({"lambda.get_function_concurrency": answer})
    return await look(ReservedConcurrency(context(aws, planned_steps=(planned(FUNCTION),)), HOME))


async def test_a_reserve_of_zero_is_no_go_with_the_line_that_lifts_it() -> None:
    finding = await throttled({"ReservedConcurrentExecutions": 0})
    assert finding.status is CheckStatus.FAIL
    assert f"delete-function-concurrency --region {HOME} --function-name f" in finding.fix


async def test_no_reserve_another_reserve_and_no_function_pass() -> None:
    for answer in ({}, {"ReservedConcurrentExecutions": 5}, refusal("ResourceNotFoundException")):
        assert (await throttled(answer)).status is CheckStatus.PASS
    assert (await throttled(refusal("AccessDeniedException"))).status is CheckStatus.SKIP


def tagged(*arns: str) -> CheckContext:
    pages = {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in arns]}
    return context(FakeAwsClient({"resourcegroupstaggingapi.get_resources": pages}), planned_steps=(planned(FUNCTION),))


async def test_tagged_things_under_other_names_are_remains_of_another_run() -> None:
    ours, other = (f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:{name}" for name in ("f", "f-last-year"))
    assert (await look(Strays(tagged(ours, f"{ours}:1"), HOME))).status is CheckStatus.PASS
    finding = await look(Strays(tagged(ours, other), HOME))
    assert finding.status is CheckStatus.WARN
    assert other in finding.detail
    assert "--param NAME=VALUE" in finding.fix


async def test_without_the_tag_index_that_is_skipped() -> None:
    assert (await look(Strays(context(FakeAwsClient()), HOME))).status is CheckStatus.SKIP


async def claim(value: str | Exception) -> Finding:
    answer = value if isinstance(value, Exception) else {"Parameter": {"Value": value}}
    return await look(ClaimCheck(context(FakeAwsClient({"ssm.get_parameter": answer})), HOME))


def held(minutes: int) -> str:
    until = (NOW + timedelta(minutes=minutes)).isoformat()
    return json.dumps(asdict(ClaimRecord("x", "elsewhere", "laptop", "ann", 1, "setup", NOW.isoformat(), until)))


async def test_a_run_in_progress_is_named() -> None:
    finding = await claim(held(5))
    assert (finding.status, "ann@laptop" in finding.detail) == (CheckStatus.WARN, True)
    assert (await claim(held(-5))).status is CheckStatus.PASS
    assert (await claim(refusal("ParameterNotFound"))).status is CheckStatus.PASS
    assert (await claim(refusal("AccessDeniedException"))).status is CheckStatus.SKIP
    assert (await claim("hello")).status is CheckStatus.FAIL


STACK = FakeStep(
    permissions=[needs("cloudformation:CreateStack", f"arn:aws:cloudformation:{HOME}:{ACCOUNT}:stack/global-serverless-api/*")]
)


async def states(status: str, name: str = "global-serverless-api", **more: Any) -> Finding:
    stacks = {"Stacks": [{"StackId": "id", "StackName": name, "StackStatus": status, **more}]}
    return await look(
        StackStates(context(FakeAwsClient({"cloudformation.describe_stacks": stacks}), planned_steps=(planned(STACK),)), HOME)
    )


async def test_stuck_dead_busy_and_protected_stacks_are_told_apart() -> None:
    stuck = await states("DELETE_FAILED", StackStatusReason="Too Many Requests")
    assert (stuck.status, "Too Many Requests" in stuck.detail) == (CheckStatus.FAIL, True)
    dead = await states("ROLLBACK_COMPLETE")
    assert (dead.status, "delete-stack" in dead.fix) == (CheckStatus.WARN, True)
    assert "being changed" in (await states("UPDATE_IN_PROGRESS")).detail
    protected = await states("CREATE_COMPLETE", EnableTerminationProtection=True)
    assert (protected.status, "--no-enable-termination-protection" in protected.fix) == (CheckStatus.WARN, True)
    assert (await states("CREATE_COMPLETE")).status is CheckStatus.PASS


async def test_other_peoples_stacks_are_their_own_business_but_tagged_ones_are_ours() -> None:
    assert (await states("DELETE_FAILED", "someone-elses")).status is CheckStatus.PASS
    tags = [{"Key": "workshop", "Value": "global-serverless"}]
    assert (await states("DELETE_FAILED", "old-name", Tags=tags)).status is CheckStatus.FAIL
