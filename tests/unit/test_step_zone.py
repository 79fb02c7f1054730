"""`route53.zone`: whose a zone is, what a teardown takes with it, and that the next run finishes what was killed anywhere."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import OURS, Notes, StepSandbox
from tests.unit.fakes.kills import Killed, KillingClient
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.steps.base import State
from workshop.steps.route53.zone import Route53Zone, ZoneParams

NAME = "a07.event.example.com"
ZONE, PARAMS = Route53Zone(), ZoneParams(name=NAME)
SERVERS = ["ns-1.awsdns-1.com", "ns-2.awsdns-2.net", "ns-3.awsdns-3.org", "ns-4.awsdns-4.co.uk"]
VALIDATION = f"_0a1b.api.{NAME}"
THEIRS = {"workshop": "another"}


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


async def made(sandbox: StepSandbox, **more) -> str:
    return (await ZONE.create(sandbox.context(PARAMS, **more)))["ZoneId"]


def validation(sandbox: StepSandbox, zone: str, name: str = VALIDATION) -> None:
    sandbox.aws.route53.put_record(zone, name, "CNAME", "_9f8e.abcdefghij.acm-validations.aws.")


async def test_a_zone_is_made_tagged_and_found_again(sandbox):
    ctx = sandbox.context(PARAMS)
    assert (await ZONE.observe(ctx)).state is State.ABSENT
    outputs = await ZONE.create(ctx)
    assert outputs["Name"] == NAME and outputs["NameServers"].split(",") == sorted(SERVERS)
    observed = await ZONE.observe(ctx)
    assert observed.state is State.READY and observed.ours and not observed.kept and observed.outputs == outputs
    assert sandbox.aws.changes() == ["create_hosted_zone", "change_tags_for_resource"]
    assert any("every name server" in wait for wait in sandbox.notes.waits)


async def test_a_zone_is_removed_and_nothing_is_left(sandbox):
    await made(sandbox)
    ctx = sandbox.context(PARAMS)
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.zones() == [] and await ZONE.leftovers(ctx) == []
    await ZONE.destroy(ctx)


async def test_a_zone_that_others_made_is_used_and_kept_with_what_is_in_it(sandbox):
    zone = sandbox.aws.route53.put_zone(NAME, tags=THEIRS)
    sandbox.aws.route53.put_record(zone, f"www.{NAME}", "A", "192.0.2.1")
    ctx = sandbox.context(PARAMS)
    observed = await ZONE.observe(ctx)
    assert observed.state is State.READY and observed.kept and observed.outputs["ZoneId"] == zone
    await ZONE.create(ctx)
    await ZONE.destroy(ctx)
    assert len(sandbox.aws.changes()) == 0
    assert sandbox.aws.route53.zones() == [NAME] and await ZONE.leftovers(ctx) == []


async def test_a_zone_that_others_made_stops_the_setup_where_it_is_not_to_be_used(sandbox):
    zone = sandbox.aws.route53.put_zone(NAME)
    ctx = sandbox.context(ZoneParams(name=NAME, adopt=False))
    observed = await ZONE.observe(ctx)
    assert observed.state is State.FOREIGN and [each.id for each in observed.foreign] == [zone]
    assert f"A hosted zone {NAME} exists (2 records)" in observed.detail and "--adopt" in observed.fix
    with pytest.raises(WorkshopError, match="did not make"):
        await ZONE.create(ctx)
    await ZONE.destroy(ctx)
    assert sandbox.aws.changes() == []


async def test_an_adopted_zone_is_used_and_loses_only_our_tags_at_the_teardown(sandbox):
    zone = sandbox.aws.route53.put_zone(NAME, tags={"team": "blue"})
    ctx = sandbox.context(ZoneParams(name=NAME, adopt=False))
    await ZONE.adopt(ctx, (await ZONE.observe(ctx)).foreign[0])
    observed = await ZONE.observe(ctx)
    assert observed.state is State.READY and observed.adopted and observed.kept
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.zones() == [NAME] and await ZONE.leftovers(ctx) == []
    tags = await sandbox.aws.call(
        "route53", "us-east-1", "list_tags_for_resources", ResourceType="hostedzone", ResourceIds=[zone]
    )
    assert tags["ResourceTagSets"][0]["Tags"] == [{"Key": "team", "Value": "blue"}]


async def test_a_private_zone_of_the_name_is_no_zone_of_ours(sandbox):
    sandbox.aws.route53.put_zone(NAME, private=True)
    assert (await ZONE.observe(sandbox.context(PARAMS))).state is State.ABSENT


async def test_two_zones_of_the_name_are_named_with_their_ids(sandbox):
    ids = [sandbox.aws.route53.put_zone(NAME) for _ in range(2)]
    ctx = sandbox.context(PARAMS)
    observed = await ZONE.observe(ctx)
    assert observed.state is State.FOREIGN and not observed.ours and all(each in observed.fix for each in ids)
    with pytest.raises(WorkshopError, match="2 public zones"):
        await ZONE.create(ctx)
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.zones() == [NAME, NAME]


async def test_of_two_zones_a_teardown_removes_the_one_that_is_ours(sandbox):
    await made(sandbox)
    theirs = sandbox.aws.route53.put_zone(NAME)
    ctx = sandbox.context(PARAMS)
    observed = await ZONE.observe(ctx)
    assert observed.state is State.BROKEN and observed.ours and "(ours," in observed.detail
    await ZONE.destroy(ctx)
    assert (await ZONE.observe(ctx)).outputs["ZoneId"] == theirs and (await ZONE.observe(ctx)).kept


# Killed anywhere.


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("journal", [True, False], ids=["its journal", "no journal"])
@pytest.mark.parametrize("number", range(1, 6))
async def test_a_creation_killed_at_any_call_is_finished_by_the_next_run_and_makes_one_zone(sandbox, number, after, journal):
    with contextlib.suppress(Killed):
        await ZONE.create(replace(sandbox.context(PARAMS), aws=KillingClient(sandbox.aws, number, after)))
    if not journal:
        sandbox.notes = Notes(sandbox.clock)
    ctx = sandbox.context(PARAMS, run="run-3")
    observed = await ZONE.observe(ctx)
    assert observed.ours and observed.state is not State.FOREIGN and not observed.kept
    await ZONE.create(ctx)
    assert (await ZONE.observe(ctx)).state is State.READY and sandbox.aws.route53.zones() == [NAME]
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.zones() == []


async def test_every_change_of_a_creation_is_among_the_places_that_are_tried(sandbox):
    await made(sandbox)
    assert [c.operation for c in sandbox.aws.calls[1:4]] == [*sandbox.aws.changes(), "get_change"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
async def test_what_a_killed_creation_left_is_removed_by_a_machine_that_knows_nothing(sandbox, number, after):
    with contextlib.suppress(Killed):
        await ZONE.create(replace(sandbox.context(PARAMS), aws=KillingClient(sandbox.aws, number, after)))
    sandbox.notes = Notes(sandbox.clock)
    ctx = sandbox.context(PARAMS, run="run-3")
    assert [left.name for left in await ZONE.tagged(ctx)] == sandbox.aws.route53.zones()
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.zones() == [] and await ZONE.leftovers(ctx) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 14))
async def test_a_teardown_killed_at_any_call_is_finished_by_the_next_one(sandbox, number, after):
    zone = await made(sandbox)
    validation(sandbox, zone)
    ctx = sandbox.context(PARAMS, run="run-3")
    with contextlib.suppress(Killed):
        await ZONE.destroy(replace(ctx, aws=KillingClient(sandbox.aws, number, after)))
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.zones() == [] and await ZONE.leftovers(ctx) == []


async def test_a_response_that_was_lost_makes_no_second_zone(sandbox):
    sandbox.aws.lose_answer("create_hosted_zone")
    zone = await made(sandbox)
    assert sandbox.aws.route53.zones() == [NAME]
    observed = await ZONE.observe(sandbox.context(PARAMS))
    assert observed.outputs["ZoneId"] == zone and observed.state is State.READY


async def test_a_zone_that_lost_its_tags_is_ours_by_its_reference_and_gets_them_again(sandbox):
    zone = await made(sandbox)
    keys = list(OURS)
    await sandbox.aws.call(
        "route53", "us-east-1", "change_tags_for_resource", ResourceType="hostedzone", ResourceId=zone, RemoveTagKeys=keys
    )
    ctx = sandbox.context(PARAMS, run="run-3")
    assert (await ZONE.observe(ctx)).state is State.PARTIAL
    await ZONE.create(ctx)
    assert (await ZONE.observe(ctx)).state is State.READY


async def test_a_zone_of_another_workshop_whose_name_begins_alike_is_not_ours(sandbox):
    sandbox.aws.route53.put_zone(NAME, reference="workshop:films-2:zone:run-1")
    assert (await ZONE.observe(sandbox.context(PARAMS))).kept


# What is in the zone.


async def test_validation_records_go_with_a_zone_of_ours(sandbox):
    zone = await made(sandbox)
    validation(sandbox, zone)
    await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.zones() == []


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"], ids=["of the workshop", "elsewhere"])
async def test_a_validation_record_stays_while_a_certificate_of_any_region_is_renewed_by_it(sandbox, region):
    zone = await made(sandbox)
    validation(sandbox, zone)
    sandbox.aws.remains.certificates[region, "arn:other"] = (f"*.api.{NAME}", VALIDATION)
    sandbox.aws.remains.certificates[region, "arn:one"] = ("example.org", "_x.example.org")
    with pytest.raises(PartlyDoneError, match="cannot be deleted") as caught:
        await ZONE.destroy(sandbox.context(PARAMS))
    assert VALIDATION in caught.value.why and "arn:other" in " ".join(sandbox.notes.lines)
    del sandbox.aws.remains.certificates[region, "arn:other"]
    await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.zones() == []


CLOSED = "User: x is not authorized to perform: acm:ListCertificates with an explicit deny in a service control policy"


@pytest.mark.parametrize("code, message", [("UnrecognizedClientException", ""), ("AccessDeniedException", CLOSED)])
async def test_a_region_that_the_account_may_not_use_has_no_certificate_and_stops_no_teardown(sandbox, code, message):
    zone = await made(sandbox)
    validation(sandbox, zone)
    sandbox.aws.refuse("list_certificates", "us-east-1", refusal(code, message))
    await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.zones() == []


async def test_without_the_permission_to_look_for_certificates_no_validation_record_goes(sandbox):
    zone = await made(sandbox)
    validation(sandbox, zone)
    sandbox.aws.refuse("list_certificates", "us-east-1", refusal("AccessDeniedException", "no identity-based policy allows it"))
    with pytest.raises(WorkshopError, match="AccessDenied"):
        await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.records(zone) == [(VALIDATION, "CNAME")]


async def test_a_response_that_was_lost_while_records_went_is_not_taken_for_a_refusal(sandbox):
    validation(sandbox, await made(sandbox))
    sandbox.aws.lose_answer("change_resource_record_sets")
    await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.zones() == []


async def test_more_records_than_a_batch_takes_go_in_several(sandbox):
    zone = await made(sandbox)
    for number in range(101):
        validation(sandbox, zone, f"_{number:x}.api{number}.{NAME}")
    await ZONE.destroy(sandbox.context(PARAMS))
    sizes = [len(call.parameters["ChangeBatch"]["Changes"]) for call in sandbox.aws.made("change_resource_record_sets")]
    assert sizes == [100, 1] and sandbox.aws.route53.zones() == []


async def test_a_mark_stays_as_long_as_the_records_that_it_marks(sandbox):
    zone = await made(sandbox)
    sandbox.aws.route53.put_record(zone, f"api.{NAME}", "A", "192.0.2.1")
    sandbox.aws.route53.put_record(zone, f"_workshop.api.{NAME}", "TXT", '"workshop=films step=records run=run-1"')
    with pytest.raises(PartlyDoneError, match="cannot be deleted"):
        await ZONE.destroy(sandbox.context(PARAMS))
    assert (f"_workshop.api.{NAME}", "TXT") in sandbox.aws.route53.records(zone)


async def test_records_of_others_keep_the_zone_and_each_is_named(sandbox):
    zone = await made(sandbox)
    sandbox.aws.route53.put_record(zone, f"www.{NAME}", "A", "192.0.2.1")
    sandbox.aws.route53.put_record(zone, f"_workshop.api.{NAME}", "TXT", '"workshop=films step=records run=run-1"')
    sandbox.aws.route53.put_record(zone, f"_workshop.www.{NAME}", "TXT", '"workshop=another"')
    ctx = sandbox.context(PARAMS)
    with pytest.raises(PartlyDoneError) as caught:
        await ZONE.destroy(ctx)
    assert f"A www.{NAME}" in caught.value.why and "2 records" in caught.value.why
    assert sandbox.aws.route53.records(zone) == [(f"_workshop.www.{NAME}", "TXT"), (f"www.{NAME}", "A")]
    (left,) = await ZONE.leftovers(ctx)
    assert left.ours and left.id == zone and f"A www.{NAME}" in left.why and "DELETE" in left.fix


async def test_of_a_zone_of_others_only_validation_records_of_the_workshops_own_names_are_removed(sandbox):
    zone = sandbox.aws.route53.put_zone(NAME)
    validation(sandbox, zone)
    validation(sandbox, zone, f"_77.www.{NAME}")
    sandbox.aws.route53.put_record(zone, f"_workshop.api.{NAME}", "TXT", '"workshop=films step=records run=run-1"')
    ctx = sandbox.context(PARAMS, others={"route53.records": [{"name": f"api.{NAME}"}]})
    assert {left.name for left in await ZONE.leftovers(ctx)} == {f"CNAME {VALIDATION}", f"TXT _workshop.api.{NAME}"}
    await ZONE.destroy(ctx)
    assert sandbox.aws.route53.records(zone) == [(f"_77.www.{NAME}", "CNAME")]
    assert await ZONE.leftovers(ctx) == []


# The parent.


def delegate(sandbox: StepSandbox, *servers: str) -> None:
    """The parent is served by `ns.parent` and hands the name on."""
    sandbox.internet.known[("event.example.com", "NS")] = ["ns.parent"]
    sandbox.internet.parents.add("ns.parent")
    if servers:
        sandbox.internet.delegated[NAME] = servers


async def test_a_zone_that_is_still_delegated_to_is_kept_until_that_is_confirmed(sandbox):
    await made(sandbox)
    delegate(sandbox, *SERVERS[:1])
    with pytest.raises(PartlyDoneError, match="still delegated") as caught:
        await ZONE.destroy(sandbox.context(PARAMS))
    assert "event.example.com" in caught.value.fix and "--yes-dangling" in caught.value.fix
    await ZONE.destroy(sandbox.context(PARAMS, allow_dangling=True))
    assert sandbox.aws.route53.zones() == []


@pytest.mark.parametrize("servers", [(), ("ns-9.elsewhere.net",)], ids=["nowhere", "elsewhere"])
async def test_a_zone_that_is_delegated_to_others_or_nowhere_is_deleted(sandbox, servers):
    await made(sandbox)
    delegate(sandbox, *servers)
    await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.zones() == []


async def test_where_dns_cannot_be_asked_the_zone_is_deleted_with_a_notice(sandbox):
    await made(sandbox)
    sandbox.internet.blocked = {"udp", "tcp", "https"}
    await ZONE.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.route53.zones() == [] and any("is not known" in line for line in sandbox.notes.lines)


async def test_on_the_local_target_no_parent_is_asked(sandbox):
    await made(sandbox)
    delegate(sandbox, *SERVERS)
    await ZONE.destroy(sandbox.context(PARAMS, target=sandbox.target("local")))
    assert sandbox.aws.route53.zones() == [] and sandbox.internet.asked == []


# Refusals.


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("DelegationSetNotAvailable", "no name servers left"),
        ("TooManyHostedZones", "no room"),
        ("InvalidDomainName", "InvalidDomainName"),
    ],
)
async def test_a_refusal_is_explained_and_leaves_no_note_behind(sandbox, code, words):
    sandbox.aws.refuse("create_hosted_zone", "us-east-1", refusal(code, "limit"))
    with pytest.raises(WorkshopError, match=words):
        await made(sandbox)
    assert sandbox.notes.made == {}


async def test_a_name_in_demand_is_answered_with_the_parameter_that_gives_another(sandbox):
    sandbox.aws.refuse("create_hosted_zone", "us-east-1", refusal("DelegationSetNotAvailable"))
    with pytest.raises(WorkshopError) as caught:
        await made(sandbox)
    assert "--param domain=" in caught.value.fix and caught.value.code == "DelegationSetNotAvailable"


async def test_an_outage_keeps_the_note_that_a_zone_may_exist(sandbox):
    sandbox.aws.refuse("create_hosted_zone", "us-east-1", refusal("ServiceUnavailable", status=503))
    with pytest.raises(WorkshopError):
        await made(sandbox)
    assert ("hosted-zone", NAME, "us-west-2") in sandbox.notes.made


async def test_a_definition_without_zones_needs_no_permission_to_look_for_them(sandbox):
    for _ in range(2):
        sandbox.aws.refuse("list_hosted_zones", "us-east-1", refusal("AccessDenied"))
    assert await ZONE.tagged(sandbox.context(PARAMS)) == []
    with pytest.raises(WorkshopError):
        await ZONE.tagged(sandbox.context(PARAMS, others={"route53.zone": [{"name": NAME}]}))


async def test_the_line_to_type_makes_a_zone_that_is_ours(sandbox):
    (line,) = ZONE.commands(sandbox.context(PARAMS))
    words = line.split()
    await sandbox.aws.call(
        "route53", "us-east-1", "create_hosted_zone", Name=NAME, CallerReference=words[words.index("--caller-reference") + 1]
    )
    observed = await ZONE.observe(sandbox.context(PARAMS, run="run-9"))
    assert observed.ours and observed.state is State.PARTIAL


def test_longest_names_fit_into_a_reference():
    from workshop.steps.route53.zone_owner import reference

    sandbox = StepSandbox()
    ctx = replace(sandbox.context(PARAMS), workshop="w" * 40, step="s" * 40, run="20261121-090000-abcd-111122223333")
    assert len(reference(ctx)) <= 128 and reference(ctx).endswith(ctx.run)


@pytest.mark.parametrize("name", ["", "localhost", "a..b.net", "A.net", "-a.net", "a.net.", "a b.net", "a.net/../x"])
def test_a_name_that_is_no_domain_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        ZoneParams(name=name)
