"""Route 53 as the steps call it, and its name servers: the product's own cloud over MiniStack, in the virtual time of the tests.

In: calls under their botocore names, DNS queries. Out: MiniStack's responses as botocore hands them on, or `AwsError`; DNS
responses. Nothing of Route 53 is told again here; requests and responses are botocore's own XML.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from ministack.core import responses
from ministack.services import route53

from tests.unit.fakes.virtual_time import START, VirtualClock
from workshop.aws.errors import AwsError
from workshop.cloud.hosts import Endpoints
from workshop.cloud.names.authority import MOST_MESSAGE, Responder
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.records import Alias, zones
from workshop.cloud.names.service import Route53Service
from workshop.cloud.names.zones import Zones
from workshop.cloud.timing import Timing

__all__ = ["CloudRoute53", "Health", "close_route53"]

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")


@dataclass(frozen=True, slots=True)
class Observation:
    """What one checker says."""

    region: str
    ip: str
    status: str
    checked: float


@dataclass
class Health:
    """What the health checkers know: everything is healthy but the checks named as sick."""

    sick: set[str] = field(default_factory=set)

    def changed(self) -> None:
        """Nothing is probed here."""

    def healthy(self, check_id: str) -> bool:
        return check_id not in self.sick

    def observations(self, check_id: str, seen: str = "last") -> Sequence[Observation]:
        if seen == "last_failure" and self.healthy(check_id):
            return []
        status = "Success: HTTP Status Code 200, OK" if self.healthy(check_id) else "Failure: HTTP Status Code 500"
        return [Observation(region, "192.0.2.9", status, START.timestamp()) for region in REGIONS]


class _Parts:
    """One Route 53 for all accounts. MiniStack has one per process, so there is one at a time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.health = clock, Health()
        self._original = dict(vars(route53))
        self.timing = Timing("realistic", 1.0)
        endpoints = Endpoints(REGIONS, lambda name: name.split(".")[2], lambda _: False)
        lookup = Lookup(zones, endpoints, self.health.healthy, self._alias_up, random.Random(7))
        self.service = Route53Service(self.health, lookup, Zones(self.now, self.timing, random.Random(7), lambda: None))
        self.service.apply()
        self.respond = Responder(lookup, self.timing).respond

    def now(self) -> float:
        try:
            seconds = asyncio.get_running_loop().time()
        except RuntimeError:
            seconds = 0.0
        return START.timestamp() + seconds

    def close(self) -> None:
        route53.reset()
        self.service.clear()
        for name, value in self._original.items():
            setattr(route53, name, value)

    @staticmethod
    def _alias_up(_: Alias) -> bool:
        return True


_open: list[_Parts] = []


def close_route53() -> None:
    """Restore MiniStack; every test ends with it."""
    while _open:
        _open.pop().close()


class CloudRoute53:
    """The zones of one account."""

    def __init__(self, clock: VirtualClock, account: str) -> None:
        self._clock, self._account = clock, account

    @property
    def parts(self) -> _Parts:
        if not _open:
            _open.append(_Parts(self._clock))
        assert _open[0].clock is self._clock, "another test's Route 53 is still open"
        return _open[0]

    @property
    def health(self) -> Health:
        return self.parts.health

    def call(self, region: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call of a step."""
        assert region == "us-east-1", f"Route 53 is called in us-east-1, not in {region}"
        model, serializer, parser = _protocol()
        name = "".join(part.capitalize() for part in operation.split("_"))
        described = model.operation_model(_NAMES.get(name, name))
        request = serializer.serialize_to_request(parameters, described)
        parts = self.parts
        with responses.request_scope(self._account, region):
            work = route53.handle_request(
                request["method"], request["url_path"], request["headers"], request["body"] or b"", request["query_string"]
            )
            try:
                work.send(None)
            except StopIteration as done:
                status, headers, body = done.value
            else:
                raise AssertionError("a request waited")
        assert parts is self.parts
        response: dict[str, Any] = parser.parse(
            {"status_code": status, "headers": dict(headers), "body": body if isinstance(body, bytes) else body.encode()},
            described.output_shape,
        )
        if status >= 300:
            error = response["Error"]
            raise AwsError(
                error["Code"], error.get("Message", ""), service="route53", operation=name, region=region, status=status
            )
        return response

    def respond(self, wire: bytes) -> bytes:
        """The response of the zones' name servers to a DNS query."""
        response = self.parts.respond(wire, most=MOST_MESSAGE)
        assert response is not None
        return response

    # What exists before a test, and what others do meanwhile.

    def put_zone(self, name: str, *, tags: dict[str, str] | None = None, reference: str = "", private: bool = False) -> str:
        """A zone that others made; returns its id."""
        more: dict[str, Any] = {"VPC": {"VPCRegion": "us-west-2", "VPCId": "vpc-1"}} if private else {}
        made = self.call(
            "us-east-1",
            "create_hosted_zone",
            Name=name,
            CallerReference=reference or f"theirs-{random.random()}",
            **more,
        )
        zone = str(made["HostedZone"]["Id"]).rpartition("/")[2]
        if tags:
            add = [{"Key": key, "Value": value} for key, value in tags.items()]
            self.call("us-east-1", "change_tags_for_resource", ResourceType="hostedzone", ResourceId=zone, AddTags=add)
        return zone

    def put_record(self, zone: str, name: str, kind: str, *values: str, ttl: int = 60, **more: Any) -> None:
        """A record that others made."""
        row = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values], **more}
        self.call(
            "us-east-1",
            "change_resource_record_sets",
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]},
        )

    def zones(self) -> list[str]:
        """The names of the account's public zones."""
        return sorted(zone.name for zone in zones() if self.parts and zone.account == self._account and not zone.private)

    def records(self, zone: str) -> list[tuple[str, str]]:
        """Name and type of a zone's records but its own."""
        found = self.call("us-east-1", "list_resource_record_sets", HostedZoneId=zone)["ResourceRecordSets"]
        return sorted((each["Name"].rstrip("."), each["Type"]) for each in found if each["Type"] not in ("NS", "SOA"))


_NAMES = {"TestDnsAnswer": "TestDNSAnswer"}


@functools.cache
def _protocol() -> tuple[ServiceModel, Any, Any]:
    """Route 53's model with botocore's own writer of requests and reader of responses; it takes a moment, so once."""
    model = ServiceModel(botocore.loaders.Loader().load_service_model("route53", "service-2"), "route53")
    return model, create_serializer("rest-xml"), create_parser("rest-xml")
