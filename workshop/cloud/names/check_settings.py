"""The settings of a health check: which go together, and what Route 53 fills in.

In: the settings of a request. Out: the complete settings, or `Refused` with the code InvalidInput. Pure
(docs/aws-behaviours.md, section 6.6).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workshop.cloud.names.checkers import CHECKER_REGIONS
from workshop.cloud.names.recordsets import Refused

__all__ = ["RESETTABLE", "check_settings", "completed"]

ENDPOINTS = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
TYPES = (*ENDPOINTS, "CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL")
RESETTABLE = ("FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks")
INSUFFICIENT = ("Healthy", "Unhealthy", "LastKnownStatus")
MOST_CHILDREN, FEWEST_REGIONS = 256, 3


def check_settings(settings: Mapping[str, Any], *, reset: Sequence[str] = ()) -> None:
    """Raises `Refused` for settings that do not go together. `reset` are those that were just reset: a host that was may be
    missing."""
    problem = next(_problems(settings, reset), "")
    if problem:
        raise Refused("InvalidInput", problem)


def completed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with AWS's defaults."""
    kind = settings["Type"]
    defaults: dict[str, Any] = {"Inverted": False, "Disabled": False}
    if kind in ENDPOINTS:
        defaults.update(RequestInterval=30, FailureThreshold=3, MeasureLatency=False, EnableSNI=kind.startswith("HTTPS"))
        if kind != "TCP":
            defaults["Port"] = 443 if kind.startswith("HTTPS") else 80
    elif kind == "CALCULATED":
        defaults["HealthThreshold"] = 0
    return {**defaults, **settings}


def _problems(settings: Mapping[str, Any], reset: Sequence[str]) -> Iterator[str]:
    kind = settings.get("Type", "")
    if kind not in TYPES:
        yield f"Invalid health check type: {kind or 'none'}. Valid values are {', '.join(TYPES)}."
    elif kind in ENDPOINTS:
        yield from _endpoint_problems(kind, settings, reset)
    elif kind == "CALCULATED":
        yield from _calculated_problems(settings)
    elif kind == "CLOUDWATCH_METRIC":
        alarm = settings.get("AlarmIdentifier") or {}
        if not (alarm.get("Name") and alarm.get("Region")):
            yield "AlarmIdentifier is required for health checks of type CLOUDWATCH_METRIC."
        if settings.get("InsufficientDataHealthStatus", INSUFFICIENT[0]) not in INSUFFICIENT:
            yield f"Invalid InsufficientDataHealthStatus. Valid values are {', '.join(INSUFFICIENT)}."
    elif not settings.get("RoutingControlArn"):
        yield "RoutingControlArn is required for health checks of type RECOVERY_CONTROL."


def _endpoint_problems(kind: str, settings: Mapping[str, Any], reset: Sequence[str]) -> Iterator[str]:
    address, host = settings.get("IPAddress"), settings.get("FullyQualifiedDomainName")
    if not address and not host and "FullyQualifiedDomainName" not in reset:
        yield f"IPAddress or FullyQualifiedDomainName is required for health checks of type {kind}."
    if address and not _is_address(address):
        yield f"Invalid IPAddress: {address}"
    if kind == "TCP" and settings.get("Port") is None:
        yield "Port is required for health checks of type TCP."
    if settings.get("RequestInterval", 30) not in (10, 30):
        yield f"Invalid RequestInterval: {settings['RequestInterval']}. Valid values are 10 and 30."
    if not 1 <= settings.get("FailureThreshold", 3) <= 10:
        yield f"Invalid FailureThreshold: {settings['FailureThreshold']}. Valid values are 1 to 10."
    if not 1 <= settings.get("Port", 1) <= 65_535:
        yield f"Invalid Port: {settings['Port']}. Valid values are 1 to 65535."
    if kind.endswith("_STR_MATCH") != bool(settings.get("SearchString")):
        yield "SearchString is required for health checks whose type ends in _STR_MATCH, and allowed for no other."
    yield from _region_problems(settings.get("Regions"))


def _region_problems(regions: Sequence[str] | None) -> Iterator[str]:
    if not regions:
        return
    unknown = [region for region in regions if region not in CHECKER_REGIONS]
    if unknown:
        yield f"Invalid region for health checkers: {unknown[0]}. Valid values are {', '.join(CHECKER_REGIONS)}."
    if len(set(regions)) < FEWEST_REGIONS:
        yield f"Specify at least {FEWEST_REGIONS} regions for health checkers."


def _calculated_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    children = settings.get("ChildHealthChecks") or ()
    if len(children) > MOST_CHILDREN:
        yield f"A calculated health check has at most {MOST_CHILDREN} children."
    if not 0 <= settings.get("HealthThreshold", 0) <= MOST_CHILDREN:
        yield f"Invalid HealthThreshold: {settings['HealthThreshold']}. Valid values are 0 to {MOST_CHILDREN}."


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
