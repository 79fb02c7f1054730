"""`route53.records` over the cloud's own Route 53, in virtual time."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME, StepSandbox
from tests.unit.kills import Killed, killed_at
from workshop.errors import DefinitionError, WorkshopError
from workshop.steps.base import Context, Phase, State
from workshop.steps.route53.health import RouteHealth
from workshop.steps.route53.health_settings import HealthParams
from workshop.steps.route53.record_sets import RecordsParams, RecordTarget
from workshop.steps.route53.records import RouteRecords

STEP, HEALTH = RouteRecords(), RouteHealth()
CONTROL = "us-east-1"
NAME, MARK = "api.films.example.com", "_workshop.api.films.example.com"
ASIA = "ap-southeast-1"
READS = ("list_health_checks", "list_tags_for_resources", "list_resource_record_sets", "get_change", "list_hosted_zones_by_name")


def host(region: str) -> str:
    return f"d-0123456789.execute-api.{region}.amazonaws.com"


class Sandbox(StepSandbox):
    """A zone, and a health check for each of the two regions."""

    def __init__(self) -> None:
        super().__init__()
        self.zone = self.aws.route53.put_zone("films.example.com")
        self.runs = 0
        self.own_checks: dict[str, str] = {}

    async def with_checks(self, **changed: Any) -> Sandbox:
        for region in (HOME, EU):
            self.own_checks[region] = (await HEALTH.create(self.health(region, **changed)))["HealthCheckId"]
        return self

    def health(self, region: str, **changed: Any) -> Context[Any]:
        settings = HealthParams.model_validate({"host": host(region), "path": "/health", "interval": 10, **changed})
        return replace(self.context(settings, region=region, others=self._others()), step="health", run=self._run())

    def step(
        self,
        policy: str = "weighted",
        *,
        targets: Sequence[Any] | None = None,
        regions: tuple[str, ...] = (HOME, EU),
        **changed: Any,
    ) -> Context[Any]:
        own = [{"host": host(region), "health": self.own_checks.get(region, "")} for region in regions]
        settings = {"zone": self.zone, "name": NAME, "policy": policy, "targets": own if targets is None else targets, **changed}
        params = RecordsParams.model_validate(settings)
        return replace(self.context(params, regions=regions, others=self._others()), step="records", run=self._run())

    def records(self, name: str = NAME) -> list[dict[str, Any]]:
        found = self.aws.route53.call(CONTROL, "list_resource_record_sets", HostedZoneId=self.zone)["ResourceRecordSets"]
        return [each for each in found if each["Name"].rstrip(".") == name]

    def members(self, member: str) -> dict[str, Any]:
        return {each["SetIdentifier"]: each.get(member) for each in self.records()}

    def mark(self) -> str:
        found = self.records(MARK)
        return str(found[0]["ResourceRecords"][0]["Value"]) if found else ""

    def change(self, action: str, record: dict[str, Any]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        self.aws.route53.call(CONTROL, "change_resource_record_sets", HostedZoneId=self.zone, ChangeBatch=batch)

    def cross(self) -> None:
        """The talk's mistake, by hand."""
        one, two = self.records()
        for record, check in ((one, two["HealthCheckId"]), (two, one["HealthCheckId"])):
            self.change("UPSERT", {**record, "HealthCheckId": check})

    def check_ids(self) -> set[str]:
        return {each["Id"] for each in self.aws.route53.call(CONTROL, "list_health_checks")["HealthChecks"]}

    def _others(self) -> Any:
        return {"route53.records": [{"zone": self.zone, "name": NAME}]}

    def _run(self) -> str:
        self.runs += 1
        return f"20260301-09{self.runs:04}-ab12"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def batches(sandbox: Sandbox) -> list[list[str]]:
    """The actions of every batch so far."""
    made = sandbox.aws.made("change_resource_record_sets")
    return [[change["Action"] for change in call.parameters["ChangeBatch"]["Changes"]] for call in made]


async def test_a_record_per_region_is_written_with_its_own_check_and_waited_for(sandbox):
    await sandbox.with_checks()
    ctx = sandbox.step()
    assert (await STEP.observe(ctx)).state is State.ABSENT
    outputs = await STEP.create(ctx)
    assert outputs == {"Name": NAME, "Zone": sandbox.zone, "Policy": "weighted"}
    assert sandbox.members("HealthCheckId") == {f"films:{region}": check for region, check in sandbox.own_checks.items()}
    assert sandbox.members("Weight") == {f"films:{HOME}": 100, f"films:{EU}": 100}
    assert {each["Type"] for each in sandbox.records()} == {"CNAME"} and {each["TTL"] for each in sandbox.records()} == {60}
    assert sandbox.mark().startswith('"workshop=films step=records run=2026')
    assert batches(sandbox) == [["CREATE"] * 3] and any("every name server" in reason for reason in sandbox.notes.waits)
    observed = await STEP.observe(ctx)
    assert observed.state is State.READY and observed.outputs == outputs


