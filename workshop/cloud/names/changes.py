"""Changes of Route 53: batches of records, and the time until a change is INSYNC.

In: a zone's id and the changes to its records, from the API, a stack or ACM. Out: the records changed as a whole, a change that
is PENDING for a while, and a call for every part that looks at records (docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ministack.services import route53

from workshop.cloud.names.batches import Change, ZoneContents, changed_records
from workshop.cloud.names.records import invalidate
from workshop.cloud.names.recordsets import Refused
from workshop.cloud.names.wire import Route53Request, add_change, respond
from workshop.cloud.patches import patch_around
from workshop.cloud.responses import Response
from workshop.cloud.timing import Timing

__all__ = ["Changes", "no_zone"]

INCOMPLETE = "Name and Type are required in ResourceRecordSet."


class Changes:
    """`now` returns the time; `subscribe` adds what is called after every change of records, in the thread that made it."""

    def __init__(self, now: Callable[[], float], timing: Timing) -> None:
        self._now, self._timing = now, timing
        self._subscribers: list[Callable[[], None]] = []

    def apply(self) -> None:
        """Patch how MiniStack records a change."""
        patch_around(route53, "_new_change", self._new_change)

    def subscribe(self, call: Callable[[], None]) -> None:
        self._subscribers.append(call)

    def published(self) -> None:
        """Tell everyone that records or zones have changed."""
        invalidate()
        for call in self._subscribers:
            call()

    def change(self, zone_id: str, changes: Collection[Change], comment: str = "") -> dict[str, Any]:
        """Apply a batch to a zone of the current account; returns the change. Raises `Refused`."""
        with route53._lock:
            zone = route53._zones.get(zone_id)
            if zone is None:
                raise no_zone(zone_id)
            contents = ZoneContents(
                zone_id,
                zone["name"],
                tuple(route53._records.get(zone_id, ())),
                {other: route53._zones[other]["name"] for other in route53._zones if other != zone_id},
                route53._health_checks.__contains__,
            )
            route53._records[zone_id] = changed_records(contents, changes)
            change: dict[str, Any] = route53._new_change(comment)
        self.published()
        return change

    def is_insync(self, change: dict[str, Any]) -> bool:
        return bool(self._now() >= change.get("due", 0.0))

    def change_records(self, request: Route53Request) -> Response:
        """ChangeResourceRecordSets."""
        batch = route53._find(request.root(), "ChangeBatch")
        listed = route53._find(batch, "Changes") if batch is not None else None
        if listed is None:
            raise Refused("InvalidInput", "Missing Changes element.")
        changes = []
        for element in route53._findall(listed, "Change"):
            record = route53._find(element, "ResourceRecordSet")
            parsed = route53._parse_record_set(record) if record is not None else {}
            if not parsed.get("Name") or not parsed.get("Type"):
                raise Refused("InvalidInput", INCOMPLETE)
            changes.append(Change(route53._text(element, "Action"), parsed))
        change = self.change(request.parts[0], changes, route53._text(batch, "Comment"))
        return respond("ChangeResourceRecordSetsResponse", lambda root: add_change(root, change))

    def get_change(self, request: Route53Request) -> Response:
        """GetChange."""
        change = route53._changes.get(request.parts[0])
        if change is None:
            raise Refused("NoSuchChange", f"A change with the ID {request.parts[0]} does not exist.", 404)
        shown = {**change, "status": "INSYNC" if self.is_insync(change) else "PENDING"}
        return respond("GetChangeResponse", lambda root: add_change(root, shown))

    def _new_change(self, original: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
        change = original(*arguments)
        change["due"] = self._now() + self._timing.seconds("dns.insync")
        return change


def no_zone(zone_id: str) -> Refused:
    """The refusal of a call about a zone that does not exist."""
    return Refused("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)
