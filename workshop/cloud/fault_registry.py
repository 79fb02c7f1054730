"""The faults in force: which of them apply to a call, a replication path, a region, a new replica.

In: faults, and calls to services (service, operation, region, tables). Out: the faults that apply, counted, and the error
response that a fault gives. Delaying, failing and dropping calls is the job of `middleware`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from workshop.cloud.events import TABLES_CHANGED, EventBus
from workshop.cloud.fault_model import CloudFault, fault_error
from workshop.cloud.regions import CHECKER_REGIONS, ENABLED, OPT_IN
from workshop.cloud.responses import Response

__all__ = ["FaultRegistry", "ServiceCall", "error_response", "shaped_error"]

EXPIRED = "The security token included in the request is expired"
INVALID = "The security token included in the request is invalid."
NOT_ON_CALLS = ("checker-noise", "checkers-blind", "cut", "replica-abort", "small-account", "stale-resolver", "unvalidated")
"""Kinds that do not apply to single calls."""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """One request to one service, as far as a fault looks at it. `protocol`: json, rest, query, xml or s3."""

    service: str
    operation: str
    region: str
    protocol: str
    tables: frozenset[str] = frozenset()


class FaultRegistry:
    """The faults in force, in the order in which they were added.

    `services` returns MiniStack's name of a service by its AWS CLI name, or None; `operations` the operations of a service.
    """

    def __init__(
        self,
        services: Callable[[str], str | None],
        operations: Callable[[str], Collection[str]],
        chance: random.Random,
        events: EventBus,
    ) -> None:
        self._services, self._operations, self._chance, self._events = services, operations, chance, events
        self._all: dict[str, CloudFault] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, fault: CloudFault) -> CloudFault:
        """Take a fault in and return it with its id. Raises `UsageError` when its service, operation or region does not exist,
        so that it could never apply."""
        service = self._checked_service(fault)
        if fault.region and fault.region not in ENABLED | OPT_IN:
            known = ", ".join(sorted(ENABLED | OPT_IN))
            raise fault_error(f"There is no region {fault.region!r}.", why=f"There are {known}.")
        if fault.kind == "checkers-blind" and fault.region and fault.region not in CHECKER_REGIONS:
            raise fault_error(
                f"No health checkers are in {fault.region}.", why=f"They are in {', '.join(sorted(CHECKER_REGIONS))}."
            )
        self._count += 1
        taken = replace(fault, service=service, id=f"f{self._count}", hits=0)
        self._all[taken.id] = taken
        self._events.publish(TABLES_CHANGED)
        return taken

    def clear(self, name: str | None = None) -> int:
        """End one fault, or all; returns how many were ended."""
        ended = [self._all.pop(key) for key in ([name] if name is not None else list(self._all)) if key in self._all]
        self._events.publish(TABLES_CHANGED)
        return len(ended)

    def matching(self, call: ServiceCall) -> Iterator[CloudFault]:
        """The faults that apply to this call; each is counted as it is handed out."""
        for name in list(self._all):
            fault = self._all.get(name)  # the caller may wait between two faults, and this one may have ended meanwhile
            if fault is not None and fault.kind not in NOT_ON_CALLS and _matches(fault, call) and self._hit(fault):
                yield fault

    def cut(self, table: str, source: str, target: str) -> bool:
        """Whether replication of `table` from `source` to `target` is held back."""
        for fault in self._all.values():
            if fault.kind == "cut" and fault.table in ("", table):
                leaving = fault.direction in ("both", "from") and fault.region == source
                arriving = fault.direction in ("both", "to") and fault.region == target
                if leaving or arriving:
                    return True
        return False

    def disabled(self, region: str) -> bool:
        """Whether the account cannot use this region."""
        return any(fault.kind == "region-disabled" and fault.region == region for fault in self._all.values())

    def aborts_replica(self, region: str, table: str) -> bool:
        """Whether the replica that is about to be created in `region` will vanish again; counted as a hit."""
        for fault in list(self._all.values()):
            if fault.kind == "replica-abort" and fault.region in ("", region) and fault.table in ("", table):
                return self._hit(fault)
        return False

    def blinds_checker(self, check: str, region: str, number: int) -> bool:
        """Whether a checker of a health check reaches nothing; `number` counts the check's checkers from 0. Counted as a hit."""
        for fault in list(self._all.values()):
            if fault.kind == "checkers-blind" and fault.check in ("", check) and fault.region in ("", region):
                among = not fault.count or number < fault.count
                if among and self._hit(fault):
                    return True
        return False

    def disturbs_check(self, check: str) -> bool:
        """Whether all checkers of a health check fail during the interval that begins now; drawn by the fault's probability."""
        for fault in list(self._all.values()):
            if fault.kind == "checker-noise" and fault.check in ("", check) and self._hit(fault):
                return True
        return False

    def concurrency(self) -> int:
        """How many functions the account may run at once."""
        return min((fault.limit for fault in self._all.values() if fault.kind == "small-account"), default=1000)

    def unvalidated(self, names: Collection[str]) -> bool:
        """Whether ACM does not find the validation records of a certificate for these names."""
        return any(fault.kind == "unvalidated" and fault.name in ("", *names) for fault in self._all.values())

    def gateway_down(self, region: str) -> bool:
        """Whether API Gateway of a region is down."""
        return any(fault.kind == "gateway-down" and fault.region == region for fault in self._all.values())

    def stale_seconds(self) -> float:
        """By how many seconds resolvers keep answers longer than their TTL."""
        return max((fault.seconds for fault in self._all.values() if fault.kind == "stale-resolver"), default=0.0)

    def document(self) -> list[dict[str, Any]]:
        """The saved form, also the JSON form that clients see."""
        return [asdict(fault) for fault in self._all.values()]

    def restore(self, document: list[dict[str, Any]]) -> None:
        for row in document:
            fault = CloudFault(**row)
            self._all[fault.id] = fault
            self._count = max(self._count, int(fault.id[1:]))

    def _checked_service(self, fault: CloudFault) -> str:
        """MiniStack's name of the fault's service, "" for any."""
        if fault.kind == "gateway-down":
            return "execute-api"
        if not fault.service:
            if fault.operation:
                raise fault_error(
                    "A fault that names an operation names its service too.", why=f"The operation is {fault.operation!r}."
                )
            return ""
        service = self._services(fault.service)
        if service is None:
            raise fault_error(f"The local cloud has no service {fault.service!r}.", why="Services have the names of the AWS CLI.")
        known = self._operations(fault.service) if fault.operation and service != "execute-api" else ()
        if known and fault.operation not in known:
            raise fault_error(
                f"{fault.service} has no operation {fault.operation!r}.", why=f"For example: {', '.join(sorted(known)[:6])}."
            )
        return service

    def _hit(self, fault: CloudFault) -> bool:
        """Whether the fault applies this time, by its probability; counts, and ends it after its last time."""
        if self._chance.random() >= fault.probability:
            return False
        counted = replace(fault, hits=fault.hits + 1)
        if counted.times and counted.hits >= counted.times:
            del self._all[fault.id]
        else:
            self._all[fault.id] = counted
        return True


