"""Where askers are: names and addresses of places, distances, and tables that name what Route 53 names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import botocore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.cloud.names.places import DEFAULT, PLACES, Location, kilometres, place_named, place_of_address, point_of_region
from workshop.cloud.regions import ENABLED, OPT_IN

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


def at(latitude: float, longitude: float) -> Location:
    return Location("EU", "DE", "", latitude, longitude)


@pytest.mark.parametrize(
    ("name", "continent", "country", "subdivision"),
    [
        ("SG", "AS", "SG", ""),
        ("sg", "AS", "SG", ""),
        ("US", "NA", "US", ""),
        ("US-OR", "NA", "US", "OR"),
        ("us-or", "NA", "US", "OR"),
        ("eu-west-1", "EU", "IE", ""),
        ("us-west-2", "NA", "US", "OR"),
        (" BR ", "SA", "BR", ""),
        ("AQ", "AN", "AQ", ""),
        ("NZ", "OC", "NZ", ""),
        ("ZA", "AF", "ZA", ""),
    ],
)
def test_a_place_is_a_country_a_state_of_the_usa_or_a_region(name, continent, country, subdivision):
    found = place_named(name)
    assert found is not None
    assert (found.continent, found.country, found.subdivision) == (continent, country, subdivision)


@pytest.mark.parametrize("name", ["", "XX", "EU", "DE-BE", "US-XX", "DE-OR", "US-", "eu-west-9", "-", "Singapore"])
def test_other_names_are_no_places(name):
    assert place_named(name) is None


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("198.51.100.0", "SG"),
        ("198.51.100.255", "SG"),
        ("203.0.113.9", "US"),
        ("198.51.101.0", "US"),
        ("127.0.0.1", "US"),
        ("::1", "US"),
        ("2001:db8::1", "US"),
        ("nonsense", "US"),
        ("", "US"),
    ],
)
def test_the_documentation_blocks_are_places_and_all_else_is_in_the_first_region(address, country):
    found = place_of_address(address)
    assert found.country == country
    assert country == "SG" or found == DEFAULT == place_named("us-west-2")


def test_every_region_of_aws_has_a_point():
    model = Path(botocore.__file__).parent / "data" / "route53" / "2013-04-01" / "service-2.json.gz"
    named = json.loads(gzip.decompress(model.read_bytes()))["shapes"]["ResourceRecordSetRegion"]["enum"]
    assert all(point_of_region(region) for region in {*named, *ENABLED, *OPT_IN})
    assert point_of_region("mars-1") is None and point_of_region("SG") is None


def test_the_tables_hold_what_geolocation_can_name():
    codes = [place for place in PLACES if place.isupper()]
    states = [code for code in codes if code.startswith("US-")]
    assert (len(codes) - len(states), len(states)) == (250, 51)
    assert all(-90 <= latitude <= 90 and -180 <= longitude <= 180 for _, latitude, longitude in PLACES.values())
    assert all(place_named(place) for place in PLACES)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ((51.5, 0.0), (40.7, -74.0), 5570),
        ((1.35, 103.8), (-33.9, 151.2), 6300),
        ((0.0, 179.5), (0.0, -179.5), 111),
        ((90.0, 0.0), (-90.0, 0.0), 20015),
    ],
)
def test_distances_are_those_over_the_globe(here, there, expected):
    assert kilometres(at(*here), there) == pytest.approx(expected, rel=0.01)


@settings(deadline=None)
@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_a_distance_is_the_same_both_ways_and_none_is_longer_than_half_the_globe(a, b, c, d):
    there, back = kilometres(at(a, b), (c, d)), kilometres(at(c, d), (a, b))
    assert there == pytest.approx(back, abs=1e-3)
    assert 0 <= there <= 20_016


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("DE", "eu-central-1"),
        ("SG", "ap-southeast-1"),
        ("US-OR", "us-west-2"),
        ("US-VA", "us-east-1"),
        ("IE", "eu-west-1"),
        ("GB", "eu-west-2"),
        ("JP", "ap-northeast-1"),
        ("BR", "sa-east-1"),
        ("IN", "ap-south-2"),
        ("ZA", "af-south-1"),
    ],
)
def test_the_nearest_region_of_a_place_is_the_one_that_people_expect(place, region):
    asker = place_named(place)
    assert asker is not None
    assert min(ENABLED | OPT_IN, key=lambda name: kilometres(asker, point_of_region(name))) == region
