"""What health checks publish to CloudWatch (docs/aws-behaviours.md, section 6.3).

In: the times of single requests, and once in a while the health of each check. Out: metrics of the namespace AWS/Route53, in
us-east-1, by HealthCheckId.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.probing import ProbeResult

__all__ = ["CheckMetrics", "Sink"]

Sink = Callable[[str, str, str, float, str], None]
"""Account, health check, metric, value, unit."""
MOST_TIMES = 200
"""Requests of one check between two publications whose times are kept."""


class CheckMetrics:
    """Gathers the times of requests until the next publication. `sink` hands single values to CloudWatch."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._times: dict[str, list[ProbeResult]] = defaultdict(list)

    def took(self, config: CheckConfig, result: ProbeResult) -> None:
        """Note how long a request took, where the check measures that."""
        if (config.measures_latency or config.type == "TCP") and len(self._times[config.id]) < MOST_TIMES:
            self._times[config.id].append(result)

    def publish(self, config: CheckConfig, healthy: bool, percentage: float) -> None:
        """HealthCheckStatus and HealthCheckPercentageHealthy, the number of healthy children for a calculated check (`percentage`
        is that number then), and the times since the last publication in milliseconds."""
        self._value(config, "HealthCheckStatus", float(healthy), "None")
        if config.has_endpoint:
            self._value(config, "HealthCheckPercentageHealthy", percentage, "Percent")
        elif config.type == "CALCULATED":
            self._value(config, "ChildHealthCheckHealthyCount", percentage, "None")
        for result in self._times.pop(config.id, []):
            for metric, seconds in (("ConnectionTime", result.connection), ("TimeToFirstByte", result.first_byte)):
                if seconds is not None:
                    self._value(config, metric, seconds * 1000, "Milliseconds")

    def _value(self, config: CheckConfig, metric: str, value: float, unit: str) -> None:
        self._sink(config.account, config.id, metric, value, unit)
