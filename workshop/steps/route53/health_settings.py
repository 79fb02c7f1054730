"""The settings of a `route53.health` step, and how they compare with a health check that exists.

In: what the author wrote; a health check as Route 53 has it. Out: the settings in botocore's form, which of them differ, and
whether Route 53 can change them. Pure (docs/aws-behaviours.md, sections 6.3 and 6.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workshop.aws.resources.health_checks import CHECKER_REGIONS, HealthCheck
from workshop.steps.context import Params

__all__ = ["Differences", "HealthParams", "differences", "fixed_settings", "wanted_config"]

FIXED = ("Type", "RequestInterval", "MeasureLatency")
"""What Route 53 never changes: another value takes another check."""
FEWEST_REGIONS = 3
DEFAULTS: Mapping[str, Any] = {"Inverted": False, "Disabled": False, "MeasureLatency": False, "EnableSNI": False}
CheckerRegion = Literal[
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"
]


class HealthParams(Params):
    """`host` and `path` are what the checkers ask for; `search` has to be in the first 5,120 bytes of the response.

    `interval` is in seconds between two requests of one checker; `threshold` are the equal results after which a checker changes
    its opinion. `regions` are those of the checkers: all, or at least three.
    """

    host: Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9._-]*$")]
    path: Annotated[str, Field(max_length=255, pattern=r"^(?:/.*)?$")] = "/"
    port: Annotated[int, Field(ge=1, le=65_535)] = 443
    type: Literal["HTTPS", "HTTP", "TCP"] = "HTTPS"
    interval: Literal[10, 30] = 30
    threshold: Annotated[int, Field(ge=1, le=10)] = 3
    search: Annotated[str, Field(max_length=255)] = ""
    regions: tuple[CheckerRegion, ...] = ()
    inverted: bool = False
    measure_latency: bool = False

    @model_validator(mode="before")
    @classmethod
    def _number(cls, values: Any) -> Any:
        """Templates render texts, and a literal takes the number alone."""
        if isinstance(values, Mapping) and values.get("interval") in ("10", "30"):
            return {**values, "interval": int(values["interval"])}
        return values

    @model_validator(mode="after")
    def _fitting(self) -> HealthParams:
        if self.regions and len(set(self.regions)) < FEWEST_REGIONS:
            raise ValueError(f"name at least {FEWEST_REGIONS} regions of checkers, or none for all")
        if self.type == "TCP" and (self.search or self.path not in ("", "/")):
            raise ValueError("a check of the type TCP only connects: it has no path and searches nothing")
        return self


@dataclass(frozen=True, slots=True)
class Differences:
    """What another check is needed for, and what can be changed: members with the wanted values, and members to reset."""

    fixed: tuple[str, ...]
    changes: Mapping[str, Any]
    reset: tuple[str, ...]

    @property
    def none(self) -> bool:
        return not (self.fixed or self.changes or self.reset)


def wanted_config(params: HealthParams) -> dict[str, Any]:
    """The settings as CreateHealthCheck takes them."""
    kind = f"{params.type}_STR_MATCH" if params.search else params.type
    config: dict[str, Any] = {
        "Type": kind,
        "FullyQualifiedDomainName": params.host.rstrip(".").lower(),
        "Port": params.port,
        "RequestInterval": params.interval,
        "FailureThreshold": params.threshold,
        "MeasureLatency": params.measure_latency,
        "Inverted": params.inverted,
        "Disabled": False,
    }
    if params.type != "TCP":
        config["ResourcePath"] = params.path or "/"
    if params.type == "HTTPS":
        config["EnableSNI"] = True
    if params.search:
        config["SearchString"] = params.search
    if params.regions:
        config["Regions"] = sorted(set(params.regions))
    return config


def fixed_settings(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What cannot change of a check: two checks with equal ones may become each other by an update."""
    return tuple(config.get(member, DEFAULTS.get(member)) for member in FIXED)


def differences(wanted: Mapping[str, Any], check: HealthCheck) -> Differences:
    """How a check differs from the wanted settings."""
    fixed = tuple(member for member in FIXED if _value(wanted, member) != _value(check.config, member))
    changes = {
        member: value
        for member, value in wanted.items()
        if member not in FIXED and _value(wanted, member) != _value(check.config, member)
    }
    # All regions is how a check without the member reads; AWS may list all eight of them.
    reset = ("Regions",) if "Regions" not in wanted and _value(check.config, "Regions") != _value(wanted, "Regions") else ()
    return Differences(fixed, changes, reset)


def _value(config: Mapping[str, Any], member: str) -> Any:
    """A setting so that two spellings of one value are equal."""
    value = config.get(member, DEFAULTS.get(member))
    if member == "Regions":
        return sorted(value or CHECKER_REGIONS)
    if member == "FullyQualifiedDomainName":
        return str(value or "").rstrip(".").lower()
    return value
