"""Route 53 as the aws room reads and changes it: pages, exact names, tags, batches, the wait until a change is INSYNC."""

from __future__ import annotations

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import StepSandbox
from workshop.aws.resources.route53 import (
    change_and_wait,
    covering_zone,
    create_zone,
    delete_zone,
    find_zone,
    list_zones,
    plain_name,
    record_sets,
    records_at,
    tag_zone,
    untag_zone,
    zone_tags,
    zones_named,
)


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


def a_record(name: str, value: str = "192.0.2.1") -> dict[str, object]:
    return {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}]}


async def test_only_public_zones_of_exactly_the_name_are_found(sandbox):
    cloud = sandbox.aws.route53
    wanted = [cloud.put_zone("a.example.net"), cloud.put_zone("a.example.net")]
    for other in ("example.net", "b.a.example.net", "aa.example.net", "b.example.net"):
        cloud.put_zone(other)
    cloud.put_zone("a.example.net", private=True)
    found = await zones_named(sandbox.aws, "A.Example.net.")
    assert sorted(zone.id for zone in found) == sorted(wanted)
    assert {zone.name for zone in found} == {"a.example.net"}


async def test_zones_are_found_on_every_page(sandbox):
    ids = {sandbox.aws.route53.put_zone(f"z{number:03}.example.net") for number in range(103)}
    assert {zone.id for zone in await list_zones(sandbox.aws)} == ids
    assert len([call for call in sandbox.aws.calls if call.operation == "list_hosted_zones"]) == 2


async def test_a_name_is_in_the_zone_with_the_longest_name(sandbox):
    sandbox.aws.route53.put_zone("example.net")
    nearest = sandbox.aws.route53.put_zone("event.example.net")
    found = await covering_zone(sandbox.aws, "api.a07.event.example.net")
    assert found is not None and found.id == nearest and len(found.servers) == 4
    assert await covering_zone(sandbox.aws, "example.org") is None


async def test_records_are_read_on_every_page_and_by_name_alone(sandbox):
    zone = sandbox.aws.route53.put_zone("example.net")
    changes = [("CREATE", a_record(f"n{number:04}.example.net")) for number in range(305)]
    await change_and_wait(sandbox.aws, zone, changes, reason="records", waiting=lambda *_: None)
    sandbox.aws.route53.put_record(zone, "*.example.net", "A", "192.0.2.2")
    everything = await record_sets(sandbox.aws, zone)
    assert len(everything) == 305 + 3 and "*.example.net" in {record.name for record in everything}
    (found,) = await records_at(sandbox.aws, zone, "n0304.example.net", "A")
    assert found.values == ("192.0.2.1",) and found.ttl == 60
    assert await records_at(sandbox.aws, zone, "n0304.example.net", "TXT") == []
    (wildcard,) = await records_at(sandbox.aws, zone, "*.example.net")
    assert wildcard.values == ("192.0.2.2",)


async def test_a_record_is_deleted_with_the_values_that_were_read(sandbox):
    zone = sandbox.aws.route53.put_zone("example.net")
    sandbox.aws.route53.put_record(zone, "a.example.net", "A", "192.0.2.1", "192.0.2.2", ttl=7)
    (found,) = await records_at(sandbox.aws, zone, "a.example.net")
    await change_and_wait(sandbox.aws, zone, [("DELETE", found.raw)], reason="records", waiting=lambda *_: None)
    assert sandbox.aws.route53.records(zone) == []


async def test_a_change_is_waited_for_until_every_name_server_has_it(sandbox):
    zone = sandbox.aws.route53.put_zone("example.net")
    waits: list[str] = []
    begun = sandbox.clock.monotonic()
    changes = [("CREATE", a_record("a.example.net"))]
    await change_and_wait(
        sandbox.aws, zone, changes, reason="the record to spread", waiting=lambda reason, _: waits.append(reason)
    )
    assert sandbox.clock.monotonic() - begun >= 30 and set(waits) == {"the record to spread"}


async def test_no_changes_make_no_call(sandbox):
    await change_and_wait(sandbox.aws, "Z1", [], reason="nothing", waiting=lambda *_: None)
    assert sandbox.aws.calls == []


async def test_tags_are_written_read_ten_at_a_time_and_removed(sandbox):
    ids = [sandbox.aws.route53.put_zone(f"z{number}.example.net") for number in range(12)]
    await tag_zone(sandbox.aws, ids[11], {"workshop": "films", "other": "x"})
    await untag_zone(sandbox.aws, ids[11], ["other"])
    found = await zone_tags(sandbox.aws, ids)
    assert found[ids[11]] == {"workshop": "films"} and found[ids[0]] == {} and len(found) == 12
    assert [len(call.parameters["ResourceIds"]) for call in sandbox.aws.made("list_tags_for_resources")] == [10, 2]


async def test_a_zone_that_went_away_between_listing_and_tags_hides_no_other(sandbox):
    there = sandbox.aws.route53.put_zone("a.example.net", tags={"workshop": "films"})
    assert await zone_tags(sandbox.aws, ["ZGONE", there]) == {"ZGONE": {}, there: {"workshop": "films"}}


async def test_a_zone_that_is_gone_is_none_and_deleting_it_again_is_fine(sandbox):
    zone, _ = await create_zone(sandbox.aws, "a.example.net", "once", "")
    assert zone.reference == "once" and zone.servers
    await delete_zone(sandbox.aws, zone.id)
    await delete_zone(sandbox.aws, zone.id)
    assert await find_zone(sandbox.aws, zone.id) is None and await record_sets(sandbox.aws, zone.id) == []


async def test_other_refusals_are_not_taken_for_absence(sandbox):
    denied = refusal("AccessDenied")
    sandbox.aws.refuse("get_hosted_zone", "us-east-1", denied)
    with pytest.raises(type(denied)):
        await find_zone(sandbox.aws, "Z1")


@pytest.mark.parametrize(
    ("shown", "plain"),
    [("\\052.Example.NET.", "*.example.net"), ("a.example.net", "a.example.net"), ("\\100.example.net.", "@.example.net")],
)
def test_names_are_compared_as_people_write_them(shown, plain):
    assert plain_name(shown) == plain
