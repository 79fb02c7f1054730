"""A hosted zone through the real client, as moto's Route 53 sees it."""

from __future__ import annotations

import pytest

from workshop.aws.dns import Dns
from workshop.aws.resources.route53 import change_and_wait, covering_zone, record_sets, records_at, zone_tags
from workshop.aws.target import Target
from workshop.errors import PartlyDoneError
from workshop.steps.base import State
from workshop.steps.route53.zone import Route53Zone, ZoneParams

NAME = "a07.event.example.com"
ZONE, PARAMS = Route53Zone(), ZoneParams(name=NAME)


@pytest.fixture
def ctx(moto, tmp_path):
    """On the local target, so that no name server is asked."""
    return moto.context(PARAMS, target=Target("local", tmp_path, dns=Dns(https=())))


async def test_a_zone_is_made_tagged_found_again_and_removed(moto, ctx):
    assert (await ZONE.observe(ctx)).state is State.ABSENT
    outputs = await ZONE.create(ctx)
    observed = await ZONE.observe(ctx)
    assert observed.state is State.READY and observed.outputs == outputs and len(outputs["NameServers"].split(",")) == 4
    assert (await zone_tags(moto.aws, [outputs["ZoneId"]]))[outputs["ZoneId"]]["workshop"] == "films"
    assert (await covering_zone(moto.aws, f"api.{NAME}")).id == outputs["ZoneId"]
    await ZONE.destroy(ctx)
    assert (await ZONE.observe(ctx)).state is State.ABSENT and await ZONE.leftovers(ctx) == []


async def test_records_are_read_deleted_and_keep_a_zone(moto, ctx):
    zone = (await ZONE.create(ctx))["ZoneId"]
    record = {"Name": f"www.{NAME}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    await change_and_wait(moto.aws, zone, [("CREATE", record)], reason="a record", waiting=lambda *_: None)
    with pytest.raises(PartlyDoneError, match="cannot be deleted"):
        await ZONE.destroy(ctx)
    (found,) = await records_at(moto.aws, zone, f"www.{NAME}", "A")
    await change_and_wait(moto.aws, zone, [("DELETE", found.raw)], reason="a record", waiting=lambda *_: None)
    assert {record.type for record in await record_sets(moto.aws, zone)} == {"NS", "SOA"}
    await ZONE.destroy(ctx)
    assert (await ZONE.observe(ctx)).state is State.ABSENT


async def test_a_zone_of_another_hand_is_used_and_kept(moto, ctx):
    await moto.ask("route53", "create_hosted_zone", "us-east-1", Name=NAME, CallerReference="theirs")
    assert (await ZONE.observe(ctx)).kept
    await ZONE.destroy(ctx)
    assert (await ZONE.observe(ctx)).state is State.READY
