"""Health checks as values, read live from MiniStack's Route 53; and the state of the alarms that some of them follow.

In: the stores of MiniStack's Route 53 and CloudWatch, of every account. Out: frozen configurations with AWS's defaults filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch, route53

from workshop.cloud.patches import require_attribute

__all__ = ["ENDPOINT_TYPES", "INSUFFICIENT", "CheckConfig", "alarm_state", "stored_checks"]

ENDPOINT_TYPES = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"})
"""The types whose checkers send requests."""
INSUFFICIENT = "INSUFFICIENT_DATA"
"""The state of an alarm without enough data."""


@dataclass(frozen=True, slots=True)
class CheckConfig:
    """One health check. `interval` is in seconds as the API shows them; `regions` are the checkers' regions, none for all;
    `alarm` is the region and the name of a CloudWatch alarm."""

    id: str
    account: str
    type: str
    ip: str = ""
    host: str = ""
    port: int = 0
    path: str = "/"
    search: str = ""
    interval: int = 30
    threshold: int = 3
    regions: tuple[str, ...] = ()
    inverted: bool = False
    disabled: bool = False
    sni: bool = True
    measures_latency: bool = False
    children: tuple[str, ...] = ()
    health_threshold: int = 0
    alarm: tuple[str, str] = ("", "")
    insufficient: str = "LastKnownStatus"

    @property
    def has_endpoint(self) -> bool:
        return self.type in ENDPOINT_TYPES


_cache: dict[str, tuple[Any, int, CheckConfig]] = {}
"""By id: the configuration that a check was read from and its version, and the check. A change makes a new one of either."""


def stored_checks() -> Mapping[str, CheckConfig]:
    """Every health check of every account by its id, as the store has them now."""
    stored: dict[tuple[str, str], Any] = require_attribute(route53, "_health_checks").to_dict()
    for gone in _cache.keys() - {check for _, check in stored}:
        _cache.pop(gone, None)
    return {check: _check(account, check, record) for (account, check), record in stored.items()}


def alarm_state(config: CheckConfig) -> str:
    """The state of a check's alarm, evaluated now: OK, ALARM or INSUFFICIENT_DATA, the last one also for one that does not exist.

    MiniStack evaluates an alarm only when metrics are sent by a client; what the cloud's own services record counts as well.
    """
    region, name = config.alarm
    simple = require_attribute(cloudwatch, "_alarms").get_scoped(config.account, region, name)
    if simple:
        with require_attribute(responses, "request_scope")(config.account, region):
            require_attribute(cloudwatch, "_evaluate_alarm")(simple)
    alarm = simple or require_attribute(cloudwatch, "_composite_alarms").get_scoped(config.account, region, name) or {}
    return str(alarm.get("StateValue") or INSUFFICIENT)


def _check(account: str, check: str, stored: Mapping[str, Any]) -> CheckConfig:
    source, version, found = _cache.get(check, (None, 0, None))
    if found is None or source is not stored["config"] or version != stored.get("version"):
        found = _parsed(account, check, stored["config"])
        _cache[check] = (stored["config"], stored.get("version", 0), found)
    return found


def _parsed(account: str, check: str, stored: Mapping[str, Any]) -> CheckConfig:
    kind, alarm = str(stored.get("Type", "")), stored.get("AlarmIdentifier") or {}
    path = stored.get("ResourcePath") or "/"
    return CheckConfig(
        id=check,
        account=account,
        type=kind,
        ip=stored.get("IPAddress") or "",
        host=(stored.get("FullyQualifiedDomainName") or "").lower().removesuffix("."),
        port=int(stored.get("Port") or (443 if kind.startswith("HTTPS") else 80)),
        path=path if path.startswith("/") else f"/{path}",
        search=stored.get("SearchString") or "",
        interval=int(stored.get("RequestInterval") or 30),
        threshold=int(stored.get("FailureThreshold") or 3),
        regions=_names(stored, "Regions"),
        inverted=bool(stored.get("Inverted")),
        disabled=bool(stored.get("Disabled")),
        sni=bool(stored.get("EnableSNI", True)),
        measures_latency=bool(stored.get("MeasureLatency")),
        children=_names(stored, "ChildHealthChecks"),
        health_threshold=int(stored.get("HealthThreshold") or 0),
        alarm=(alarm.get("Region") or "", alarm.get("Name") or ""),
        insufficient=stored.get("InsufficientDataHealthStatus") or "LastKnownStatus",
    )


def _names(stored: Mapping[str, Any], member: str) -> tuple[str, ...]:
    """A list of names, without the empty ones that MiniStack's own parser makes of them."""
    return tuple(name for name in stored.get(member) or () if name)
