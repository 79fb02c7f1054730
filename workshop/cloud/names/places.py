"""Where an asker is, and how far from a region of AWS.

In: an address, a country, a state (`US-OR`) or a region of AWS. Out: a `Location`, and distances over the globe. AWS measures the
latency between networks and regions; distance is the local cloud's stand-in for it (docs/aws-behaviours.md, section 6.2).
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass

from workshop.cloud.names.countries import CONTINENTS, COUNTRIES, REGIONS, STATES

__all__ = ["DEFAULT", "Location", "kilometres", "place_named", "place_of_address", "point_of_region"]

EARTH = 6371.0
"""The globe's radius in kilometres."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a resolver, or the subnet on whose behalf it asks, is. Codes as in Route 53's GeoLocation; `subdivision` is "" where
    Route 53 knows none."""

    continent: str
    country: str
    subdivision: str
    latitude: float
    longitude: float


def place_named(name: str) -> Location | None:
    """The place of a country (`SG`), a state of the USA (`US-OR`) or a region of AWS (`eu-west-1`); None for another name."""
    country, dash, state = name.strip().upper().partition("-")
    if name.strip().lower() in REGIONS:
        country, state, point = REGIONS[name.strip().lower()]
    elif country == "US" and state in STATES:
        point = STATES[state]
    elif country in COUNTRIES and not dash:
        point = COUNTRIES[country]
    else:
        return None
    return Location(CONTINENTS[country], country, state, *point)


def place_of_address(ip: str) -> Location:
    """The place of an address: two documentation blocks have one, every other address is in the cloud's first region."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return DEFAULT
    return next((place for block, place in _BLOCKS if address in block), DEFAULT)


def point_of_region(region: str) -> tuple[float, float] | None:
    """Latitude and longitude of a region of AWS, None for a name that is none."""
    found = REGIONS.get(region)
    return found[2] if found else None


def kilometres(place: Location, point: tuple[float, float]) -> float:
    """The great-circle distance."""
    latitude, other = math.radians(place.latitude), math.radians(point[0])
    longitudes = math.radians(point[1] - place.longitude)
    chord = math.sin((other - latitude) / 2) ** 2 + math.cos(latitude) * math.cos(other) * math.sin(longitudes / 2) ** 2
    return EARTH * 2 * math.asin(min(1.0, math.sqrt(chord)))


def _place_of_region(region: str) -> Location:
    country, state, point = REGIONS[region]
    return Location(CONTINENTS[country], country, state, *point)


DEFAULT = _place_of_region("us-west-2")
_BLOCKS = (
    (ipaddress.ip_network("198.51.100.0/24"), _place_of_region("ap-southeast-1")),
    (ipaddress.ip_network("203.0.113.0/24"), DEFAULT),
)
"""Addresses that nobody has (RFC 5737): for trying out what an asker elsewhere gets."""
