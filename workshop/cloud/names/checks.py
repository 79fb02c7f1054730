"""Health checks: which settings go together, what Route 53 fills in, and the checks of every account as values.

In: settings by the API's names; the stores of MiniStack's Route 53 and CloudWatch. Out: complete settings or `Refused`; frozen
configurations; the state of an alarm (docs/aws-behaviours.md, section 6.6).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch, route53

from workshop.cloud.names.wire import Refused
from workshop.cloud.patches import require_attribute
from workshop.cloud.regions import CHECKER_REGIONS

__all__ = ["CheckConfig", "alarm_state", "check_settings", "completed", "stored_checks"]

ENDPOINT_TYPES = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"})
"""The types whose checkers send requests."""
FIELDS = {
    **{"IPAddress": "ip", "FullyQualifiedDomainName": "host", "Port": "port", "ResourcePath": "path", "SearchString": "search"},
    **{"RequestInterval": "interval", "FailureThreshold": "threshold", "Regions": "regions", "Inverted": "inverted"},
    **{"Disabled": "disabled", "EnableSNI": "sni", "MeasureLatency": "measures_latency", "ChildHealthChecks": "children"},
    **{"HealthThreshold": "health_threshold", "InsufficientDataHealthStatus": "insufficient"},
}
"""Settings by the API's names, and here."""


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


def stored_checks() -> Mapping[str, CheckConfig]:
    """Every health check of every account by its id, as the store has them now."""
    found: dict[tuple[str, str], Any] = require_attribute(route53, "_health_checks").to_dict()
    return {check: _config(account, check, record["config"]) for (account, check), record in found.items()}


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
    return str(alarm.get("StateValue") or "INSUFFICIENT_DATA")


def completed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with AWS's defaults."""
    kind = settings["Type"]
    defaults: dict[str, Any] = {"Inverted": False, "Disabled": False}
    if kind in ENDPOINT_TYPES:
        defaults.update(RequestInterval=30, FailureThreshold=3, MeasureLatency=False, EnableSNI=kind.startswith("HTTPS"))
        if kind != "TCP":
            defaults["Port"] = 443 if kind.startswith("HTTPS") else 80
    elif kind == "CALCULATED":
        defaults["HealthThreshold"] = 0
    return {**defaults, **settings}


def check_settings(settings: Mapping[str, Any], reset: Collection[str] = ()) -> None:
    """Raises `Refused` for settings that do not go together; single ones were checked against the model. `reset` are those that
    were just reset: a host that was may be missing."""
    for problem in _problems(settings, settings["Type"], reset):
        raise Refused("InvalidInput", problem)


def _problems(settings: Mapping[str, Any], kind: str, reset: Collection[str]) -> Iterator[str]:
    needed = {"CLOUDWATCH_METRIC": "AlarmIdentifier", "RECOVERY_CONTROL": "RoutingControlArn", "TCP": "Port"}.get(kind)
    if needed and not settings.get(needed):
        yield f"{needed} is required for health checks of type {kind}."
    if kind not in ENDPOINT_TYPES:
        return
    address, host, regions = settings.get("IPAddress"), settings.get("FullyQualifiedDomainName"), settings.get("Regions") or ()
    if not address and not host and "FullyQualifiedDomainName" not in reset:
        yield f"IPAddress or FullyQualifiedDomainName is required for health checks of type {kind}."
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield f"Invalid IPAddress: {address}"
    if settings.get("RequestInterval", 30) not in (10, 30):
        yield f"Invalid RequestInterval: {settings['RequestInterval']}. Valid values are 10 and 30."
    if kind.endswith("_STR_MATCH") != bool(settings.get("SearchString")):
        yield "SearchString is required for health checks whose type ends in _STR_MATCH, and allowed for no other."
    if not set(regions) <= set(CHECKER_REGIONS):
        yield f"Invalid region for health checkers. Valid values are {', '.join(CHECKER_REGIONS)}."
    if regions and len(set(regions)) < 3:
        yield "Specify at least 3 regions for health checkers."


def _config(account: str, check: str, settings: Mapping[str, Any]) -> CheckConfig:
    found = {field: settings[member] for member, field in FIELDS.items() if settings.get(member) not in (None, "")}
    kind, alarm = str(settings.get("Type", "")), settings.get("AlarmIdentifier") or {}
    found.update(
        host=found.get("host", "").lower().removesuffix("."),
        port=found.get("port") or (443 if kind.startswith("HTTPS") else 80),
        path="/" + found.get("path", "").removeprefix("/"),
        regions=tuple(found.get("regions", ())),
        children=tuple(found.get("children", ())),
        alarm=(alarm.get("Region", ""), alarm.get("Name", "")),
    )
    return CheckConfig(check, account, kind, **found)