async def test_a_rerun_changes_nothing(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    await STEP.create(sandbox.step())
    assert len(batches(sandbox)) == 1


@pytest.mark.parametrize(
    ("policy", "member", "values"),
    [
        ("latency", "Region", {HOME, EU}),
        ("failover", "Failover", {"PRIMARY", "SECONDARY"}),
        ("geolocation", "GeoLocation", {"*", "EU"}),
    ],
)
async def test_another_policy_is_one_setup_away_in_one_batch(sandbox, policy, member, values):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    observed = await STEP.observe(sandbox.step(policy))
    assert observed.state is State.PARTIAL and observed.ours and member in observed.detail
    await STEP.create(sandbox.step(policy))
    assert batches(sandbox)[1:] == [["DELETE", "DELETE", "CREATE", "CREATE"]]
    found = sandbox.members(member)
    assert {next(iter(v.values())) if isinstance(v, dict) else v for v in found.values()} == values
    assert found[f"films:{HOME}"] in ("PRIMARY", HOME, {"CountryCode": "*"})
    assert (await STEP.observe(sandbox.step(policy))).state is State.READY


@pytest.mark.parametrize("policies", [("failover", "weighted"), ("geolocation", "latency"), ("weighted", "simple", "failover")])
async def test_every_policy_follows_every_other(sandbox, policies):
    await sandbox.with_checks()
    for policy in policies:
        await STEP.create(sandbox.step(policy))
        assert (await STEP.observe(sandbox.step(policy))).state is State.READY


async def test_roles_weights_and_places_are_those_of_the_targets(sandbox):
    await sandbox.with_checks()
    own = [{"host": host(region), "health": sandbox.own_checks[region]} for region in (HOME, EU)]
    await STEP.create(sandbox.step("failover", targets=[{**own[0], "role": "secondary"}, {**own[1], "role": "primary"}]))
    assert sandbox.members("Failover") == {f"films:{HOME}": "SECONDARY", f"films:{EU}": "PRIMARY"}
    await STEP.create(sandbox.step("weighted", targets=[{**own[0], "weight": 0}, {**own[1], "weight": "70"}]))
    assert sandbox.members("Weight") == {f"films:{HOME}": 0, f"films:{EU}": 70}
    await STEP.create(sandbox.step("geolocation", targets=[{**own[0], "place": "US-OR"}, {**own[1], "place": "*"}]))
    assert sandbox.members("GeoLocation")[f"films:{HOME}"] == {"CountryCode": "US", "SubdivisionCode": "OR"}


async def test_a_simple_record_is_that_of_the_steps_own_region_without_a_check(sandbox):
    await STEP.create(replace(sandbox.step("simple"), region=EU))
    (record,) = sandbox.records()
    assert record["ResourceRecords"] == [{"Value": host(EU)}]
    assert "HealthCheckId" not in record and "SetIdentifier" not in record


async def test_addresses_take_the_policy_multivalue(sandbox):
    await STEP.create(sandbox.step("multivalue", targets=[{"host": "192.0.2.1"}, {"host": "2001:db8::1"}]))
    assert {each["Type"] for each in sandbox.records()} == {"A", "AAAA"}


@pytest.mark.parametrize(
    ("policy", "more", "why"),
    [
        ("multivalue", {}, "takes addresses"),
        ("weighted", {"targets": [{"host": host(HOME), "weight": 0}, {"host": host(EU), "weight": 0}]}, "every weight is 0"),
        ("weighted", {"targets": [{"host": host(HOME)}, {}]}, "has no host"),
        ("failover", {"regions": (HOME, EU, ASIA)}, "one primary and one secondary"),
        ("geolocation", {"regions": (HOME, "us-east-1", "ca-central-1")}, "is the place of us-east-1 already"),
    ],
)
async def test_what_route_53_would_refuse_is_refused_before_with_what_to_change(sandbox, policy, more, why):
    ctx = sandbox.step(policy, **more)
    with pytest.raises(DefinitionError) as caught:
        await STEP.create(ctx)
    assert why in caught.value.why.lower() or why in caught.value.why
    assert caught.value.fix and batches(sandbox) == []
    assert (await STEP.observe(ctx)).state is State.ABSENT


def test_a_policy_that_the_regions_do_not_allow_is_refused_before_anything_is_made(sandbox):
    with pytest.raises(DefinitionError, match="cannot be written"):
        STEP.check_files(sandbox.step("failover", regions=(HOME, EU, ASIA)))
    STEP.check_files(sandbox.step("failover", targets=[{}, {}]))  # hosts are outputs, which do not exist yet


async def test_crossed_checks_are_put_right_by_the_step(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    sandbox.cross()
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.PARTIAL and observed.detail.count("HealthCheckId") == 2
    await STEP.create(sandbox.step())
    assert sandbox.members("HealthCheckId") == {f"films:{region}": check for region, check in sandbox.own_checks.items()}


async def test_records_of_another_hand_stop_the_step_and_stay(sandbox):
    await sandbox.with_checks()
    sandbox.aws.route53.put_record(sandbox.zone, NAME, "CNAME", "theirs.example.org")
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.FOREIGN and not observed.ours and NAME in observed.detail
    assert "--adopt" in observed.fix and "change-resource-record-sets" in observed.fix
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.step())
    assert caught.value.code == "Foreign"
    await STEP.destroy(sandbox.step())
    assert batches(sandbox) == [] and len(sandbox.records()) == 1
    (left,) = await STEP.leftovers(sandbox.step())
    assert not left.ours


async def test_records_of_another_workshop_cannot_be_adopted(sandbox):
    sandbox.aws.route53.put_record(sandbox.zone, NAME, "CNAME", "theirs.example.org")
    sandbox.aws.route53.put_record(sandbox.zone, MARK, "TXT", '"workshop=rides step=records run=1"')
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.FOREIGN and observed.foreign[0].adoption == "" and "--adopt" not in observed.fix


async def test_a_text_of_another_form_at_the_mark_is_not_written_over_by_an_adoption(sandbox):
    sandbox.aws.route53.put_record(sandbox.zone, NAME, "CNAME", "theirs.example.org")
    sandbox.aws.route53.put_record(sandbox.zone, MARK, "TXT", '"for the release on Friday"')
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.FOREIGN and observed.foreign[0].adoption == "" and "--adopt" not in observed.fix


async def test_a_name_alone_makes_no_record_ours(sandbox):
    await sandbox.with_checks()
    record = {"SetIdentifier": f"films:{HOME}", "Weight": 1}
    sandbox.aws.route53.put_record(sandbox.zone, NAME, "CNAME", "theirs.example.org", **record)
    assert not (await STEP.observe(sandbox.step())).ours


async def test_adopted_records_are_ours_and_are_replaced(sandbox):
    await sandbox.with_checks()
    sandbox.aws.route53.put_record(sandbox.zone, NAME, "CNAME", "theirs.example.org", SetIdentifier="old", Weight=1)
    (foreign,) = (await STEP.observe(sandbox.step())).foreign
    assert foreign.adoption
    await STEP.adopt(sandbox.step(), foreign)
    observed = await STEP.observe(sandbox.step())
    assert observed.ours and observed.state is State.PARTIAL
    await STEP.create(sandbox.step("latency"))
    observed = await STEP.observe(sandbox.step("latency"))
    assert (
        observed.state is State.READY and observed.adopted and set(sandbox.members("Region")) == {f"films:{HOME}", f"films:{EU}"}
    )
    await STEP.destroy(sandbox.step())
    assert sandbox.aws.route53.records(sandbox.zone) == []


async def test_a_record_that_others_added_to_the_group_is_named_and_stays_when_ours_go(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    sandbox.aws.route53.put_record(sandbox.zone, NAME, "CNAME", "theirs.example.org", SetIdentifier="theirs", Weight=1)
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.BROKEN and observed.ours and "theirs" in observed.detail and "theirs" in observed.fix
    with pytest.raises(WorkshopError):
        await STEP.create(sandbox.step("latency"))
    await STEP.destroy(sandbox.step())
    assert list(sandbox.members("Weight")) == ["theirs"] and sandbox.mark() == ""


async def test_everything_goes_in_one_batch_and_the_time_of_resolvers_is_told(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step(ttl="30"))
    assert [left.name for left in await STEP.leftovers(sandbox.step())] == [NAME]
    await STEP.destroy(sandbox.step())
    assert batches(sandbox)[1:] == [["DELETE"] * 3] and sandbox.aws.route53.records(sandbox.zone) == []
    assert any("may keep it for up to 30 s" in line for line in sandbox.notes.lines)
    assert await STEP.leftovers(sandbox.step()) == []
    await STEP.destroy(sandbox.step())
    assert len(batches(sandbox)) == 2


async def test_a_teardown_without_outputs_finds_zone_and_records_by_their_name(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    blank = sandbox.step(zone="", targets=[{}, {}])
    observed = await STEP.observe(blank)
    assert observed.ours and observed.state is State.PARTIAL
    await STEP.destroy(blank)
    assert sandbox.aws.route53.records(sandbox.zone) == []


async def test_a_teardown_without_outputs_finds_the_records_in_the_second_zone_of_the_name(sandbox):
    sandbox.zone = sandbox.aws.route53.put_zone("films.example.com")
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    await STEP.destroy(sandbox.step(zone="", targets=[{}, {}]))
    assert sandbox.aws.route53.records(sandbox.zone) == []


async def test_a_zone_that_is_gone_left_nothing(sandbox):
    ctx = sandbox.step()
    sandbox.aws.route53.call(CONTROL, "delete_hosted_zone", Id=sandbox.zone)
    assert (await STEP.observe(ctx)).state is State.ABSENT and await STEP.leftovers(ctx) == []
    await STEP.destroy(ctx)


async def test_a_lost_answer_is_not_taken_for_a_refusal(sandbox):
    await sandbox.with_checks()
    for policy in ("weighted", "latency"):
        sandbox.aws.lose_answer("change_resource_record_sets")
        await STEP.create(sandbox.step(policy))
        assert (await STEP.observe(sandbox.step(policy))).state is State.READY
    sandbox.aws.lose_answer("change_resource_record_sets")
    await STEP.destroy(sandbox.step())
    assert sandbox.aws.route53.records(sandbox.zone) == []


async def test_records_that_change_while_they_are_replaced_are_read_again(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    done = []

    def interfere(call: Any) -> None:
        if call.operation == "change_resource_record_sets" and not done:
            done.append(1)
            sandbox.cross()

    sandbox.aws.watch = interfere
    await STEP.create(sandbox.step("latency"))
    assert (await STEP.observe(sandbox.step("latency"))).state is State.READY


async def test_refusals_become_errors_with_what_helps(sandbox):
    await sandbox.with_checks()
    targets = [{"host": host(region), "health": "00000000-0000-0000-0000-000000000000"} for region in (HOME, EU)]
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.step(targets=targets))
    assert "refused the records" in caught.value.what and "workshop setup" in caught.value.fix
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.step(name="films.example.com"))
    assert "own name takes no CNAME" in caught.value.fix
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.step(name="api.other.example.net"))
    assert "does not belong to that zone" in caught.value.fix
    sandbox.aws.refuse("change_resource_record_sets", CONTROL, refusal("AccessDenied"))
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.step())
    assert caught.value.code == "AccessDenied"
    assert sandbox.records() == []


