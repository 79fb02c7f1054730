"""`ReplicationLatency` as CloudWatch has it: what AWS says about the lag that we measure ourselves.

In: a door, a table, the region that writes and the one that receives. Out: figures, or why there are none. The metric is
published in the writing region, by table and receiving region (docs/aws-behaviours.md, section 1.9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from workshop.aws.door import Door
from workshop.aws.errors import AwsError
from workshop.clock import Clock

__all__ = ["Latency", "replication_latency"]

MINUTES = 15


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds over the last quarter of an hour; `samples` 0 and a sentence in `why` when there is nothing."""

    source: str
    region: str
    samples: int
    average: float | None
    least: float | None
    most: float | None
    why: str = ""

    def document(self) -> dict[str, object]:
        return {
            "from": self.source, "to": self.region, "samples": self.samples, "average_ms": self.average, "min_ms": self.least,
            "max_ms": self.most, "why": self.why,
        }  # fmt: skip


async def replication_latency(aws: Door, clock: Clock, table: str, source: str, region: str) -> Latency:
    """The metric for one way; a missing permission or an empty answer is said, not raised."""
    end = clock.now() + timedelta(minutes=1)  # so that the minute that is still running counts
    try:
        answer = await aws.call(
            "cloudwatch", source, "get_metric_statistics", Namespace="AWS/DynamoDB", MetricName="ReplicationLatency",
            Dimensions=[{"Name": "TableName", "Value": table}, {"Name": "ReceivingRegion", "Value": region}],
            StartTime=end - timedelta(minutes=MINUTES + 1), EndTime=end, Period=60,
            Statistics=["Average", "Minimum", "Maximum", "SampleCount"],
        )  # fmt: skip
    except AwsError as error:
        return Latency(source, region, 0, None, None, None, f"CloudWatch does not tell: {error.code}")
    points = answer.get("Datapoints", [])
    samples = sum(point.get("SampleCount", 0.0) for point in points)
    if not samples:
        why = "CloudWatch has no figures of the last minutes yet; they come a few minutes late"
        return Latency(source, region, 0, None, None, None, why)
    average = sum(point["Average"] * point["SampleCount"] for point in points) / samples
    return Latency(
        source, region, int(samples), round(average, 1), round(min(p["Minimum"] for p in points), 1),
        round(max(p["Maximum"] for p in points), 1),
    )  # fmt: skip
