"""`dns.wiring` over the cloud's own Route 53 and regions that respond by themselves, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME, StepSandbox
from tests.unit.fakes.http_server import Server
from workshop.errors import WorkshopError
from workshop.steps.base import Context, Phase, State
from workshop.steps.route53.prove_wiring import prove_wiring
from workshop.steps.route53.wiring_calls import Ask, Reply
from workshop.steps.route53.wiring_step import DnsWiring, WiringParams

STEP = DnsWiring()
NAME = "api.films.example.com"
APIS = {HOME: "aaaa111111", EU: "bbbb222222"}
CONTROL = "us-east-1"


class Sandbox(StepSandbox):
    """The name `api.` in two regions, wired right, and both regions well."""

    def __init__(self) -> None:
        super().__init__()
        self.route53 = self.aws.route53
        self.zone = self.route53.put_zone("films.example.com")
        self.addresses: dict[str, str] = {}
        self.replies: dict[str, tuple[int, bytes]] = {}
        self.checks: dict[str, str] = {}
        for region, api in APIS.items():
            target = f"d-{api}.execute-api.{region}.amazonaws.com"
            self.aws.gateway.domains[region, NAME] = (target, {"": (api, "prod")})
            self.aws.gateway.apis[region, api] = ({"prod"}, {"/health"})
            config = {
                "Type": "HTTPS", "FullyQualifiedDomainName": f"{api}.execute-api.{region}.amazonaws.com", "Port": 443,
                "ResourcePath": "/prod/health", "RequestInterval": 10, "FailureThreshold": 3,
            }  # fmt: skip
            made = self.route53.call(CONTROL, "create_health_check", CallerReference=region, HealthCheckConfig=config)
            self.checks[region] = made["HealthCheck"]["Id"]
            more = {"SetIdentifier": f"films:{region}", "Weight": 1, "HealthCheckId": self.checks[region]}
            self.route53.put_record(self.zone, NAME, "CNAME", target, **more)
        self.route53.put_record(self.zone, f"_workshop.{NAME}", "TXT", '"workshop=films step=records run=1"')

    def step(self, **changed: Any) -> Context[Any]:
        return self.context(WiringParams.model_validate({"zone": self.zone, "name": NAME, "live": "false", **changed}))

    def cross(self) -> None:
        found = self.route53.call(CONTROL, "list_resource_record_sets", HostedZoneId=self.zone)["ResourceRecordSets"]
        one, two = (each for each in found if each.get("HealthCheckId"))
        changed = ({**one, "HealthCheckId": two["HealthCheckId"]}, {**two, "HealthCheckId": one["HealthCheckId"]})
        changes = [{"Action": "UPSERT", "ResourceRecordSet": each} for each in changed]
        self.route53.call(CONTROL, "change_resource_record_sets", HostedZoneId=self.zone, ChangeBatch={"Changes": changes})

    def respond(self, path: str) -> tuple[int, bytes]:
        """A gateway: it describes its names, and serves each region under the region's own names."""
        if path == "/_workshop/dns":
            return 200, json.dumps({"addresses": self.addresses}).encode()
        region = next((region for region, api in APIS.items() if self.server.hosts[-1].startswith(api)), HOME)
        return self.replies.get(region, (200, json.dumps({"region": region}).encode()))

    async def well(self, ask: Ask) -> Reply:
        """A caller to whom every region responds well."""
        return Reply(200, {"region": ask.region})

    def live(self) -> Context[Any]:
        ctx = self.step(live=True)
        return replace(ctx, target=replace(ctx.target, name="local", gateway=self.server.url.removeprefix("http://")))


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def live(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The regions respond on loopback."""
    with Server(sandbox.respond) as sandbox.server:
        yield sandbox


async def test_a_right_wiring_is_ready_and_makes_nothing(sandbox):
    assert (await STEP.observe(sandbox.step())).state is State.READY
    assert await STEP.create(sandbox.step()) == {}
    await STEP.destroy(sandbox.step())
    assert sandbox.aws.changes() == [] and await STEP.leftovers(sandbox.step()) == []


async def test_crossed_checks_end_the_step_at_once_with_both_regions_and_the_step_that_fixes_it(sandbox):
    sandbox.cross()
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(replace(sandbox.step(), given=("--workshop", "films")))
    assert HOME in caught.value.why and EU in caught.value.why and "carry each other's health check" in caught.value.why
    assert caught.value.fix == "workshop step run records --workshop films" and sandbox.clock.monotonic() == 0
    observed = await STEP.observe(sandbox.step())
    assert observed.state is State.ABSENT and "watches" in observed.detail


async def test_the_regions_are_called_by_their_own_names_and_have_to_name_themselves(live):
    await STEP.create(live.live())
    called = set(zip(live.server.hosts, live.server.asked, strict=True))
    port = live.server.url.rpartition(":")[2]
    for region, api in APIS.items():
        assert (f"{api}.execute-api.{region}.localhost:{port}", "/prod/health") in called
    assert (await STEP.observe(live.live())).state is State.READY


async def test_where_regions_have_addresses_the_name_itself_is_asked_for_there(live):
    live.addresses = {HOME: "127.0.0.1"}
    assert (await STEP.observe(live.live())).state is State.READY
    port = live.server.url.rpartition(":")[2]
    assert (f"{NAME}:{port}", "/health") in set(zip(live.server.hosts, live.server.asked, strict=True))


async def test_a_name_that_another_region_serves_is_no_proof(live):
    live.addresses = {EU: "127.0.0.1"}  # the name there is served by the home region
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(live.live())
    assert f"responds from {HOME}, not from {EU}" in caught.value.why and caught.value.fix == "workshop step run records"


async def test_checkers_of_every_region_are_waited_for_on_aws_but_not_for_ever(sandbox):
    proof = await prove_wiring(sandbox.aws, zone=sandbox.zone, name=NAME, regions=(HOME, EU), call=sandbox.well, everywhere=True)
    assert proof.problems == () and all("no report yet of checkers in" in each.text for each in proof.warnings)
    near = await prove_wiring(sandbox.aws, zone=sandbox.zone, name=NAME, regions=(HOME, EU), call=sandbox.well)
    assert near.mismatches == ()


async def test_checkers_that_see_what_we_do_not_are_named(live):
    live.route53.health.sick.add(live.checks[EU])
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(live.live())
    assert "3 of 3 checkers" in caught.value.why and EU in caught.value.why
    assert "get-health-check-last-failure-reason" in caught.value.fix


async def test_a_region_that_is_just_coming_is_waited_for(live):
    live.replies[EU] = (403, b'{"message": "Forbidden"}')

    def heal(_: Any) -> None:
        if live.clock.monotonic() > 30:
            live.replies.clear()

    live.aws.watch = heal
    await STEP.create(live.live())
    assert 30 < live.clock.monotonic() < 60


async def test_a_region_that_never_responds_ends_the_step(live):
    live.replies[EU] = (403, b'{"message": "Forbidden"}')
    with pytest.raises(WorkshopError, match="are not wired right") as caught:
        await STEP.create(live.live())
    assert "does not respond: 403 Forbidden" in caught.value.why and live.clock.monotonic() >= 180


async def test_the_zone_is_found_by_the_name_when_its_id_is_not_known(sandbox):
    assert (await STEP.observe(sandbox.step(zone=""))).state is State.READY
    assert "no record" in (await STEP.observe(sandbox.step(zone="", name="api.other.example.net"))).detail


async def test_apis_that_may_not_be_read_are_not_compared_and_stop_nothing(sandbox):
    for region in APIS:
        sandbox.aws.refuse("get_resources", region, refusal("AccessDeniedException"))
    proof = await prove_wiring(sandbox.aws, zone=sandbox.zone, name=NAME, regions=(HOME, EU))
    assert proof.mismatches == ()


async def test_an_api_that_is_gone_is_named(sandbox):
    del sandbox.aws.gateway.apis[EU, APIS[EU]]
    proof = await prove_wiring(sandbox.aws, zone=sandbox.zone, name=NAME, regions=(HOME, EU))
    assert "there is no such API" in proof.problems[0].text


async def test_without_the_mark_of_a_step_the_whole_setup_is_the_fix(sandbox):
    sandbox.cross()
    mark = {
        "Name": f"_workshop.{NAME}",
        "Type": "TXT",
        "TTL": 60,
        "ResourceRecords": [{"Value": '"workshop=films step=records run=1"'}],
    }
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": mark}]}
    sandbox.route53.call(CONTROL, "change_resource_record_sets", HostedZoneId=sandbox.zone, ChangeBatch=batch)
    proof = await prove_wiring(sandbox.aws, zone=sandbox.zone, name=NAME, regions=(HOME, EU), commands=("--target", "aws"))
    assert {each.fix for each in proof.problems} == {"workshop setup --target aws"}


def test_it_brings_its_address_only_when_it_calls_it(sandbox):
    assert STEP.brings(sandbox.step()) == []
    assert [each.name for each in STEP.brings(sandbox.step(live=True))] == [f"https://{NAME}/"]


def test_its_permissions_only_read(sandbox):
    found = STEP.permissions(sandbox.step())
    assert {p.phase for p in found} == {Phase.SETUP, Phase.CHECK}
    assert all(p.action.partition(":")[2].startswith(("Get", "List", "GET")) for p in found)
    assert "route53:GetHealthCheckStatus" in {p.action for p in found}
