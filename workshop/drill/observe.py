"""The two experiments with a global table: how late the other region is, and which write wins when both write at once.

In: two regions' APIs, a key of the run's own. Out: every call with its time, and what it means in a sentence; CloudWatch's own
figures of the lag. The harness page of the workshop does the same by hand; the experiments use nothing but the public API.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.drill.api_client import ApiClient
from workshop.drill.commands import Commands
from workshop.drill.counters import Counter
from workshop.drill.deployment import RegionDeployment
from workshop.drill.failover_load import not_found_is_fine
from workshop.drill.load_requests import ApiCall
from workshop.drill.tokens import MachineTokens, send
from workshop.durations import format_duration
from workshop.errors import WorkshopError
from workshop.waiting import Clock, monotonic

__all__ = [
    "EXPERIMENTS",
    "CounterCall",
    "Experiment",
    "ExperimentOutcome",
    "ExperimentRunner",
    "ReplicationLatency",
    "conflict",
    "lags",
    "replication",
    "replication_latency",
]

FIRST_VALUE = 10
"""What the counter is set to when it does not exist."""
POLL_SECONDS = 0.05
"""Between two reads."""
AGREE_SECONDS = 60.0
"""Until the regions have to agree before an experiment."""
GIVE_UP_SECONDS = 60.0
"""Until replication of the experiment's own write is given up."""
CALL_SECONDS = 10.0
"""The deadline of one call."""
METRIC_MINUTES = 15
"""The period for which CloudWatch is queried."""


class ExperimentOutcome(enum.StrEnum):
    """The result of an experiment."""

    STALE = "stale"
    """The other region returned the old value first, then the new one."""
    AT_ONCE = "at-once"
    """Replication was quicker than the first read."""
    CONFLICT = "conflict"
    """Both wrote before replication; one write won, the other is gone."""
    NO_CONFLICT = "no-conflict"
    """The second write was made on top of the first."""
    NEVER = "never"
    """The regions did not agree in time."""


@dataclass(frozen=True, slots=True)
class CounterCall:
    """One call; times in seconds since the experiment began. `by` is what a write added, None for a read."""

    region: str
    by: int | None
    sent: float
    answered: float
    value: int | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """One round: `lag` is (at least, at most) seconds; `winner` the region whose write survives a conflict."""

    outcome: ExperimentOutcome
    words: str
    calls: tuple[CounterCall, ...]
    lag: tuple[float, float] | None = None
    winner: str = ""
    final: int | None = None

    @property
    def ok(self) -> bool:
        return self.outcome is not ExperimentOutcome.NEVER


@dataclass(frozen=True, slots=True)
class ReplicationLatency:
    """Milliseconds over the last quarter of an hour; when there are none, `samples` is 0 and `why` a sentence."""

    source: str
    region: str
    samples: int = 0
    average: float | None = None
    least: float | None = None
    most: float | None = None
    why: str = ""

    def document(self) -> dict[str, object]:
        """The metric as JSON has it."""
        return {
            "from": self.source,
            "to": self.region,
            "samples": self.samples,
            "average_ms": self.average,
            "min_ms": self.least,
            "max_ms": self.most,
            "why": self.why,
        }


class ExperimentRunner:
    """Calls the two APIs and keeps every call."""

    def __init__(self, client: ApiClient, counter: Counter, commands: Commands, tokens: MachineTokens | None = None) -> None:
        self.calls: list[CounterCall] = []
        self.commands = commands
        self._client, self._counter, self._tokens = client, counter, tokens
        self._origin = monotonic()

    def now(self) -> float:
        """Seconds since the runner was made."""
        return monotonic() - self._origin

    async def read(self, regional: RegionDeployment) -> CounterCall:
        """The counter in a region; None where it does not exist yet."""
        return self._keep(await self._call(regional, None, self._counter.read(regional.region)))

    async def add(self, regional: RegionDeployment, by: int) -> CounterCall:
        """Add to the counter in a region."""
        before = None
        if self._counter.reads_first:
            before = (await self._call(regional, None, self._counter.read(regional.region))).value
        return self._keep(await self._call(regional, by, self._counter.change(regional.region, by, before)))

    async def pause(self) -> None:
        """Wait before the next read."""
        await asyncio.sleep(POLL_SECONDS)

    async def agreement(self, a: RegionDeployment, b: RegionDeployment, seconds: float) -> tuple[CounterCall, CounterCall] | None:
        """Read in both until they return the same number; None when they did not in time."""
        end = self.now() + seconds
        while True:
            one, two = await self.read(a), await self.read(b)
            if one.value is not None and one.value == two.value:
                return one, two
            if self.now() > end:
                return None
            await self.pause()

    def _keep(self, call: CounterCall) -> CounterCall:
        self.calls.append(call)
        return call

    async def _call(self, regional: RegionDeployment, by: int | None, call: ApiCall) -> CounterCall:
        sent = self.now()
        response = await send(self._client, self._tokens, regional.url, call, CALL_SECONDS)
        if by is None:
            response = not_found_is_fine(response)
        if not response.ok:
            raise WorkshopError(
                what=f"The API in {regional.region} responds to {call.method} /{call.path} with: {response.why}.",
                why="The experiment stopped there.",
                fix=f"See what is deployed: {self.commands.status}",
                code="ObserveFailed",
            )
        number = self._counter.number(response.body, changed=by is not None)
        return CounterCall(regional.region, by, sent, self.now(), number)


