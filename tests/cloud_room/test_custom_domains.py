"""Custom domains of API Gateway: certificates that fit, names that exist once, mappings that stay."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, refused
from tests.cloud_room.test_certificates import OTHER, fresh, issued, look, record_of, request
from tests.warm import clouds
from workshop.cloud import daemon

REGIONAL = {"types": ["REGIONAL"]}


@pytest.fixture
def gateway(shared: Cloud) -> Any:
    return shared.client("apigateway")


def create(gateway: Any, name: str, arn: str, **more: Any) -> dict[str, Any]:
    data = {"domainName": name, "regionalCertificateArn": arn, "endpointConfiguration": REGIONAL, **more}
    return dict(gateway.create_domain_name(**data))


def api(gateway: Any) -> str:
    return str(gateway.create_rest_api(name="api", endpointConfiguration=REGIONAL)["id"])


def test_a_domain_is_available_under_a_regional_name_that_browsers_resolve(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    made = create(gateway, name, issued(shared, name), securityPolicy="TLS_1_2", tags={"workshop": "x"})
    assert made["domainNameStatus"] == "AVAILABLE"
    assert re.fullmatch(r"d-[0-9a-f]{10}\.execute-api\.us-west-2\.localhost", made["regionalDomainName"])
    shown = gateway.get_domain_name(domainName=name)
    assert (shown["regionalDomainName"], shown["tags"]) == (made["regionalDomainName"], {"workshop": "x"})


def test_a_name_exists_once_in_a_region_and_again_in_another(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    made = create(gateway, name, issued(shared, name))
    code, message = refused(lambda: create(gateway, name, made["regionalCertificateArn"]))
    assert (code, message) == ("ConflictException", "The domain name you provided already exists.")
    assert gateway.get_domain_name(domainName=name)["regionalDomainName"] == made["regionalDomainName"]
    there = request(shared, name, "eu-west-1")
    other = create(shared.client("apigateway", "eu-west-1"), name, there)
    assert other["regionalDomainName"].endswith(".execute-api.eu-west-1.localhost")


def test_another_account_may_have_the_same_name(shared: Cloud, gateway: Any) -> None:
    """So that the seats of an event can be rehearsed on one machine."""
    name = fresh()
    made = create(gateway, name, issued(shared, name))
    other = shared.client("apigateway", account=OTHER)
    theirs = create(other, name, issued(shared, name, account=OTHER))
    assert theirs["regionalDomainName"] != made["regionalDomainName"]
    other.delete_domain_name(domainName=name)
    assert gateway.get_domain_name(domainName=name)["regionalDomainName"] == made["regionalDomainName"]


def test_a_certificate_that_does_not_exist_is_refused(shared: Cloud, gateway: Any) -> None:
    arn = f"arn:aws:acm:us-west-2:{daemon.ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000"
    code, message = refused(lambda: create(gateway, fresh(), arn))
    assert (code, message) == ("BadRequestException", "The provided certificate does not exist.")


def test_a_certificate_of_another_account_is_refused(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    arn = issued(shared, name)
    other = shared.client("apigateway", account=OTHER)
    assert refused(lambda: create(other, name, arn)) == ("BadRequestException", "The provided certificate does not exist.")


def test_a_certificate_that_is_not_issued_is_refused(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    code, message = refused(lambda: create(gateway, name, request(shared, name)))
    assert code == "BadRequestException" and "PENDING_VALIDATION" in message


def test_a_certificate_for_other_names_is_refused(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    arn = issued(shared, name)
    for wrong in (fresh(), f"sub.{name}"):
        code, message = refused(lambda wrong=wrong: create(gateway, wrong, arn))
        assert (code, message) == ("BadRequestException", "The domain name to be created is not provided in the certificate.")


def test_a_wildcard_covers_one_label(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    arn = issued(shared, f"w.{name}", SubjectAlternativeNames=[f"*.w.{name}"])
    create(gateway, f"api.w.{name}", arn)
    assert refused(lambda: create(gateway, f"a.b.w.{name}", arn))[0] == "BadRequestException"


def test_a_certificate_of_another_region_is_refused(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    arn = issued(shared, name, "eu-west-1")
    code, message = refused(lambda: create(gateway, name, arn))
    assert code == "BadRequestException" and message.endswith("Certificate must be in 'us-west-2'.")


def test_a_domain_needs_a_certificate(gateway: Any) -> None:
    code, message = refused(lambda: gateway.create_domain_name(domainName=fresh(), endpointConfiguration=REGIONAL))
    assert (code, message) == ("BadRequestException", "A certificate was not provided for the endpoint type REGIONAL.")


def test_a_change_keeps_the_regional_name_and_the_mappings(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    made = create(gateway, name, issued(shared, name))
    mapped = api(gateway)
    gateway.create_base_path_mapping(domainName=name, restApiId=mapped, stage="prod")
    second = request(shared, name)
    changed = gateway.update_domain_name(
        domainName=name, patchOperations=[{"op": "replace", "path": "/regionalCertificateArn", "value": second}]
    )
    assert (changed["regionalCertificateArn"], changed["regionalDomainName"]) == (second, made["regionalDomainName"])
    assert [each["restApiId"] for each in gateway.get_base_path_mappings(domainName=name)["items"]] == [mapped]
    assert look(shared, made["regionalCertificateArn"])["InUseBy"] == []


def test_a_change_to_a_certificate_that_does_not_fit_changes_nothing(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    made = create(gateway, name, issued(shared, name))
    wrong = [
        {"op": "replace", "path": "/securityPolicy", "value": "TLS_1_0"},
        {"op": "replace", "path": "/regionalCertificateArn", "value": issued(shared, fresh())},
    ]
    assert refused(lambda: gateway.update_domain_name(domainName=name, patchOperations=wrong))[0] == "BadRequestException"
    shown = gateway.get_domain_name(domainName=name)
    assert (shown["regionalCertificateArn"], shown["securityPolicy"]) == (made["regionalCertificateArn"], made["securityPolicy"])
    assert refused(lambda: gateway.update_domain_name(domainName=fresh(), patchOperations=wrong))[0] == "NotFoundException"


def test_mappings_are_refused_as_on_aws(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    create(gateway, name, issued(shared, name))
    mapped = api(gateway)
    gateway.create_base_path_mapping(domainName=name, restApiId=mapped, stage="prod")

    def again(**more: Any) -> Any:
        return gateway.create_base_path_mapping(**{"domainName": name, "restApiId": mapped, "stage": "prod", **more})

    assert refused(again) == ("ConflictException", "Base path already exists for this domain name")
    assert refused(lambda: again(restApiId="none")) == ("NotFoundException", "Invalid REST API identifier specified")
    assert refused(lambda: again(domainName=fresh())) == ("NotFoundException", "Invalid domain name identifier specified")
    assert refused(lambda: gateway.delete_base_path_mapping(domainName=name, basePath="none"))[0] == "NotFoundException"
    again(basePath="v2")
    assert {each["basePath"] for each in gateway.get_base_path_mappings(domainName=name)["items"]} == {"(none)", "v2"}


def test_an_empty_base_path_is_the_root(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    create(gateway, name, issued(shared, name))
    gateway.create_base_path_mapping(domainName=name, restApiId=api(gateway), stage="prod", basePath="")
    assert gateway.get_base_path_mapping(domainName=name, basePath="(none)")["stage"] == "prod"


def test_what_is_not_set_is_not_shown(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    create(gateway, name, issued(shared, name))
    shown = gateway.get_domain_name(domainName=name)
    assert not {"mutualTlsAuthentication", "certificateName", "certificateArn"} & shown.keys()


def test_the_newer_api_shows_the_same_domain_and_follows_the_same_rules(shared: Cloud, gateway: Any) -> None:
    name = fresh()
    v2 = shared.client("apigatewayv2")
    config = {"CertificateArn": request(shared, name), "EndpointType": "REGIONAL"}
    assert refused(lambda: v2.create_domain_name(DomainName=name, DomainNameConfigurations=[config]))[0] == "BadRequestException"
    config["CertificateArn"] = issued(shared, name)
    made = v2.create_domain_name(DomainName=name, DomainNameConfigurations=[config])["DomainNameConfigurations"][0]
    assert made["ApiGatewayDomainName"] == gateway.get_domain_name(domainName=name)["regionalDomainName"]
    assert made["ApiGatewayDomainName"].endswith(".execute-api.us-west-2.localhost")


def test_domains_and_their_mappings_survive_a_restart(cloud: Cloud) -> None:
    gateway, name = cloud.client("apigateway"), fresh()
    made = create(gateway, name, issued(cloud, name))
    mapped = api(gateway)
    gateway.create_base_path_mapping(domainName=name, restApiId=mapped, stage="prod")
    daemon.stop(cloud.home)
    clouds.start(cloud.home, timing="instant")
    assert gateway.get_domain_name(domainName=name)["regionalDomainName"] == made["regionalDomainName"]
    assert gateway.get_base_path_mappings(domainName=name)["items"][0]["restApiId"] == mapped
    assert record_of(cloud, made["regionalCertificateArn"])["Name"].endswith(f".{name}.")
