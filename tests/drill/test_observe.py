"""The two experiments, in virtual time, with a lag that is known."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.drill.regions import EAST, WEST, Regions
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError
from workshop.drill.metric import replication_latency
from workshop.drill.observe import Lab, Outcome, conflict, replication
from workshop.drill.observe_plot import plot_experiments
from workshop.drill.scene import Place
from workshop.errors import WorkshopError

A, B = (Place(name, "s", ("fn",), "api", "stage", f"http://{name}/") for name in (WEST, EAST))


def lab(regions: Regions) -> Lab:
    return Lab(regions, VirtualClock(), "observe-r1")


async def test_a_stale_read_and_the_lag_are_measured():
    found = await replication(lab(Regions(lag=1.0)), A, B)
    assert found.outcome is Outcome.STALE and found.ok and found.lag is not None
    least, most = found.lag
    assert least <= 1.0 <= most <= least + 0.2
    assert "stale read" in found.words and found.calls[0].region == WEST


async def test_replication_that_is_quicker_than_the_question_is_said():
    assert (await replication(lab(Regions(lag=0.0)), A, B)).outcome is Outcome.AT_ONCE


async def test_the_later_of_two_writes_wins_and_the_other_is_gone():
    found = await conflict(lab(Regions(lag=1.0)), A, B)
    assert (found.outcome, found.winner, found.final) == (Outcome.CONFLICT, EAST, 9)
    assert "acknowledged and is gone" in found.words


async def test_a_second_write_that_knew_of_the_first_collides_with_nothing():
    found = await conflict(lab(Regions(lag=0.0)), A, B)
    assert (found.outcome, found.final) == (Outcome.NO_CONFLICT, 10)


async def test_regions_that_do_not_come_together_are_given_up():
    regions = Regions()
    here = lab(regions)
    await replication(here, A, B)
    regions.hold(WEST)
    found = await replication(here, A, B)
    assert found.outcome is Outcome.NEVER and not found.ok
    with pytest.raises(WorkshopError, match="do not come together"):
        await conflict(here, A, B)


async def test_rounds_follow_each_other_on_one_counter():
    here = lab(Regions())
    finals = [(await replication(here, A, B)).final for _ in range(3)]
    assert finals == [11, 12, 13]


async def test_an_api_that_fails_ends_the_experiment_with_its_answer():
    regions = Regions()
    regions.state[EAST].down = "status 500: boom"
    with pytest.raises(WorkshopError, match="boom"):
        await replication(lab(regions), A, B)


async def test_the_plot_is_xml_with_a_lane_for_each_region():
    here = lab(Regions())
    rounds = [await conflict(here, A, B) for _ in range(2)]
    root = ET.fromstring(plot_experiments("Conflict & more", (WEST, EAST), rounds))
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert WEST in words and EAST in words and "+1 → 11" in words and "Conflict & more" in words


class Metrics:
    """CloudWatch, answering what it is told to."""

    account = "000000000000"

    def __init__(self, *points: dict, error: str = "") -> None:
        self.points, self.error, self.asked = points, error, {}

    async def call(self, service, region, operation, **given):
        self.asked = {"region": region, **given}
        if self.error:
            raise AwsError(self.error, "", service=service, operation=operation, region=region, status=403)
        return {"Datapoints": list(self.points)}


async def test_the_metric_is_read_in_the_writing_region_and_weighted_by_its_samples():
    metrics = Metrics(
        {"Average": 1000.0, "SampleCount": 3.0, "Minimum": 900.0, "Maximum": 1200.0},
        {"Average": 2000.0, "SampleCount": 1.0, "Minimum": 2000.0, "Maximum": 2000.0},
    )
    found = await replication_latency(metrics, VirtualClock(), "t", WEST, EAST)
    assert (found.samples, found.average, found.least, found.most) == (4, 1250.0, 900.0, 2000.0)
    assert metrics.asked["region"] == WEST
    assert metrics.asked["Dimensions"] == [{"Name": "TableName", "Value": "t"}, {"Name": "ReceivingRegion", "Value": EAST}]


@pytest.mark.parametrize(("metrics", "why"), [(Metrics(), "late"), (Metrics(error="AccessDenied"), "AccessDenied")])
async def test_a_metric_that_is_not_there_is_said_and_stops_nothing(metrics, why):
    found = await replication_latency(metrics, VirtualClock(), "t", WEST, EAST)
    assert found.samples == 0 and why in found.why
