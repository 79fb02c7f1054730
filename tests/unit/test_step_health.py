"""`route53.health` over the cloud's own Route 53, in virtual time."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME, StepSandbox
from tests.unit.kills import Killed, killed_at
from workshop.aws.errors import AwsError
from workshop.errors import WorkshopError
from workshop.steps.base import Context, Phase, State
from workshop.steps.route53.health import RouteHealth
from workshop.steps.route53.health_service import HealthCheckQuota
from workshop.steps.route53.health_settings import HealthParams
from workshop.steps.route53.references import is_our_reference, reference

STEP = RouteHealth()
HOST = "0123456789.execute-api.us-west-2.amazonaws.com"
CONTROL = "us-east-1"
RECORDS = {"route53.records": [{"zone": "Z1", "name": "api.films.example.com"}]}


def params(**changed: Any) -> HealthParams:
    return HealthParams.model_validate({"host": HOST, "path": "/prod/health", "interval": 10, **changed})


class Sandbox(StepSandbox):
    runs = 0

    def step(self, region: str = HOME, others: Any = None, **changed: Any) -> Context[Any]:
        return self.context(params(**changed), region=region, others=RECORDS if others is None else others)

    def next_run(self, **changed: Any) -> Context[Any]:
        """The context of another process, whose run has an id of its own."""
        self.runs += 1
        return replace(self.step(**changed), run=f"20260301-0900{self.runs:02}-ab12")

    def checks(self) -> list[dict[str, Any]]:
        return list(self.aws.route53.call(CONTROL, "list_health_checks")["HealthChecks"])

    def tags(self, check: str) -> dict[str, str]:
        found = self.aws.route53.call(CONTROL, "list_tags_for_resource", ResourceType="healthcheck", ResourceId=check)
        return {tag["Key"]: tag["Value"] for tag in found["ResourceTagSet"]["Tags"]}

    def put(self, name: str = "theirs", **tags: str) -> str:
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "theirs.example.org", "RequestInterval": 30}
        made = self.aws.route53.call(CONTROL, "create_health_check", CallerReference=name, HealthCheckConfig=config)
        check = str(made["HealthCheck"]["Id"])
        if tags:
            self.tag(check, **tags)
        return check

    def tag(self, check: str, **tags: str) -> None:
        add = [{"Key": key.replace("__", ":"), "Value": value} for key, value in tags.items()]
        self.aws.route53.call(CONTROL, "change_tags_for_resource", ResourceType="healthcheck", ResourceId=check, AddTags=add)

    def forget_everything(self) -> None:
        """Another machine: its journal knows nothing."""
        self.notes.made.clear()
        self.notes.identities.clear()


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


async def test_a_check_is_created_with_its_settings_and_tags(sandbox):
    ctx = sandbox.step()
    assert (await STEP.observe(ctx)).state is State.ABSENT
    outputs = await STEP.create(ctx)
    (check,) = sandbox.checks()
    assert outputs == {"HealthCheckId": check["Id"], "Host": HOST, "Path": "/prod/health"}
    config = check["HealthCheckConfig"]
    assert (config["Type"], config["Port"], config["RequestInterval"], config["FailureThreshold"]) == ("HTTPS", 443, 10, 3)
    assert config["EnableSNI"] is True and config["Inverted"] is False
    assert sandbox.tags(check["Id"]) == {
        "workshop": "films", "workshop:step": "step", "workshop:run": "run-2", "workshop:region": HOME,
        "Name": "films step us-west-2",
    }  # fmt: skip
    observed = await STEP.observe(ctx)
    assert observed.state is State.READY and observed.outputs == outputs
    assert is_our_reference(check["CallerReference"], "films", HOME, "step")


async def test_a_rerun_changes_nothing(sandbox):
    await STEP.create(sandbox.step())
    before = len(sandbox.aws.changes())
    await STEP.create(sandbox.step())
    assert len(sandbox.aws.changes()) == before == 2


async def test_each_region_has_a_check_of_its_own(sandbox):
    first = await STEP.create(sandbox.step())
    second = await STEP.create(sandbox.step(EU))
    assert first["HealthCheckId"] != second["HealthCheckId"]
    await STEP.destroy(sandbox.step())
    assert [each["Id"] for each in sandbox.checks()] == [second["HealthCheckId"]]


async def test_checks_of_others_are_neither_taken_nor_deleted(sandbox):
    foreign = [
        sandbox.put("theirs"),
        sandbox.put("other-workshop", workshop="rides", workshop__step="step", workshop__region=HOME),
        sandbox.put("other-step", workshop="films", workshop__step="other", workshop__region=HOME),
    ]
    assert (await STEP.observe(sandbox.step())).state is State.ABSENT
    await STEP.create(sandbox.step())
    await STEP.destroy(sandbox.step())
    assert sorted(each["Id"] for each in sandbox.checks()) == sorted(foreign)


@pytest.mark.parametrize(
    ("changed", "member", "value"),
    [
        ({"path": "/prod/ping"}, "ResourcePath", "/prod/ping"),
        ({"threshold": 1}, "FailureThreshold", 1),
        ({"inverted": True}, "Inverted", True),
        ({"host": "other.example.org"}, "FullyQualifiedDomainName", "other.example.org"),
        ({"regions": ["us-east-1", "us-west-1", "sa-east-1"]}, "Regions", ["sa-east-1", "us-east-1", "us-west-1"]),
    ],
)
async def test_a_setting_that_can_be_changed_is_changed_in_the_same_check(sandbox, changed, member, value):
    first = await STEP.create(sandbox.step())
    observed = await STEP.observe(sandbox.step(**changed))
    assert observed.state is State.PARTIAL and member in observed.detail
    second = await STEP.create(sandbox.step(**changed))
    assert second["HealthCheckId"] == first["HealthCheckId"]
    (check,) = sandbox.checks()
    assert check["HealthCheckConfig"][member] == value
    assert (await STEP.observe(sandbox.step(**changed))).state is State.READY


async def test_regions_of_checkers_that_are_not_named_any_more_are_reset(sandbox):
    await STEP.create(sandbox.step(regions=["us-east-1", "us-west-1", "sa-east-1"]))
    assert "Regions" in (await STEP.observe(sandbox.step())).detail
    await STEP.create(sandbox.step())
    assert not sandbox.checks()[0]["HealthCheckConfig"].get("Regions")
    assert (await STEP.observe(sandbox.step())).state is State.READY


async def test_a_check_that_others_disabled_or_inverted_is_put_right(sandbox):
    made = await STEP.create(sandbox.step())
    sandbox.aws.route53.call(CONTROL, "update_health_check", HealthCheckId=made["HealthCheckId"], Disabled=True, Inverted=True)
    assert (await STEP.observe(sandbox.step())).state is State.PARTIAL
    await STEP.create(sandbox.step())
    config = sandbox.checks()[0]["HealthCheckConfig"]
    assert config["Disabled"] is False and config["Inverted"] is False


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        ({"interval": 30}, "RequestInterval"),
        ({"search": "well"}, "Type"),
        ({"type": "HTTP", "port": 80}, "Type"),
        ({"measure_latency": True}, "MeasureLatency"),
    ],
)
async def test_a_setting_that_never_changes_takes_another_check_and_the_old_one_stays_for_its_records(sandbox, changed, member):
    old = (await STEP.create(sandbox.step()))["HealthCheckId"]
    observed = await STEP.observe(sandbox.step(**changed))
    assert observed.state is State.PARTIAL and "must be replaced" in observed.detail and member in observed.detail
    new = (await STEP.create(sandbox.step(**changed)))["HealthCheckId"]
    assert {each["Id"] for each in sandbox.checks()} == {old, new} and old != new
    observed = await STEP.observe(sandbox.step(**changed))
    assert observed.state is State.READY and observed.outputs["HealthCheckId"] == new and old in observed.detail
    assert "delete_health_check" not in sandbox.aws.changes()
    await STEP.destroy(sandbox.step(**changed))
    assert sandbox.checks() == []


async def test_without_a_records_step_the_old_check_goes_at_once(sandbox):
    await STEP.create(sandbox.step(others={}))
    new = (await STEP.create(sandbox.step(others={}, interval=30)))["HealthCheckId"]
    assert [each["Id"] for each in sandbox.checks()] == [new]


async def test_going_back_to_the_earlier_settings_takes_the_earlier_check_again(sandbox):
    old = (await STEP.create(sandbox.step()))["HealthCheckId"]
    await STEP.create(sandbox.step(interval=30))
    assert (await STEP.create(sandbox.step()))["HealthCheckId"] == old and len(sandbox.checks()) == 2


async def test_a_reference_is_never_used_again(sandbox):
    await STEP.create(sandbox.step())
    first = sandbox.checks()[0]["CallerReference"]
    await STEP.destroy(sandbox.step())
    await STEP.create(sandbox.step())
    (check,) = sandbox.checks()
    assert check["CallerReference"] != first and len(sandbox.aws.made("create_health_check")) == 3


async def test_a_lost_answer_makes_no_second_check(sandbox):
    sandbox.aws.lose_answer("create_health_check")
    await STEP.create(sandbox.step())
    assert len(sandbox.checks()) == 1


async def test_a_check_that_was_changed_meanwhile_is_read_again(sandbox):
    made = await STEP.create(sandbox.step())
    sandbox.aws.watch = _once("update_health_check", lambda: sandbox.aws.route53.call(
        CONTROL, "update_health_check", HealthCheckId=made["HealthCheckId"], FailureThreshold=9,
    ))  # fmt: skip
    await STEP.create(sandbox.step(path="/prod/ping"))
    config = sandbox.checks()[0]["HealthCheckConfig"]
    assert (config["ResourcePath"], config["FailureThreshold"]) == ("/prod/ping", 3)


async def test_a_full_account_is_explained(sandbox):
    sandbox.aws.refuse("create_health_check", CONTROL, refusal("TooManyHealthChecks", "Limits Exceeded"))
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.step())
    assert "as many health checks as it may have" in caught.value.what and "L-ACB674F3" in caught.value.fix


def _once(operation: str, act: Any) -> Any:
    def watch(call: Any) -> None:
        nonlocal act
        if call.operation == operation and act is not None:
            doing, act = act, None
            doing()

    return watch


CHANGES = [({}, {"interval": 30}), ({}, {"path": "/prod/ping"}), (None, {})]


@pytest.mark.parametrize("stranger", [False, True], ids=["same machine", "another machine"])
@pytest.mark.parametrize(("before", "changed"), CHANGES, ids=["replaced", "changed", "created"])
async def test_a_creation_that_was_killed_anywhere_is_finished_by_the_next_run_and_leaves_nothing(
    sandbox, before, changed, stranger
):
    number, kills = 0, 0
    while True:
        number += 1
        for after in (False, True):
            if before is not None:
                await STEP.create(sandbox.next_run(**before))
            with suppress(Killed), killed_at(sandbox.aws, number, after=after):
                ended = False
                await STEP.create(sandbox.next_run(**changed))
                ended = True
            kills += not ended
            if stranger:
                sandbox.forget_everything()
            made = await STEP.create(sandbox.next_run(**changed))
            assert (await STEP.observe(sandbox.next_run(**changed))).outputs == made
            assert len(sandbox.checks()) <= (2 if "interval" in changed else 1), f"call {number}, after: {after}"
            await STEP.destroy(sandbox.next_run(**changed))
            assert sandbox.checks() == [], f"call {number}, after: {after}"
        if ended:
            break
    assert kills >= 4


async def test_a_request_that_arrives_after_its_process_was_killed_makes_no_second_check(sandbox):
    with pytest.raises(Killed), killed_at(sandbox.aws, 2, after=False):  # the list, then the creation
        await STEP.create(sandbox.next_run())
    (late,) = sandbox.aws.made("create_health_check")
    sandbox.aws.watch = _once("create_health_check", lambda: sandbox.aws.route53.call(CONTROL, late.operation, **late.parameters))
    made = await STEP.create(sandbox.next_run())
    assert [each["Id"] for each in sandbox.checks()] == [made["HealthCheckId"]]


async def test_a_check_without_tags_is_found_by_a_sweep_of_a_machine_that_knows_nothing(sandbox):
    with pytest.raises(Killed), killed_at(sandbox.aws, 2, after=True):  # the list, then the creation
        await STEP.create(sandbox.step())
    sandbox.forget_everything()
    (check,) = sandbox.checks()
    assert sandbox.tags(check["Id"]) == {}
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.PARTIAL and "no tags yet" in observed.detail
    (left,) = await STEP.leftovers(sandbox.step())
    assert left.id == check["Id"] and left.region == HOME
    (orphan,) = await STEP.tagged(sandbox.step(EU))
    assert orphan.id == check["Id"]
    assert (await STEP.observe(sandbox.step(EU))).state is State.ABSENT


async def test_everything_of_the_workshop_is_found_wherever_it_was_made_and_shown_with_its_removal(sandbox):
    made = await STEP.create(sandbox.step())
    gone = sandbox.put("gone", workshop="films", workshop__step="gone", workshop__region="sa-east-1")
    sandbox.put("theirs")
    found = {each.id: each for each in await STEP.tagged(sandbox.step(EU))}
    assert found.keys() == {made["HealthCheckId"], gone}
    assert found[gone].region == "sa-east-1" and found[gone].step == "gone"
    assert found[gone].fix == f"aws route53 delete-health-check --health-check-id {gone}"
    assert f"asks {HOST}/prod/health" in found[made["HealthCheckId"]].size


async def test_destroying_what_is_gone_is_fine(sandbox):
    await STEP.destroy(sandbox.step())
    made = await STEP.create(sandbox.step())
    sandbox.aws.watch = _once("delete_health_check", lambda: sandbox.aws.route53.call(
        CONTROL, "delete_health_check", HealthCheckId=made["HealthCheckId"],
    ))  # fmt: skip
    await STEP.destroy(sandbox.step())
    assert sandbox.checks() == []


async def test_a_removed_check_claims_nothing_later(sandbox):
    await STEP.create(sandbox.step())
    await STEP.destroy(sandbox.step())
    assert not sandbox.notes.made and not sandbox.notes.identities


async def test_a_refusal_leaves_nothing(sandbox):
    sandbox.aws.refuse("create_health_check", CONTROL, refusal("AccessDenied"))
    with pytest.raises(AwsError):
        await STEP.create(sandbox.step())
    assert sandbox.checks() == [] and await STEP.leftovers(sandbox.step()) == []


def test_the_lines_to_type_make_the_same_check_and_tags(sandbox):
    create, tag = STEP.commands(sandbox.step())
    assert create.startswith('CHECK="$(aws route53 create-health-check ') and tag.endswith('--resource-id "$CHECK"')
    words = shlex.split(create.removeprefix('CHECK="$(').removesuffix(')"'))
    config = json.loads(words[words.index("--health-check-config") + 1])
    sandbox.aws.route53.call(CONTROL, "create_health_check", CallerReference="by-hand", HealthCheckConfig=config)
    assert sandbox.checks()[0]["HealthCheckConfig"]["ResourcePath"] == "/prod/health"
    assert {"Key=workshop,Value=films", "Key=workshop:region,Value=us-west-2"} <= set(shlex.split(tag))


def test_the_permissions_name_health_checks_alone(sandbox):
    found = STEP.permissions(sandbox.step())
    assert {p.region for p in found} == {""}
    assert {p.resource for p in found} == {"*", "arn:aws:route53:::healthcheck/*"}
    assert {p.action for p in found if p.phase is Phase.TEARDOWN} == {
        "route53:ListHealthChecks", "route53:ListTagsForResources", "route53:DeleteHealthCheck",
    }  # fmt: skip


async def test_the_quota_is_that_of_the_account(sandbox):
    sandbox.put()
    quota = HealthCheckQuota()
    assert await quota.used(sandbox.aws, HOME) == 1 and await quota.limit(sandbox.aws, HOME) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"regions": ["us-east-1", "us-west-1"]},
        {"regions": ["eu-central-1", "us-east-1", "us-west-1"]},
        {"type": "TCP"},
        {"interval": 20},
        {"threshold": 11},
        {"path": "health"},
        {"host": "two words"},
    ],
)
def test_settings_that_route_53_refuses_are_refused_before(wrong):
    with pytest.raises(ValidationError):
        params(**wrong)


def test_settings_from_templates_are_texts():
    found = params(interval="10", threshold="1", port="443", inverted="false")
    assert (found.interval, found.threshold, found.port, found.inverted) == (10, 1, 443, False)


@pytest.mark.parametrize("workshop", ["films", "a-workshop-with-a-name-that-is-rather-long"])
@pytest.mark.parametrize("run", ["20261121-223825-ab12", "20261121-223825-ab12-111122223333"])
def test_references_are_short_enough_and_recognised(workshop, run):
    found = {reference(workshop, region, run, step, 1) for region in (HOME, "ap-southeast-1") for step in ("a", "b")}
    assert len(found) == 4 and max(map(len, found)) <= 64
    assert sum(is_our_reference(each, workshop, HOME) for each in found) == 2
    assert sum(is_our_reference(each, workshop, HOME, "a") for each in found) == 1
    assert not any(is_our_reference(each, f"{workshop}-x") for each in found)


def test_a_workshop_whose_name_ends_in_a_region_is_another_one():
    theirs = reference("a-us-west-2", EU, "20261121-223825-ab12", "step", 1)
    assert is_our_reference(theirs, "a-us-west-2", EU) and not is_our_reference(theirs, "a", HOME)
