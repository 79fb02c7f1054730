"""Let ordered faults strike: before a call, instead of it, or after it.

What comes in: calls to services (name, operation, region, tables) and the list of faults. What goes out: an answer, a delay, a
closed connection, or the word that a region is cut off or disabled.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from workshop.cloud.answers import Answer
from workshop.cloud.faults import Fault
from workshop.cloud.regions import ENABLED, OPT_IN
from workshop.errors import UsageError

__all__ = ["Call", "Faults", "error_answer"]

EXPIRED = "The security token included in the request is expired"
INVALID = "The security token included in the request is invalid."
XML_SERVICES = ("s3", "route53", "cloudfront")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one service, as far as a fault looks at it."""

    service: str
    operation: str
    region: str
    protocol: str
    tables: frozenset[str] = frozenset()


class Faults:
    """The faults in force, in the order in which they were ordered."""

    def __init__(
        self,
        services: Callable[[str], str | None],
        operations: Callable[[str], Collection[str]],
        chance: random.Random,
        changed: Callable[[], None],
    ) -> None:
        self._services, self._operations, self._chance, self._changed = services, operations, chance, changed
        self._all: dict[str, Fault] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, fault: Fault) -> Fault:
        """Take a fault in; `UsageError` when its service, operation or region does not exist, so that it could never strike."""
        service = self._services(fault.service) if fault.service else ""
        if service is None:
            raise _wrong(f"The local cloud has no service {fault.service!r}.", "Services have the names of the AWS CLI.")
        if fault.operation and service and service != "execute-api":
            known = self._operations(fault.service)
            if known and fault.operation not in known:
                raise _wrong(
                    f"{fault.service} has no operation {fault.operation!r}.", f"For example: {', '.join(sorted(known)[:6])}."
                )
        if fault.operation and not service:
            raise _wrong("A fault that names an operation names its service too.", f"The operation is {fault.operation!r}.")
        if fault.region and fault.region not in ENABLED | OPT_IN:
            raise _wrong(f"There is no region {fault.region!r}.", f"There are {', '.join(sorted(ENABLED | OPT_IN))}.")
        self._count += 1
        taken = replace(fault, service=service, id=f"f{self._count}", hits=0)
        self._all[taken.id] = taken
        self._changed()
        return taken

    def clear(self, name: str | None = None) -> int:
        """End one fault, or all; answers how many."""
        ended = [self._all.pop(key) for key in ([name] if name is not None else list(self._all)) if key in self._all]
        self._changed()
        return len(ended)

    def striking(self, call: Call) -> Iterator[Fault]:
        """The faults that strike this call; each is counted as it is handed out."""
        for fault in list(self._all.values()):
            if fault.kind in ("cut", "replica-abort", "small-account") or not _matches(fault, call):
                continue
            if fault.kind == "region-disabled" and fault.region != call.region:
                continue
            if self._strikes(fault):
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
        return any(fault.kind == "region-disabled" and fault.region == region for fault in self._all.values())

    def dooms(self, region: str, table: str) -> bool:
        """Whether the creation of a replica in `region` will vanish again."""
        for fault in list(self._all.values()):
            if fault.kind == "replica-abort" and fault.region in ("", region) and fault.table in ("", table):
                return self._strikes(fault)
        return False

    def concurrency(self) -> int:
        """How many functions the account may run at once."""
        return min((fault.limit for fault in self._all.values() if fault.kind == "small-account"), default=1000)

    def document(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._all.values()]

    def restore(self, document: list[dict[str, Any]]) -> None:
        for row in document:
            fault = Fault(**row)
            self._all[fault.id] = fault
            self._count = max(self._count, int(fault.id[1:]))

    def _strikes(self, fault: Fault) -> bool:
        if self._chance.random() >= fault.probability:
            return False
        counted = replace(fault, hits=fault.hits + 1)
        if counted.times and counted.hits >= counted.times:
            del self._all[fault.id]
        else:
            self._all[fault.id] = counted
        return True


def error_answer(fault: Fault, protocol: str) -> Answer:
    """The error of a fault in the caller's protocol (docs/aws-behaviours.md, section 8: codes differ by protocol)."""
    code, message, status = fault.code, fault.message, fault.status
    if fault.kind == "expired":
        code, message, status = ("ExpiredTokenException" if protocol == "json" else "ExpiredToken"), EXPIRED, 400
        status = 400 if protocol == "json" else 403
    elif fault.kind == "region-disabled":
        code, message = ("UnrecognizedClientException" if protocol in ("json", "rest") else "InvalidClientTokenId"), INVALID
        status = 400 if protocol == "json" else 403
    return _shaped(protocol, code, message, status)


def _shaped(protocol: str, code: str, message: str, status: int) -> Answer:
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


def _matches(fault: Fault, call: Call) -> bool:
    return (
        fault.service in ("", call.service)
        and fault.operation in ("", call.operation)
        and fault.region in ("", call.region)
        and (not fault.table or fault.table in call.tables)
    )


def _wrong(what: str, why: str) -> UsageError:
    return UsageError(what, why, "See: workshop cloud fault --help", code="Fault")
