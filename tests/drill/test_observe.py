"""The two experiments, in virtual time, with a lag that is known."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.drill.named_regions import NamedRegions, load_through_name
from tests.drill.regions import EAST, WEST, Regions, regional
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError
from workshop.drill.commands import Commands
from workshop.drill.counters import ApiCounter, StoredCounter
from workshop.drill.observe import ExperimentOutcome, ExperimentRunner, conflict, replication, replication_latency
from workshop.drill.plot import plot_experiments
from workshop.errors import WorkshopError

A, B = (regional(Regions(), name) for name in (WEST, EAST))


def runner_on(regions: Regions) -> ExperimentRunner:
    return ExperimentRunner(regions, ApiCounter("observe-r1"), Commands())


async def test_a_stale_read_and_the_lag_are_measured():
    found = await replication(runner_on(Regions(lag=1.0)), A, B)
    assert found.outcome is ExperimentOutcome.STALE
    assert found.ok
    assert found.lag is not None
    least, most = found.lag
    assert least <= 1.0 <= most <= least + 0.2
    assert "stale read" in found.words
    assert found.calls[0].region == WEST


async def test_replication_that_is_quicker_than_the_first_read_is_an_outcome_of_its_own():
    assert (await replication(runner_on(Regions(lag=0.0)), A, B)).outcome is ExperimentOutcome.AT_ONCE


async def test_the_later_of_two_writes_wins_and_the_other_is_gone():
    found = await conflict(runner_on(Regions(lag=1.0)), A, B)
    assert (found.outcome, found.winner, found.final) == (ExperimentOutcome.CONFLICT, EAST, 9)
    assert "acknowledged and is gone" in found.words


async def test_a_second_write_on_top_of_the_first_collides_with_nothing():
    found = await conflict(runner_on(Regions(lag=0.0)), A, B)
    assert (found.outcome, found.final) == (ExperimentOutcome.NO_CONFLICT, 10)


async def test_regions_that_do_not_agree_in_time_are_given_up():
    regions = Regions()
    runner = runner_on(regions)
    await replication(runner, A, B)
    regions.table.pause(WEST)
    found = await replication(runner, A, B)
    assert found.outcome is ExperimentOutcome.NEVER
    assert not found.ok
    with pytest.raises(WorkshopError, match="do not agree"):
        await conflict(runner, A, B)


async def test_rounds_follow_each_other_on_one_counter():
    runner = runner_on(Regions())
    finals = [(await replication(runner, A, B)).final for _ in range(3)]
    assert finals == [11, 12, 13]


async def test_an_api_that_fails_ends_the_experiment_with_its_response():
    regions = Regions()
    regions.state[EAST].down = "status 500: boom"
    with pytest.raises(WorkshopError, match="boom"):
        await replication(runner_on(regions), A, B)


async def test_the_plot_is_xml_with_a_lane_for_each_region():
    runner = runner_on(Regions())
    rounds = [await conflict(runner, A, B) for _ in range(2)]
    root = ET.fromstring(plot_experiments("Conflict & more", (WEST, EAST), rounds))
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {WEST, EAST, "+1 → 11", "Conflict & more"} <= set(words)


def stored_runner_on(regions: NamedRegions) -> ExperimentRunner:
    return ExperimentRunner(regions, StoredCounter(load_through_name("observe-r1")), Commands())


async def test_a_workshop_without_a_counter_counts_in_an_item_of_its_load():
    found = await replication(stored_runner_on(NamedRegions(lag=1.0)), A, B)
    assert (found.outcome, found.final) == (ExperimentOutcome.STALE, 11)
    assert found.lag is not None
    assert found.lag[0] <= 1.0 <= found.lag[1]


@pytest.mark.parametrize(("lag", "outcome", "final"), [(1.0, "conflict", 9), (0.0, "no-conflict", 10)])
async def test_what_a_client_reads_changes_and_writes_back_is_lost_to_the_later_writer(lag, outcome, final):
    regions = NamedRegions(lag=lag)
    found = await conflict(stored_runner_on(regions), A, B)
    assert (found.outcome, found.final) == (outcome, final)
    assert regions.items(WEST) == ["drill-observe-r1-1"]


class Metrics:
    """CloudWatch with fixed data points, or an error."""

    account = "000000000000"

    def __init__(self, *points: dict, error: str = "") -> None:
        self.points, self.error, self.given = points, error, {}

    async def call(self, service, region, operation, **given):
        self.given = {"region": region, **given}
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
    assert metrics.given["region"] == WEST
    assert metrics.given["Dimensions"] == [{"Name": "TableName", "Value": "t"}, {"Name": "ReceivingRegion", "Value": EAST}]


@pytest.mark.parametrize(("metrics", "why"), [(Metrics(), "late"), (Metrics(error="AccessDenied"), "AccessDenied")])
async def test_a_metric_that_is_missing_has_a_reason_and_stops_nothing(metrics, why):
    found = await replication_latency(metrics, VirtualClock(), "t", WEST, EAST)
    assert found.samples == 0
    assert why in found.why
