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


def test_each_of_several_accounts_has_a_folder_of_sites_of_its_own():
    target = Target("aws", Path("/state/sites/aws-111122223333")).for_account("444455556666")
    assert target.site_folder("films") == Path("/state/sites/aws-444455556666/films")
    assert target.site_url("films") == "file:///state/sites/aws-444455556666/films/"


def test_on_the_local_cloud_the_sites_of_several_accounts_are_served_below_their_accounts():
    local = Target("local", Path("/state/sites/local"), gateway="127.0.0.1:4567", serves_sites=True).for_account("444455556666")
    assert local.site_folder("films") == Path("/state/sites/local/444455556666/films")
    assert local.site_url("films") == "http://127.0.0.1:4567/_workshop/sites/444455556666/films/"


def test_a_name_has_an_address_only_where_its_zone_is_delegated():
    at_aws, at_cloud = Target("aws", Path("sites")), Target("local", Path("sites"), gateway="127.0.0.1:4566")
    assert at_aws.name_url("api.event.example.com", delegated=True) == "https://api.event.example.com/"
    assert at_cloud.name_url("api.backend.localhost", delegated=True) == "http://api.backend.localhost:4566/"
    for target in (at_aws, Target("aws", Path("sites"), gateway="127.0.0.1:4566")):
        assert target.name_url("api.films-111122223333.example.net", delegated=False) == ""


def test_programs_reach_names_below_localhost_at_the_local_cloud_and_all_others_by_their_name():
    cloud = Target("local", SITES, gateway="127.0.0.1:4567")
    assert cloud.reached_at("d1.cloudfront.localhost") == cloud.reached_at("API.Rydes.Localhost.") == "127.0.0.1"
    assert cloud.reached_at("example.com") == "example.com"
    assert Target("aws", SITES).reached_at("d1.cloudfront.localhost") == "d1.cloudfront.localhost"
