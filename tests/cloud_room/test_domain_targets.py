"""Which API a host and a path mean, by the custom domains of every account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ministack.services import apigateway_v1

from workshop.cloud.domain_targets import ApiTarget, domain_target, region_of_domain_target
from workshop.cloud.names.lookup import ResolvedName
from workshop.cloud.names.places import DEFAULT
from workshop.cloud.names.probing import Reach

ONE, TWO = "111111111111", "222222222222"
TARGETS = {
    (ONE, "us-west-2"): "d-0123456789.execute-api.us-west-2.localhost",
    (ONE, "eu-west-1"): "d-abcdef0123.execute-api.eu-west-1.localhost",
    (TWO, "us-west-2"): "d-9876543210.execute-api.us-west-2.localhost",
}


@pytest.fixture(autouse=True)
def _domains() -> Iterator[None]:
    """One name in two regions of one account and in another account, and a wildcard."""
    apigateway_v1.reset()
    for number, ((account, region), target) in enumerate(TARGETS.items()):
        add(account, region, "api.rydes.localhost", target, **{"(none)": (f"api{number}", "prod")})
    add(ONE, "us-west-2", "*.wild.localhost", "d-5555555555.execute-api.us-west-2.localhost", **{"(none)": ("wild", "prod")})
    yield
    apigateway_v1.reset()


def add(account: str, region: str, name: str, target: str, **mappings: tuple[str, str]) -> None:
    apigateway_v1._domain_names.set_scoped(account, region, name, {"domainName": name, "regionalDomainName": target})
    shown = {base: {"basePath": base, "restApiId": api, "stage": stage} for base, (api, stage) in mappings.items()}
    apigateway_v1._base_path_mappings.set_scoped(account, region, name, shown)


def test_a_regional_name_means_one_domain_of_one_account_and_region() -> None:
    for number, ((account, region), target) in enumerate(TARGETS.items()):
        assert domain_target(target, path="/health") == ApiTarget(account, region, f"api{number}", "prod", "/health")
        assert region_of_domain_target(target) == region


def test_a_custom_name_means_the_domain_of_the_region_that_is_asked_for() -> None:
    found = domain_target("api.rydes.localhost", "eu-west-1")
    assert found is not None and (found.region, found.api) == ("eu-west-1", "api1")
    assert domain_target("api.rydes.localhost", "sa-east-1") is None
    first = domain_target("API.Rydes.Localhost.")
    assert first is not None and first.region == "us-west-2"


def test_a_custom_name_is_no_regional_name() -> None:
    assert region_of_domain_target("api.rydes.localhost") == ""
    assert region_of_domain_target("d-0000000000.execute-api.us-west-2.localhost") == ""


def test_a_wildcard_means_one_label() -> None:
    assert domain_target("any.wild.localhost")
    assert not domain_target("a.b.wild.localhost") and not domain_target("wild.localhost")


def test_the_longest_base_path_wins_and_is_taken_off() -> None:
    mappings = {"(none)": ("root", "prod"), "v1": ("one", "prod"), "v1/inner": ("inner", "prod")}
    add(ONE, "us-west-2", "paths.localhost", "d-1111111111.execute-api.us-west-2.localhost", **mappings)

    def called(path: str) -> tuple[str, str]:
        found = domain_target("paths.localhost", path=path)
        assert found is not None
        return found.api, found.path

    assert called("/v1/things") == ("one", "/things")
    assert called("/v1") == ("one", "/")
    assert called("/v1/inner/x") == ("inner", "/x")
    assert called("/v10/x") == ("root", "/v10/x")
    assert called("/") == ("root", "/")


def test_without_a_stage_the_path_names_it() -> None:
    add(ONE, "us-west-2", "stageless.localhost", "d-2222222222.execute-api.us-west-2.localhost", **{"v1": ("one", "")})
    found = domain_target("stageless.localhost", path="/v1/prod/things")
    assert found == ApiTarget(ONE, "us-west-2", "one", "prod", "/things") and found.staged_path == "/prod/things"
    unnamed = domain_target("stageless.localhost", path="/v1")
    assert unnamed is not None and unnamed.staged_path == "/"


def test_a_checker_reaches_a_domain_without_a_zone_by_the_mapping_of_its_path() -> None:
    """Also where nothing is mapped at the root."""
    add(ONE, "us-west-2", "bare.example.com", "d-4444444444.execute-api.us-west-2.localhost", **{"v1": ("one", "prod")})
    reach = Reach(lambda *_: ResolvedName("REFUSED"), domain_target)
    assert reach.locate("bare.example.com", "/v1/health", DEFAULT) == ("one.execute-api.us-west-2.localhost", "/prod/health")
    assert reach.locate("bare.example.com", "/health", DEFAULT) == "Failure: DNS resolution failed: Rcode Refused(5)"


def test_a_domain_without_a_fitting_mapping_has_no_target() -> None:
    add(ONE, "us-west-2", "bare.localhost", "d-3333333333.execute-api.us-west-2.localhost", **{"v1": ("one", "prod")})
    assert domain_target("bare.localhost", path="/other") is None and domain_target("bare.localhost", path="/v1")
    assert domain_target("nobody.localhost") is None
