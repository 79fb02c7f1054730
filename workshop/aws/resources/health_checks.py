"""Health checks of Route 53: listed page by page, created, changed, deleted, and what their checkers see.

In: an `AwsClient`, settings in botocore's form. Out: frozen values. Health checks are global; their API is called in us-east-1,
and their tags are read and written by `workshop.aws.resources.route53` (docs/aws-behaviours.md, section 6.6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workshop.aws.client import AwsClient, AwsResponse
from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import CONTROL_REGION

__all__ = [
    "CHECKER_REGIONS",
    "HEALTHY_SHARE",
    "MOST_REFERENCE",
    "CheckerReport",
    "HealthCheck",
    "create_health_check",
    "delete_health_check",
    "find_health_check",
    "list_health_checks",
    "observations",
    "update_health_check",
]

CHECKER_REGIONS = (
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)
"""Where the checkers are (section 6.3)."""
MOST_REFERENCE = 64
"""The longest CallerReference, in characters (section 6.6)."""
HEALTHY = "Success"
HEALTHY_SHARE = 0.18
"""A check is healthy while more than this share of its checkers report so (section 6.3)."""


@dataclass(frozen=True)
class HealthCheck:
    """One health check. `reference` is the CallerReference with which it was created, which never changes; `config` is in
    botocore's form; `managed` is true of checks that another service of AWS made."""

    id: str
    reference: str
    version: int
    config: Mapping[str, Any]
    managed: bool = False

    @property
    def host(self) -> str:
        """What it asks: the name in small letters without a dot at the end, else the address."""
        return str(self.config.get("FullyQualifiedDomainName") or self.config.get("IPAddress") or "").rstrip(".").lower()


@dataclass(frozen=True, slots=True)
class CheckerReport:
    """What one checker saw last; `status` is AWS's text, `healthy` what it means for this checker."""

    region: str
    address: str
    status: str

    @property
    def healthy(self) -> bool:
        return self.status.startswith(HEALTHY)


async def list_health_checks(aws: AwsClient) -> list[HealthCheck]:
    """All health checks of the account."""
    found: list[HealthCheck] = []
    page: dict[str, str] = {}
    while True:
        response = await _call(aws, "list_health_checks", **page)
        found += [_check(each) for each in response.get("HealthChecks", [])]
        if not response.get("IsTruncated"):
            return found
        page = {"Marker": response["NextMarker"]}


async def find_health_check(aws: AwsClient, check: str) -> HealthCheck | None:
    """The health check with this id; None when it does not exist."""
    try:
        response = await _call(aws, "get_health_check", HealthCheckId=check)
    except AwsError as error:
        if error.code == "NoSuchHealthCheck":
            return None
        raise
    return _check(response["HealthCheck"])


async def create_health_check(aws: AwsClient, reference: str, config: Mapping[str, Any]) -> HealthCheck:
    """A new health check, or the one that was created with the same reference and settings.

    Raises `AwsError`: HealthCheckAlreadyExists when the reference was used with other settings or by a check that is deleted.
    """
    response = await _call(aws, "create_health_check", CallerReference=reference, HealthCheckConfig=dict(config))
    return _check(response["HealthCheck"])


async def update_health_check(
    aws: AwsClient, check: HealthCheck, changes: Mapping[str, Any], reset: Collection[str] = ()
) -> HealthCheck:
    """Change settings, and reset those in `reset` to nothing. Raises `AwsError`: HealthCheckVersionMismatch when the check was
    changed since it was read."""
    more = {"ResetElements": list(reset)} if reset else {}
    response = await _call(
        aws, "update_health_check", HealthCheckId=check.id, HealthCheckVersion=check.version, **changes, **more
    )
    return _check(response["HealthCheck"])


async def delete_health_check(aws: AwsClient, check: str) -> None:
    """Delete a health check; one that is gone is fine. AWS does not ask whether records use it."""
    try:
        await _call(aws, "delete_health_check", HealthCheckId=check)
    except AwsError as error:
        if error.code != "NoSuchHealthCheck":
            raise


async def observations(aws: AwsClient, check: str) -> list[CheckerReport]:
    """What each checker saw last; none for a check that does not exist, is new, or has no endpoint of its own."""
    try:
        response = await _call(aws, "get_health_check_status", HealthCheckId=check)
    except AwsError as error:
        if error.code in ("NoSuchHealthCheck", "InvalidInput"):  # the latter for a calculated check
            return []
        raise
    return [
        CheckerReport(each.get("Region", ""), each.get("IPAddress", ""), each.get("StatusReport", {}).get("Status", ""))
        for each in response.get("HealthCheckObservations", [])
    ]


async def _call(aws: AwsClient, operation: str, **parameters: Any) -> AwsResponse:
    return await aws.call("route53", CONTROL_REGION, operation, **parameters)


def _check(found: Mapping[str, Any]) -> HealthCheck:
    return HealthCheck(
        found["Id"],
        found.get("CallerReference", ""),
        int(found.get("HealthCheckVersion", 1)),
        found.get("HealthCheckConfig", {}),
        bool(found.get("LinkedService")),
    )