def error_response(fault: CloudFault, protocol: str) -> Response:
    """The error of a fault in the caller's protocol (docs/aws-behaviours.md, section 8: codes differ by protocol)."""
    json_status = 400 if protocol == "json" else 403
    if fault.kind == "expired":
        return shaped_error(protocol, "ExpiredTokenException" if protocol == "json" else "ExpiredToken", EXPIRED, json_status)
    if fault.kind == "region-disabled":
        code = "UnrecognizedClientException" if protocol in ("json", "rest") else "InvalidClientTokenId"
        return shaped_error(protocol, code, INVALID, json_status)
    if fault.kind == "gateway-down":
        return shaped_error(protocol, "ServiceUnavailableException", "Service Unavailable", 503)
    return shaped_error(protocol, fault.code, fault.message, fault.status)


def shaped_error(protocol: str, code: str, message: str, status: int) -> Response:
    """An error in a caller's protocol (json, rest, query, xml or s3)."""
    if protocol in ("json", "rest"):
        body = json.dumps({"__type": code, "message": message}).encode()
        kind = "application/x-amz-json-1.0" if protocol == "json" else "application/json"
        return status, {"Content-Type": kind, "x-amzn-ErrorType": code}, body
    sender = "Sender" if status < 500 else "Receiver"
    inner = f"<Type>{sender}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "s3":
        text = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>fault</RequestId></Error>"
    else:
        text = f"<ErrorResponse><Error>{inner}</Error><RequestId>fault</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _matches(fault: CloudFault, call: ServiceCall) -> bool:
    return (
        fault.service in ("", call.service)
        and fault.operation in ("", call.operation)
        and fault.region in ("", call.region)
        and (not fault.table or fault.table in call.tables)
    )