async def test_a_name_without_a_zone_is_explained(sandbox):
    sandbox.aws.route53.call(CONTROL, "delete_hosted_zone", Id=sandbox.zone)
    with pytest.raises(WorkshopError, match=r"No public zone of this account covers api\.films"):
        await STEP.create(sandbox.step(zone=""))


async def test_a_replaced_check_goes_after_the_records_use_the_new_one(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    old = set(sandbox.own_checks.values())
    await sandbox.with_checks(interval=30)
    new = set(sandbox.own_checks.values())
    assert sandbox.check_ids() == old | new
    order = []
    sandbox.aws.watch = lambda call: order.append((call.operation, sandbox.check_ids() >= old))
    await STEP.create(sandbox.step())
    assert sandbox.check_ids() == new and set(sandbox.members("HealthCheckId").values()) == new
    operations = [operation for operation, _ in order]
    assert (
        operations.index("change_resource_record_sets") < operations.index("get_change") < operations.index("delete_health_check")
    )
    assert (await STEP.observe(sandbox.step())).state is State.READY
    assert (await HEALTH.observe(sandbox.health(HOME, interval=30))).detail == ""


async def test_a_check_that_any_record_of_the_zones_still_uses_stays(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step())
    old = sandbox.own_checks[HOME]
    more = {"SetIdentifier": "theirs", "Weight": 1, "HealthCheckId": old}
    sandbox.aws.route53.put_record(sandbox.zone, "beta.films.example.com", "CNAME", host(HOME), **more)
    await sandbox.with_checks(interval=30)
    await STEP.create(sandbox.step())
    assert old in sandbox.check_ids()


@pytest.mark.parametrize("verb", ["create", "replace", "switch", "destroy"])
async def test_a_command_that_was_killed_anywhere_is_finished_by_the_next_one(sandbox, verb):
    """At no moment does a record point at a health check that does not exist."""

    def sound(call: Any) -> None:
        if call.operation in READS:
            return
        ids = sandbox.check_ids()
        assert all(each.get("HealthCheckId", next(iter(ids), None)) in ids for each in sandbox.records()), call.operation

    number, kills, ended = 0, 0, False
    sandbox.aws.watch = sound
    sandbox.aws.route53.parts.timing.change("fast", 1.0)
    while not ended:
        number += 1
        for after in (False, True):
            await sandbox.with_checks()
            if verb != "create":
                await STEP.create(sandbox.step())
            interval = 30 if verb == "replace" else 10
            await sandbox.with_checks(interval=interval)
            policy = "latency" if verb == "switch" else "weighted"
            with suppress(Killed), killed_at(sandbox.aws, number, after=after):
                ended = False
                await (STEP.destroy if verb == "destroy" else STEP.create)(sandbox.step(policy))
                ended = True
            kills += not ended
            if verb != "destroy":
                await STEP.create(sandbox.step(policy))
                assert (await STEP.observe(sandbox.step(policy))).state is State.READY
                assert sandbox.check_ids() == set(sandbox.own_checks.values())
            await STEP.destroy(sandbox.step(policy))
            assert sandbox.aws.route53.records(sandbox.zone) == [], f"call {number}, after: {after}"
            for region in (HOME, EU):
                await HEALTH.destroy(sandbox.health(region, interval=interval))
            assert sandbox.check_ids() == set()
    assert kills >= 6


async def test_what_was_made_under_another_name_is_found_by_its_mark(sandbox):
    await sandbox.with_checks()
    await STEP.create(sandbox.step(name="old.films.example.com"))
    sandbox.aws.route53.put_record(sandbox.zone, "_workshop.x.films.example.com", "TXT", '"workshop=rides step=records run=1"')
    (found,) = await STEP.tagged(sandbox.step())
    assert found.name == "old.films.example.com" and found.step == "records" and found.ours
    words = shlex.split(found.fix)
    batch = json.loads(words[words.index("--change-batch") + 1])
    sandbox.aws.route53.call(CONTROL, "change_resource_record_sets", HostedZoneId=sandbox.zone, ChangeBatch=batch)
    assert await STEP.tagged(sandbox.step()) == []


async def test_looking_for_marks_needs_no_permission_of_a_definition_without_records(sandbox):
    sandbox.aws.refuse("list_hosted_zones", CONTROL, refusal("AccessDenied"))
    assert await STEP.tagged(replace(sandbox.step(), others=lambda _: [])) == []


async def test_the_lines_to_type_make_the_same_records(sandbox):
    await sandbox.with_checks()
    change, wait = STEP.commands(sandbox.step())
    words = shlex.split(change.removeprefix('CHANGE="$(').removesuffix(')"'))
    batch = json.loads(words[words.index("--change-batch") + 1])
    sandbox.aws.route53.call(CONTROL, "change_resource_record_sets", HostedZoneId=sandbox.zone, ChangeBatch=batch)
    assert (await STEP.observe(sandbox.step())).state is State.READY
    assert wait == 'aws route53 wait resource-record-sets-changed --id "$CHANGE"'


def test_the_permissions_are_those_of_records_and_replaced_checks(sandbox):
    found = STEP.permissions(sandbox.step())
    setup = {p.action for p in found if p.phase is Phase.SETUP}
    assert {"route53:ChangeResourceRecordSets", "route53:GetChange", "route53:DeleteHealthCheck"} <= setup
    assert not any(p.action.startswith("apigateway") for p in found if p.phase is not Phase.DRILL)
    assert {p.phase for p in STEP.permissions(sandbox.step(aliases=True)) if p.action == "apigateway:GET"} == {
        Phase.SETUP, Phase.TEARDOWN, Phase.CHECK, Phase.DRILL,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"policy": "geoproximity"}, {"ttl": -1}, {"name": "two words.example.com"}, {"zone": "Z1; rm"}, {"name": "nodots"}]
)
def test_settings_of_another_form_are_refused(wrong):
    settings = {"zone": "Z1", "name": NAME, "targets": [{"host": host(HOME)}], **wrong}
    with pytest.raises(ValidationError):
        RecordsParams.model_validate(settings)


@pytest.mark.parametrize("wrong", [{"weight": 256}, {"place": "Mars"}, {"role": "third"}, {"host": "a b"}, {"region": HOME}])
def test_targets_of_another_form_are_refused(wrong):
    with pytest.raises(ValidationError):
        RecordTarget.model_validate({"host": host(HOME), **wrong})
