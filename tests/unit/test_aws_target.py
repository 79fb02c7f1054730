"""The addresses that follow from where a workshop is deployed."""

from __future__ import annotations

from pathlib import Path

from workshop.aws.target import Target

SITES = Path("/state/sites")


def test_on_aws_an_api_has_its_regions_own_name():
    target = Target("aws", SITES)
    address = "https://abc.execute-api.eu-west-1.amazonaws.com/api/"
    assert target.api_url("abc", "eu-west-1", "api") == target.api_path_url("abc", "eu-west-1", "api") == address
    assert target.site_url("films") == "file:///state/sites/films/"


def test_on_the_local_cloud_browsers_get_a_name_and_everything_else_a_path():
    target = Target("local", SITES, endpoint="http://127.0.0.1:4567", gateway="127.0.0.1:4567", serves_sites=True)
    assert target.api_url("abc", "eu-west-1", "api") == "http://abc.execute-api.eu-west-1.localhost:4567/api/"
    assert target.api_path_url("abc", "eu-west-1", "api") == "http://127.0.0.1:4567/_aws/execute-api/abc/api/"
    assert target.site_url("films") == "http://127.0.0.1:4567/_workshop/sites/films/"


def test_an_emulator_that_is_not_ours_serves_apis_by_path_and_no_sites():
    target = Target("aws", SITES, endpoint="http://127.0.0.1:5000", gateway="127.0.0.1:5000")
    assert target.api_url("abc", "eu-west-1", "api") == "http://127.0.0.1:5000/_aws/execute-api/abc/api/"
    assert target.site_url("films").startswith("file://")
    assert target.site_folder("films") == SITES / "films"
