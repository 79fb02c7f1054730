"""Route 53's XML, in MiniStack's own helpers: requests with their parts, responses, and what MiniStack reads or writes wrongly.

In: an HTTP request to Route 53. Out: its parts by name, and responses that botocore reads back as they were meant: booleans in
small letters, children of lists, geoproximity, wildcards (docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.services import route53

from workshop.cloud.names.recordsets import Refused, shown_name, stored_name
from workshop.cloud.patches import patch, patch_around, require_attribute
from workshop.cloud.responses import Response

__all__ = [
    "Route53Request",
    "add",
    "add_change",
    "add_list",
    "check_attributes",
    "children",
    "error",
    "patch_formats",
    "respond",
    "utc",
]

READ = (
    *("_zones", "_records", "_changes", "_health_checks", "_tags", "_caller_refs", "_hc_caller_refs", "_lock"),
    *("_find", "_findall", "_text", "_parse_body", "_xml_response", "_error_response", "_parse_vpc", "_build_vpc_el"),
    *("_same_name_zone_with_vpc", "_build_hosted_zone_el", "_build_change_info_el", "_zone_id", "_hc_id", "_default_records"),
    *("_DEFAULT_NS", "API_VERSION"),
)
PROXIMITY = ("AWSRegion", "LocalZoneGroup", "Bias")


def check_attributes() -> None:
    """Raises `PinnedVersionError` unless MiniStack's Route 53 has everything that these modules read."""
    for name in READ:
        require_attribute(route53, name)


@dataclass(frozen=True, slots=True)
class Route53Request:
    """One request: the values of its path's parameters, its query, its body."""

    parts: tuple[str, ...]
    query: Mapping[str, Any]
    body: bytes

    def root(self) -> Element:
        """The root of the body. Raises `Refused` for a body that is no XML."""
        root: Element | None = route53._parse_body(self.body)
        if root is None:
            raise Refused("InvalidInput", "Missing or invalid request body.")
        return root

    def value(self, name: str) -> str:
        """A value of the query, "" for none."""
        found = self.query.get(name, "")
        return str((found[0] if isinstance(found, list) and found else found) or "")

    def page(self) -> tuple[str, int]:
        """The marker and the size of a page."""
        size = self.value("maxitems") or "100"
        if not size.isdigit() or int(size) < 1:
            raise Refused("InvalidInput", f"Invalid maxitems: {size}")
        return self.value("marker"), min(int(size), 100)


def respond(root: str, build: Callable[[Element], object], status: int = 200, location: str = "") -> Response:
    """A response with this root element; `location` is the path of what was created."""
    code, headers, body = route53._xml_response(root, build, status)
    if location:
        headers = {**headers, "Location": f"https://route53.amazonaws.com/{route53.API_VERSION}/{location}"}
    return code, headers, body


def error(refused: Refused) -> Response:
    """The response of a call that is refused."""
    response: Response = route53._error_response(refused.code, refused.message, refused.status)
    return response


def add(parent: Element, name: str, text: str = "") -> Element:
    """A child element with a text."""
    child = SubElement(parent, name)
    if text:
        child.text = text
    return child


def add_list(parent: Element, name: str, member: str, values: Iterable[str]) -> None:
    """A list of texts as child elements."""
    inner = add(parent, name)
    for value in values:
        add(inner, member, value)


def add_change(parent: Element, change: Mapping[str, Any]) -> None:
    """The ChangeInfo of a change."""
    route53._build_change_info_el(parent, change)


def children(parent: Element | None, name: str, member: str) -> list[str]:
    """The texts of a list's members."""
    inner = route53._find(parent, name) if parent is not None else None
    return [(child.text or "").strip() for child in route53._findall(inner, member)] if inner is not None else []


def utc(seconds: float) -> str:
    """A time as Route 53 shows it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def patch_formats() -> None:
    """Patch how MiniStack reads and writes names, health checks and record sets."""
    patch(route53, "_normalise_name", lambda _: lambda name: stored_name(name) if name else name)
    patch_around(route53, "_build_health_check_el", _build_health_check)
    patch_around(route53, "_parse_health_check_config", _parse_health_check)
    patch_around(route53, "_build_record_set_el", _build_record_set)
    patch_around(route53, "_parse_record_set", _parse_record_set)


def _build_health_check(original: Callable[[Element, Any], None], parent: Element, check: Mapping[str, Any]) -> None:
    config = {name: str(value).lower() if isinstance(value, bool) else value for name, value in check["config"].items()}
    original(parent, {**check, "config": config})


def _parse_health_check(original: Callable[[Element], dict[str, Any]], element: Element) -> dict[str, Any]:
    config = original(element)
    for name, member in (("ChildHealthChecks", "ChildHealthCheck"), ("Regions", "Region")):
        if name in config:
            config[name] = children(element, name, member)
    return config


def _build_record_set(original: Callable[[Element, Any], None], parent: Element, record: Mapping[str, Any]) -> None:
    original(parent, {**record, "Name": shown_name(record["Name"])})
    location = record.get("GeoProximityLocation")
    if location is None:
        return
    shown = add(parent[-1], "GeoProximityLocation")
    for name in PROXIMITY:
        if name in location:
            add(shown, name, str(location[name]))
    if "Coordinates" in location:
        point = add(shown, "Coordinates")
        for name in ("Latitude", "Longitude"):
            add(point, name, location["Coordinates"][name])


def _parse_record_set(original: Callable[[Element], dict[str, Any]], element: Element) -> dict[str, Any]:
    record = original(element)
    if record["Name"]:
        record["Name"] = stored_name(record["Name"])
    if record.get("AliasTarget"):
        record["AliasTarget"]["DNSName"] = stored_name(record["AliasTarget"]["DNSName"])
        record["AliasTarget"]["HostedZoneId"] = re.sub("^/hostedzone/", "", record["AliasTarget"]["HostedZoneId"])
    location = route53._find(element, "GeoProximityLocation")
    if location is not None:
        record["GeoProximityLocation"] = _proximity(location)
    return record


def _proximity(element: Element) -> dict[str, Any]:
    location: dict[str, Any] = {name: route53._text(element, name) for name in PROXIMITY if route53._text(element, name)}
    if "Bias" in location:
        location["Bias"] = int(location["Bias"])
    point = route53._find(element, "Coordinates")
    if point is not None:
        location["Coordinates"] = {name: route53._text(point, name) for name in ("Latitude", "Longitude")}
    return location
