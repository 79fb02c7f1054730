"""Where an asker is, and how far from a region of AWS.

In: an address, a country, a state (`US-OR`) or a region of AWS. Out: a `Location`, and distances over the globe, which stand in
for the latency that AWS measures (docs/aws-behaviours.md, section 6.2). `places.csv` has a point near the middle of each place's
population or data centres, in half degrees: good for an order by distance, and for nothing else.
"""

from __future__ import annotations

import csv
import ipaddress
import math
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DEFAULT", "PLACES", "Location", "kilometres", "place_named", "place_of_address", "point_of_region"]

EARTH = 6371.0
"""The globe's radius in kilometres."""
PLACES = {
    row["place"]: (row["within"], float(row["latitude"]), float(row["longitude"]))
    for row in csv.DictReader(Path(__file__).with_name("places.csv").read_text().splitlines())
}
"""Countries in continents, states of the USA, regions of AWS in countries or states; latitude and longitude."""


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
    code, region = name.strip().upper(), name.strip().lower()
    if code not in PLACES and region not in PLACES:
        return None
    within, latitude, longitude = PLACES[code if code in PLACES else region]
    country, _, subdivision = (code if code in PLACES else within).partition("-")
    return Location(PLACES[country][0], country, subdivision, latitude, longitude)


def place_of_address(ip: str) -> Location:
    """The place of an address: two documentation blocks have one, every other address is in the cloud's first region."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return DEFAULT
    return SINGAPORE if address in SINGAPORES_BLOCK else DEFAULT


def point_of_region(region: str) -> tuple[float, float] | None:
    """Latitude and longitude of a region of AWS, None for a name that is none."""
    found = PLACES.get(region)
    return found[1:] if found and region.islower() else None


def kilometres(place: Location, point: tuple[float, float]) -> float:
    """The great-circle distance."""
    latitude, other = math.radians(place.latitude), math.radians(point[0])
    longitudes = math.radians(point[1] - place.longitude)
    chord = math.sin((other - latitude) / 2) ** 2 + math.cos(latitude) * math.cos(other) * math.sin(longitudes / 2) ** 2
    return EARTH * 2 * math.asin(min(1.0, math.sqrt(chord)))


DEFAULT = Location("NA", "US", "OR", *PLACES["us-west-2"][1:])
SINGAPORE = Location("AS", "SG", "", *PLACES["ap-southeast-1"][1:])
SINGAPORES_BLOCK = ipaddress.ip_network("198.51.100.0/24")
"""Addresses that are nobody's (RFC 5737), for trying out what an asker elsewhere gets. Those of 203.0.113.0/24 are in Oregon, as
the cloud's first region is."""
