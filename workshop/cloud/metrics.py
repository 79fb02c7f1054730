"""What the cloud measures and logs of itself, in a size that an hour of traffic does not break.

What comes in: single values (invocations, throttles, replication lags) and log lines. What goes out: in CloudWatch, as AWS
publishes it, one statistic set per metric and minute; of each log stream its newest lines.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from workshop.cloud.patches import point, replace_point

__all__ = ["Metrics", "keep_logs_short"]

MINUTE = 60
LINES = 2000


class Metrics:
    """Replaces the function by which MiniStack's services publish metrics of their own."""

    def __init__(self, cloudwatch: Any, request_scope: Any) -> None:
        self._bucket, self._key = point(cloudwatch, "_metric_bucket"), point(cloudwatch, "_dims_key")
        self._scope = request_scope
        replace_point(cloudwatch, "record_metric", lambda _: self.record)

    def lag(self, account: str, source: str, target: str, table: str, seconds: float) -> None:
        """ReplicationLatency: in the region that wrote, by table and receiving region, in milliseconds
        (docs/aws-behaviours.md, section 1.9)."""
        dimensions = {"TableName": table, "ReceivingRegion": target}
        with self._scope(account, source):
            self.record("AWS/DynamoDB", "ReplicationLatency", max(0.0, seconds * 1000), "Milliseconds", dimensions)

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


def keep_logs_short(logs: Any) -> None:
    """A log stream keeps its newest thousand lines at least, two thousand at most."""
    lock = point(logs, "_log_events_lock")

    def wrap(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def append(stream: Any, events: Any) -> None:
            original(stream, events)
            with lock:
                if len(stream["events"]) > LINES:
                    del stream["events"][: -LINES // 2]

        return append

    replace_point(logs, "_append_log_events", wrap)