async def replication(runner: ExperimentRunner, a: RegionDeployment, b: RegionDeployment) -> Experiment:
    """Write in `a`, read in `b` until it returns the new value."""
    await _begin(runner, a, b)
    start = len(runner.calls)
    write = await runner.add(a, 1)
    wrote = f"{a.region} wrote {write.value}"
    reads: list[CounterCall] = []
    while True:
        reads.append(await runner.read(b))
        if reads[-1].value == write.value:
            break
        if runner.now() - write.answered > GIVE_UP_SECONDS:
            later = format_duration(GIVE_UP_SECONDS)
            words = f"{wrote}; {later} later {b.region} still returns {reads[-1].value}."
            return Experiment(ExperimentOutcome.NEVER, words, tuple(runner.calls[start:]))
        await runner.pause()
    calls = tuple(runner.calls[start:])
    most = reads[-1].answered - write.answered
    if len(reads) == 1:
        words = f"{wrote}, and {b.region} returned it at the first read, {format_duration(most)} later."
        return Experiment(ExperimentOutcome.AT_ONCE, words, calls, (0.0, most), final=write.value)
    least = max(0.0, reads[-2].sent - write.answered)
    words = (
        f"{wrote}. {format_duration(reads[0].answered - write.answered)} later {b.region} still returned"
        f" {reads[0].value}: a stale read. It returned {write.value} {format_duration(most)} after the write."
    )
    return Experiment(ExperimentOutcome.STALE, words, calls, (least, most), final=write.value)


async def conflict(runner: ExperimentRunner, a: RegionDeployment, b: RegionDeployment) -> Experiment:
    """Add one in `a` and subtract one in `b` before replication; read in both until they agree."""
    before = await _begin(runner, a, b)
    start = len(runner.calls)
    plus = await runner.add(a, 1)
    minus = await runner.add(b, -1)
    end = await runner.agreement(a, b, GIVE_UP_SECONDS)
    calls = tuple(runner.calls[start:])
    if end is None:
        words = f"{a.region} and {b.region} did not agree within {format_duration(GIVE_UP_SECONDS)}."
        return Experiment(ExperimentOutcome.NEVER, words, calls)
    final = end[0].value
    lag = (0.0, max(end[0].answered, end[1].answered) - minus.answered)
    later = format_duration(minus.answered - plus.answered)
    story = f"{a.region} counted {before} up to {plus.value} and acknowledged it; {later} later {b.region}"
    if minus.value != before - 1:
        words = f"{story} had received it already and counted down to {minus.value}: nothing collided."
        return Experiment(ExperimentOutcome.NO_CONFLICT, words, calls, lag, final=final)
    winner, loser = (b, a) if final == minus.value else (a, b)
    words = (
        f"{story}, which had not received it, counted {before} down to {minus.value}. Both return {final} now:"
        f" {winner.region} wrote last, and the last writer wins. The write of {loser.region} was acknowledged and is gone."
    )
    return Experiment(ExperimentOutcome.CONFLICT, words, calls, lag, winner.region, final)


EXPERIMENTS = {"replication": replication, "conflict": conflict}
"""The experiments by the name of their command."""


def lags(rounds: Sequence[Experiment]) -> list[float]:
    """The longest possible lag of each round that measured one, in seconds."""
    return [each.lag[1] for each in rounds if each.lag is not None]


async def replication_latency(aws: AwsClient, clock: Clock, table: str, source: str, region: str) -> ReplicationLatency:
    """CloudWatch's `ReplicationLatency` in one direction; a missing permission or metric is a reason, not an error.

    The metric is published in the writing region, by table and receiving region (docs/aws-behaviours.md, section 1.9).
    """
    end = clock.now() + timedelta(minutes=1)  # so that the current minute counts
    try:
        response = await aws.call(
            "cloudwatch",
            source,
            "get_metric_statistics",
            Namespace="AWS/DynamoDB",
            MetricName="ReplicationLatency",
            Dimensions=[{"Name": "TableName", "Value": table}, {"Name": "ReceivingRegion", "Value": region}],
            StartTime=end - timedelta(minutes=METRIC_MINUTES + 1),
            EndTime=end,
            Period=60,
            Statistics=["Average", "Minimum", "Maximum", "SampleCount"],
        )
    except AwsError as error:
        return ReplicationLatency(source, region, why=f"CloudWatch cannot be read: {error.code}")
    return _latency(source, region, response.get("Datapoints", []))


def _latency(source: str, region: str, points: Sequence[Mapping[str, float]]) -> ReplicationLatency:
    samples = sum(point.get("SampleCount", 0.0) for point in points)
    if not samples:
        why = "CloudWatch has no figures of the last minutes yet; they come a few minutes late"
        return ReplicationLatency(source, region, why=why)
    return ReplicationLatency(
        source,
        region,
        samples=int(samples),
        average=round(sum(point["Average"] * point["SampleCount"] for point in points) / samples, 1),
        least=round(min(point["Minimum"] for point in points), 1),
        most=round(max(point["Maximum"] for point in points), 1),
    )


async def _begin(runner: ExperimentRunner, a: RegionDeployment, b: RegionDeployment) -> int:
    """The number on which both regions agree; the counter is made when it does not exist."""
    if not runner.calls:
        await runner.add(a, FIRST_VALUE)
    agreed = await runner.agreement(a, b, AGREE_SECONDS)
    if agreed is None or agreed[0].value is None:
        raise WorkshopError(
            what=f"{a.region} and {b.region} do not agree.",
            why=f"They have returned different numbers for {format_duration(AGREE_SECONDS)}.",
            fix=f"Is replication paused? workshop cloud fault list, or: {runner.commands.status}",
            code="NotLevel",
        )
    return agreed[0].value
