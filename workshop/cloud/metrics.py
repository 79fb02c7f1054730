"""CloudWatch metrics and logs of the cloud itself, in a size that an hour of traffic does not exceed.

In: single values (invocations, throttles, replication lags) and log lines. Out: in CloudWatch, as AWS publishes it, one
statistic set per metric and minute; of each log stream its newest lines.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from workshop.cloud.events import WriteReplicated
from workshop.cloud.patches import patch, patch_around, require_attribute

__all__ = ["Metrics", "limit_log_streams"]

MINUTE = 60
LINES = 2000


class Metrics:
    """Replaces the function by which MiniStack's services publish metrics of their own."""

    def __init__(self, cloudwatch: Any, request_scope: Any) -> None:
        self._bucket, self._key = require_attribute(cloudwatch, "_metric_bucket"), require_attribute(cloudwatch, "_dims_key")
        self._scope = request_scope
        patch(cloudwatch, "record_metric", lambda _: self.record)

    def replicated(self, write: WriteReplicated) -> None:
        """ReplicationLatency: in the region that wrote, by table and receiving region, in milliseconds
        (docs/aws-behaviours.md, section 1.9)."""
        dimensions = {"TableName": write.table, "ReceivingRegion": write.target}
        with self._scope(write.account, write.source):
            self.record("AWS/DynamoDB", "ReplicationLatency", max(0.0, write.lag * 1000), "Milliseconds", dimensions)

    def checked(self, account: str, check: str, metric: str, value: float, unit: str) -> None:
        """A metric of a health check: those of Route 53 are in us-east-1 (docs/aws-behaviours.md, section 6.3)."""
        with self._scope(account, "us-east-1"):
            self.record("AWS/Route53", metric, value, unit, {"HealthCheckId": check})

    def record(
        self, namespace: str, metric_name: str, value: float, unit: str = "None", dimensions: dict[str, str] | None = None
    ) -> None:
        """Add a value to this minute's statistic set, in the account and region of the request."""
        shown = dict(dimensions or {})
        points: list[dict[str, Any]] = self._bucket((namespace, metric_name, self._key(shown)))
        minute = float(int(time.time()) // MINUTE * MINUTE)
        with contextlib.suppress(IndexError):
            last = points[-1]
            if last["Timestamp"] == minute and "_stat" in last:
                stat = last["_stat"]
                stat["SampleCount"] += 1
                stat["Sum"] += value
                stat["Minimum"], stat["Maximum"] = min(stat["Minimum"], value), max(stat["Maximum"], value)
                last["Value"] = stat["Sum"] / stat["SampleCount"]
                return
        stat = {"SampleCount": 1.0, "Sum": float(value), "Minimum": float(value), "Maximum": float(value)}
        points.append({"Timestamp": minute, "Value": float(value), "Unit": unit, "Dimensions": shown, "_stat": stat})


def limit_log_streams(logs: Any) -> None:
    """A log stream keeps its newest thousand lines at least, two thousand at most."""
    lock = require_attribute(logs, "_log_events_lock")

    def append(original: Callable[[Any, Any], None], stream: Any, events: Any) -> None:
        original(stream, events)
        with lock:
            if len(stream["events"]) > LINES:
                del stream["events"][: -LINES // 2]

    patch_around(logs, "_append_log_events", append)
