"""What DNS answers, measured in virtual time: the shares of many questions, and the one answer that a resolver keeps."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.unit.fakes.context import StepSandbox
from tests.unit.fakes.route53 import close_route53
from workshop.drill.answers import measure_answers
from workshop.drill.answers_plot import plot_answers
from workshop.errors import WorkshopError

ZONE, NAME, WEST, EAST = "event.example.com", "api.event.example.com", "us-west-2", "eu-west-1"


@pytest.fixture
def sandbox():
    yield StepSandbox()
    close_route53()


def route(sandbox: StepSandbox, weights: dict[str, int], ttl: int = 60) -> None:
    zone = sandbox.aws.route53.put_zone(ZONE)
    for region, weight in weights.items():
        more = {"SetIdentifier": f"films:{region}", "Weight": weight}
        sandbox.aws.route53.put_record(zone, NAME, "CNAME", f"a1.execute-api.{region}.localhost", ttl=ttl, **more)


async def measured(sandbox: StepSandbox, **more):
    notes: list[str] = []
    options = {"queries": 300, "source": "", **more}
    return await measure_answers(sandbox.aws, sandbox.target(), NAME, notice=notes.append, **options), notes


async def test_shares_are_right_while_one_resolver_keeps_each_answer_for_its_ttl(sandbox):
    route(sandbox, {WEST: 1, EAST: 1})
    found, notes = await measured(sandbox)
    assert found.ok and found.sample.queries == sum(found.sample.answers.values()) == 300
    assert [(round(each.at), each.ttl) for each in found.cached] == [(0, 60), (60, 60), (120, 60)]
    assert sandbox.clock.monotonic() == pytest.approx(120, abs=1)
    assert any("for 180 s: it keeps each answer for its TTL of 60 s" in note for note in notes)


async def test_a_ttl_too_long_to_wait_for_is_shown_once(sandbox):
    route(sandbox, {WEST: 1, EAST: 1}, ttl=3_600)
    found, _ = await measured(sandbox)
    assert [each.ttl for each in found.cached] == [3_600] and sandbox.clock.monotonic() == 0


async def test_the_askers_network_is_sent_with_every_question(sandbox):
    zone = sandbox.aws.route53.put_zone(ZONE)
    for region in ("ap-southeast-1", WEST):
        more = {"SetIdentifier": f"films:{region}", "Region": region}
        sandbox.aws.route53.put_record(zone, NAME, "CNAME", f"a1.execute-api.{region}.localhost", **more)
    found, _ = await measured(sandbox, source="198.51.100.0/24", queries=20)
    assert found.ok and found.sample.answers == {"ap-southeast-1": 20} and found.expected.shares == {}


async def test_the_plot_shows_every_region_and_what_was_kept(sandbox):
    route(sandbox, {WEST: 3, EAST: 1})
    found, _ = await measured(sandbox)
    svg = ET.fromstring(plot_answers("Answers <for> films", found))
    words = [element.text or "" for element in svg.iter() if element.tag.endswith("text")]
    assert {WEST, EAST, "one resolver", "Answers <for> films"} <= set(words)
    assert [word for word in words if word.endswith(" s")] == ["0 to 60 s", "60 to 120 s", "120 to 180 s"]


@pytest.mark.parametrize("code", ["NoZone", "NoRecord"])
async def test_a_name_that_is_not_there_is_told_from_one_that_is_answered_wrong(sandbox, code):
    if code == "NoRecord":
        sandbox.aws.route53.put_zone(ZONE)
    with pytest.raises(WorkshopError) as caught:
        await measured(sandbox)
    assert caught.value.code == code
