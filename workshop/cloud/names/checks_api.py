"""Route 53's operations on health checks: creating and changing them, and what their checkers report.

In: requests and stacks. Out: health checks in MiniStack's store with AWS's defaults, its refusals, and the observations of
`health` (docs/aws-behaviours.md, section 6.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from xml.etree.ElementTree import Element

from ministack.services import route53

from workshop.cloud.names.check_settings import RESETTABLE, check_settings, completed
from workshop.cloud.names.recordsets import Refused
from workshop.cloud.names.wire import Route53Request, add, children, respond, utc
from workshop.cloud.responses import Response

__all__ = ["MOST_CHECKS", "HealthChecksApi", "HealthReports", "no_check"]

MOST_CHECKS = 200
TAKEN = "A different health check has already been created with the specified caller reference."
OLD_VERSION = "The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in the health check."
NOT_FOR_TYPE = "The operation is not supported for health checks of type {type}."


class _Observation(Protocol):
    @property
    def region(self) -> str: ...
    @property
    def ip(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def checked(self) -> float: ...


class HealthReports(Protocol):
    """What the checkers know; `changed` tells them that health checks were created, changed or deleted."""

    def changed(self) -> None: ...
    def healthy(self, check_id: str) -> bool: ...
    def observations(self, check_id: str) -> Sequence[_Observation]: ...
    def last_failures(self, check_id: str) -> Sequence[_Observation]: ...


class HealthChecksApi:
    """Operations on the health checks of the current account."""

    def __init__(self, health: HealthReports) -> None:
        self._health = health

    def create(self, request: Route53Request) -> Response:
        """CreateHealthCheck."""
        root = request.root()
        config = route53._find(root, "HealthCheckConfig")
        settings = route53._parse_health_check_config(config) if config is not None else {}
        check = self.add(route53._text(root, "CallerReference"), settings)
        return self._shown("CreateHealthCheckResponse", check, 201)

    def add(self, reference: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Create a health check, or return the one that was created with the same reference and settings. Raises `Refused`."""
        if not reference:
            raise Refused("InvalidInput", "CallerReference is required.")
        check_settings(settings)
        config = completed(settings)
        with route53._lock:
            if reference in route53._hc_caller_refs:
                found: dict[str, Any] | None = route53._health_checks.get(route53._hc_caller_refs[reference])
                if found is None or found.get("requested", found["config"]) != config:
                    raise Refused("HealthCheckAlreadyExists", TAKEN, 409)
                return found
            if len(route53._health_checks) >= MOST_CHECKS:
                raise Refused("TooManyHealthChecks", f"Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER={MOST_CHECKS}")
            check = {"id": route53._hc_id(), "caller_reference": reference, "config": config, "requested": config, "version": 1}
            route53._health_checks[check["id"]] = check
            route53._hc_caller_refs[reference] = check["id"]
        self._health.changed()
        return check

    def update(self, request: Route53Request) -> Response:
        """UpdateHealthCheck."""
        root = request.root()
        version = route53._text(root, "HealthCheckVersion")
        check = self.change(
            request.parts[0],
            route53._parse_health_check_config(root),
            reset=children(root, "ResetElements", "ResettableElementName"),
            version=int(version) if version.isdigit() else None,
        )
        return self._shown("UpdateHealthCheckResponse", check)

    def change(
        self, check_id: str, settings: Mapping[str, Any], *, reset: Sequence[str] = (), version: int | None = None
    ) -> dict[str, Any]:
        """Change the settings of a health check, reset some to nothing. Raises `Refused`."""
        with route53._lock:
            check = self._found(check_id)
            if version is not None and version != check.get("version", 1):
                raise Refused("HealthCheckVersionMismatch", OLD_VERSION, 409)
            for name in reset:
                if name not in RESETTABLE:
                    raise Refused("InvalidInput", f"{name} cannot be reset.")
            config = {name: value for name, value in check["config"].items() if name not in reset}
            config.update({name: value for name, value in settings.items() if name not in ("Type", "RequestInterval")})
            check_settings(config, reset=reset)
            check["config"], check["version"] = config, check.get("version", 1) + 1
        self._health.changed()
        return check

    def delete(self, request: Route53Request) -> Response:
        """DeleteHealthCheck. Records may still use the check; its reference stays used."""
        self.remove(request.parts[0])
        return respond("DeleteHealthCheckResponse", lambda _: None)

    def remove(self, check_id: str) -> None:
        """Delete a health check. Raises `Refused`."""
        with route53._lock:
            self._found(check_id)
            route53._health_checks.pop(check_id, None)
            route53._tags.pop(("healthcheck", check_id), None)
        self._health.changed()

    def status(self, request: Route53Request) -> Response:
        """GetHealthCheckStatus: what each checker saw last."""
        return self._observed("GetHealthCheckStatusResponse", request, self._health.observations)

    def last_failures(self, request: Route53Request) -> Response:
        """GetHealthCheckLastFailureReason: the last failure that each checker saw."""
        return self._observed("GetHealthCheckLastFailureReasonResponse", request, self._health.last_failures)

    def _observed(self, root: str, request: Route53Request, read: Callable[[str], Sequence[_Observation]]) -> Response:
        check = self._found(request.parts[0])
        if check["config"].get("Type") == "CALCULATED":
            raise Refused("InvalidInput", NOT_FOR_TYPE.format(type="CALCULATED"))
        observations = read(check["id"])

        def build(shown: Element) -> None:
            listed = add(shown, "HealthCheckObservations")
            for observation in observations:
                element = add(listed, "HealthCheckObservation")
                add(element, "Region", observation.region)
                add(element, "IPAddress", observation.ip)
                report = add(element, "StatusReport")
                add(report, "Status", observation.status)
                add(report, "CheckedTime", utc(observation.checked))

        return respond(root, build)

    def _shown(self, root: str, check: Mapping[str, Any], status: int = 200) -> Response:
        location = f"healthcheck/{check['id']}" if status == 201 else ""
        return respond(root, lambda shown: route53._build_health_check_el(shown, check), status, location)

    def _found(self, check_id: str) -> dict[str, Any]:
        check: dict[str, Any] | None = route53._health_checks.get(check_id)
        if check is None:
            raise no_check(check_id)
        return check


def no_check(check_id: str) -> Refused:
    """The refusal of a call about a health check that does not exist."""
    return Refused("NoSuchHealthCheck", f"No health check exists with the specified ID {check_id}.", 404)
