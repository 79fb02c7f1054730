"""The family `dns`: a finding for each region of each routed name, from one proof."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.checks.builders import AWAY, HOME, FakeAwsClient, context, denied
from tests.unit.fakes.route53 import close_route53
from tests.unit.test_step_wiring import NAME, Sandbox
from workshop.aws.target import Target
from workshop.checks.base import CheckStatus
from workshop.checks.context import CheckContext, PlannedStep
from workshop.checks.dns import FAMILY
from workshop.checks.read_only import ReadOnlyClient
from workshop.checks.runner import run_checks
from workshop.steps.route53.record_sets import RecordsParams
from workshop.steps.route53.records import STEP as RECORDS
from workshop.steps.route53.wiring_step import STEP as WIRING
from workshop.steps.route53.wiring_step import WiringParams


@pytest.fixture(autouse=True)
def _closed() -> Any:
    yield
    close_route53()


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def planned(step: Any, params: Any, known: dict[str, str], name: str) -> PlannedStep:
    target = Target("aws", SimpleNamespace())  # type: ignore[arg-type]
    ctx = SimpleNamespace(step=name, region=HOME, regions=(HOME, AWAY), params=params, known=known, target=target)
    return PlannedStep(step, ctx, "", True)  # type: ignore[arg-type]


def records(zone: str, policy: str = "weighted", *, known: bool = True) -> PlannedStep:
    params = RecordsParams(zone=zone, name=NAME, policy=policy, targets=())  # type: ignore[arg-type]
    return planned(RECORDS, params, {"Name": NAME} if known else {}, "records")


def looked_at(aws: Any, *steps: PlannedStep, **changed: Any) -> CheckContext:
    """Not known to be deployed, so that no region is called."""
    return context(planned_steps=steps, aws=ReadOnlyClient(aws), since="", **changed)


async def findings(looked: CheckContext) -> dict[tuple[str, str], Any]:
    results = await run_checks(FAMILY.instances(looked), lambda _check, _result: None)
    return {(result.id, result.region): result.finding for result in results}


async def test_a_right_wiring_passes_for_each_region_and_the_name_as_a_whole(sandbox: Sandbox) -> None:
    aside = "eu-central-1"  # where a step is that names its region: no record of the name is there
    found = await findings(looked_at(sandbox.aws, records(sandbox.zone), regions=(HOME, AWAY, aside)))
    assert list(found) == [("dns.wiring.records", region) for region in ("", HOME, AWAY)]
    assert {finding.status for finding in found.values()} == {CheckStatus.PASS}
    assert "aaaa111111/prod" in found["dns.wiring.records", HOME].detail
    assert found["dns.wiring.records", ""].wiring is not None
    assert len(sandbox.aws.made("list_health_checks")) == 1


async def test_crossed_checks_fail_both_regions_with_both_names_and_the_command(sandbox: Sandbox) -> None:
    sandbox.cross()
    found = await findings(looked_at(sandbox.aws, records(sandbox.zone), options=("--workshop", "films")))
    for region, other in ((HOME, AWAY), (AWAY, HOME)):
        finding = found["dns.wiring.records", region]
        assert finding.status is CheckStatus.FAIL and region in finding.detail and other in finding.detail
        assert finding.fix == "workshop step run records --workshop films"
    assert found["dns.wiring.records", ""].status is CheckStatus.PASS


async def test_a_caveat_is_a_warning(sandbox: Sandbox) -> None:
    check = sandbox.checks[HOME]
    sandbox.route53.call("us-east-1", "update_health_check", HealthCheckId=check, FailureThreshold=1)
    found = await findings(looked_at(sandbox.aws, records(sandbox.zone)))
    assert found["dns.wiring.records", HOME].status is CheckStatus.WARN
    assert found["dns.wiring.records", AWAY].status is CheckStatus.PASS


async def test_before_the_setup_it_is_skipped_with_what_makes_the_records(sandbox: Sandbox) -> None:
    for zone in (sandbox.aws.route53.put_zone("empty.example.com"), ""):
        elsewhere = records(zone, known=False)
        elsewhere.ctx.params = elsewhere.ctx.params.model_copy(update={"name": "api.empty.example.com"})  # type: ignore[misc]
        found = await findings(looked_at(sandbox.aws, elsewhere))
        assert {finding.status for finding in found.values()} == {CheckStatus.SKIP}
        assert all("workshop setup" in finding.detail for finding in found.values())


async def test_records_that_were_made_and_are_gone_fail(sandbox: Sandbox) -> None:
    gone = records(sandbox.aws.route53.put_zone("empty.example.com"))
    gone.ctx.params = gone.ctx.params.model_copy(update={"name": "api.empty.example.com"})  # type: ignore[misc]
    found = await findings(looked_at(sandbox.aws, gone))
    assert found["dns.wiring.records", ""].status is CheckStatus.FAIL


async def test_a_workshop_without_routed_names_is_skipped(sandbox: Sandbox) -> None:
    for steps in ((), (records(sandbox.zone, "simple"),)):
        found = await findings(looked_at(sandbox.aws, *steps))
        assert [(key, finding.status) for key, finding in found.items()] == [(("dns.wiring", ""), CheckStatus.SKIP)]


async def test_a_name_that_is_written_and_proven_is_one_name(sandbox: Sandbox) -> None:
    wiring = planned(WIRING, WiringParams(zone=sandbox.zone, name=NAME), {}, "wiring")
    found = await findings(looked_at(sandbox.aws, wiring, records(sandbox.zone)))
    assert {name for name, _ in found} == {"dns.wiring.records"}
    assert {name for name, _ in await findings(looked_at(sandbox.aws, wiring))} == {"dns.wiring.wiring"}


async def test_a_missing_permission_is_no_verdict() -> None:
    aws = FakeAwsClient({"route53.list_health_checks": denied("route53", "list_health_checks")})
    found = await findings(looked_at(aws, records("Z1")))
    assert {finding.status for finding in found.values()} == {CheckStatus.SKIP}
    assert "permission is missing" in found["dns.wiring.records", HOME].detail


def test_the_policy_holds_what_the_proof_reads() -> None:
    checks = FAMILY.instances(looked_at(FakeAwsClient(), records("Z1")))
    actions = {p.action for check in checks for p in check.permissions()}
    assert {"route53:ListHealthChecks", "route53:GetHealthCheckStatus", "apigateway:GET"} <= actions
