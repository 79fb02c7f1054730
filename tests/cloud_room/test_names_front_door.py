"""The front door: a name of a zone is resolved for the client that asks for it, and its request goes to the API of the region."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, free_port
from tests.warm import clouds
from workshop.cloud import daemon
from workshop.cloud.hosts import ADDRESSES

HOME, REPLICA = "us-west-2", "eu-west-1"
REGIONS = (HOME, REPLICA)
ZONE, NAME = "rydes.localhost", "api.rydes.localhost"
STALE = 300.0


class Names:
    """A cloud with an API in two regions, and a zone whose records a test writes."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.apis = {region: cloud.stack(region=region, name="names") for region in REGIONS}
        self.route53 = cloud.client("route53")
        created = self.route53.create_hosted_zone(Name=ZONE, CallerReference=str(time.time()))
        self.zone = created["HostedZone"]["Id"].split("/")[-1]

    def write(self, *records: dict[str, Any]) -> None:
        """Replace every record of the tests, and let nobody remember the old ones."""
        self.write_without_flush(*records)
        self.cloud.control("DELETE", "dns/cache")

    def write_without_flush(self, *records: dict[str, Any]) -> None:
        listed = self.route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        old = [{"Action": "DELETE", "ResourceRecordSet": row} for row in listed if row["Type"] not in ("NS", "SOA")]
        new = [{"Action": "CREATE", "ResourceRecordSet": row} for row in records]
        if old or new:
            self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": old + new})

    def custom_domain(self, region: str) -> str:
        """The name as a custom domain of a region, with the API at its root and below `v1`; returns its target."""
        acm, gateway = self.cloud.client("acm", region), self.cloud.client("apigateway", region)
        arn = acm.request_certificate(DomainName=NAME, ValidationMethod="DNS")["CertificateArn"]

        def described() -> dict[str, Any]:
            return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])

        eventually(lambda: "ResourceRecord" in described()["DomainValidationOptions"][0])
        proof = described()["DomainValidationOptions"][0]["ResourceRecord"]
        row = {"Name": proof["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": proof["Value"]}]}
        self.write(row)
        eventually(lambda: described()["Status"] == "ISSUED")
        made = gateway.create_domain_name(
            domainName=NAME, regionalCertificateArn=arn, endpointConfiguration={"types": ["REGIONAL"]}
        )
        gateway.create_base_path_mapping(domainName=NAME, restApiId=self.apis[region], stage="api")
        gateway.create_base_path_mapping(domainName=NAME, restApiId=self.apis[region], stage="api", basePath="v1")
        return str(made["regionalDomainName"])

    def endpoint(self, region: str) -> str:
        return f"{self.apis[region]}.execute-api.{region}.amazonaws.com"

    def cname(self, region: str, **more: Any) -> dict[str, Any]:
        values = [{"Value": self.endpoint(region)}]
        return {"Name": NAME, "Type": "CNAME", "TTL": 60, "ResourceRecords": values, **more}

    def pair(self) -> list[dict[str, Any]]:
        return [self.cname(region, SetIdentifier=region, Weight=50) for region in REGIONS]

    def ask(
        self, client: str = "", *, host: str = NAME, path: str = "/api/", to: str = "127.0.0.1", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        port = int(self.cloud.state.port or 0)
        connection = http.client.HTTPConnection(to, port, timeout=20)
        named = {"X-Workshop-Client": client} if client else {}
        try:
            connection.request("GET", path, headers={"Host": f"{host}:{port}", **named, **headers})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def region(self, client: str = "", **more: Any) -> tuple[str, str]:
        """The region that a request reached and how it was found; the API itself names the same region."""
        status, headers, body = self.ask(client, **more)
        assert status == 200, body
        assert json.loads(body)["region"] == headers["x-workshop-region"]
        return headers["x-workshop-region"], headers["x-workshop-dns"]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """In the profile `realistic`, so that an answer is kept for a minute."""
    folder = tmp_path_factory.mktemp("names-cloud")
    made = Names(Cloud(folder, clouds.start(folder, port=free_port(), timing="instant")))
    clouds.start(folder, timing="realistic", scale=1.0)
    yield made
    daemon.stop(folder)


@pytest.fixture(autouse=True)
def _no_fault(names: Names) -> Iterator[None]:
    yield
    names.cloud.control("DELETE", "faults")


def test_a_name_of_a_zone_leads_to_the_api_of_a_region_and_says_so(names: Names) -> None:
    names.write(names.cname(REPLICA))
    assert names.region("ana") == (REPLICA, "asked")


def test_one_client_stays_where_its_first_answer_was_and_others_spread(names: Names) -> None:
    names.write(*names.pair())
    first = names.region("ana")
    assert first[1] == "asked"
    assert {names.region("ana") for _ in range(10)} == {(first[0], "cache")}
    assert {names.region(f"client {number}")[0] for number in range(30)} == set(REGIONS)


def test_a_flush_lets_the_next_request_ask_again(names: Names) -> None:
    names.write(names.cname(HOME))
    names.region("ana")
    names.write_without_flush(names.cname(REPLICA))
    assert names.region("ana") == (HOME, "cache")
    assert names.cloud.control("DELETE", "dns/cache") == (200, {"flushed": 1})
    assert names.region("ana") == (REPLICA, "asked")


def test_a_client_says_where_it_is(names: Names) -> None:
    names.write(*[names.cname(region, SetIdentifier=region, Region=region) for region in REGIONS])
    assert names.region("ana", **{"X-Workshop-From": "DE"})[0] == REPLICA
    assert names.region("ana", **{"X-Workshop-From": "US-OR"})[0] == HOME
    status, _, body = names.ask("ana", **{"X-Workshop-From": "Atlantis"})
    assert status == 400 and "Atlantis" in json.loads(body)["message"]


@pytest.mark.skipif(not Path("/proc/net").exists(), reason="only Linux has more than one loopback address")
def test_who_connects_to_the_address_of_a_region_is_served_by_that_region(names: Names) -> None:
    names.write(*names.pair())
    for region in REGIONS:
        assert {names.region(to=ADDRESSES[region]) for _ in range(3)} == {(region, "address")}
    assert names.ask(to=ADDRESSES["eu-central-1"])[0] == 403


def test_pages_may_read_the_region_where_the_api_allows_them_to_read_anything(names: Names) -> None:
    names.write(names.cname(HOME))
    page = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    _, headers, _ = names.ask("ana", **page)
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-expose-headers"] == "X-Workshop-Region, X-Workshop-Dns"
    status, headers, _ = names.ask("ana", path="/api/fail", **page)
    assert status == 502 and "access-control-expose-headers" not in headers and headers["x-workshop-region"] == HOME


@pytest.mark.parametrize(
    ("host", "status", "word"),
    [
        ("absent.rydes.localhost", 421, "no record"),
        ("text.rydes.localhost", 502, "no address"),
        ("elsewhere.rydes.localhost", 502, "www.example.com"),
        ("typed.rydes.localhost", 502, "192.0.2.1"),
    ],
)
def test_a_name_that_leads_nowhere_fails_as_its_resolver_would(names: Names, host: str, status: int, word: str) -> None:
    names.write(
        {"Name": "text.rydes.localhost", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]},
        {"Name": "elsewhere.rydes.localhost", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "www.example.com"}]},
        {"Name": "typed.rydes.localhost", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
    )
    got, _, body = names.ask("ana", host=host)
    assert got == status and word in json.loads(body)["message"]


@pytest.mark.parametrize("api", ["00000000", ""])
def test_an_api_that_does_not_exist_there_is_forbidden_under_a_name_too(names: Names, api: str) -> None:
    target = f"{api or names.apis[REPLICA]}.execute-api.{HOME}.localhost"
    names.write({**names.cname(HOME), "ResourceRecords": [{"Value": target}]})
    assert names.ask("ana")[0] == 403


def test_a_name_that_is_not_below_localhost_is_never_served(names: Names) -> None:
    zone = names.route53.create_hosted_zone(Name="rydes.example", CallerReference=str(time.time()))["HostedZone"]["Id"]
    row = {**names.cname(HOME), "Name": "api.rydes.example"}
    names.route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
    )
    for to in ("127.0.0.1", *([ADDRESSES[HOME]] if Path("/proc/net").exists() else [])):
        status, headers, _ = names.ask(host="api.rydes.example", to=to)
        assert (status, headers["x-amzn-errortype"]) == (421, "MisdirectedRequest")


def test_a_name_reaches_nothing_but_its_api(names: Names) -> None:
    names.write(names.cname(HOME))
    page = {"Origin": "https://evil.example"}
    for path in ("/_workshop/reset", "/_ministack/reset", "/2015-03-31/functions/", "/_workshop/sites/x/index.html"):
        for headers in (page, {}):
            assert names.ask("ana", path=path, **headers)[0] in (403, 404)
    assert names.cloud.client("lambda").list_functions()["Functions"]


def test_a_zone_of_the_name_localhost_takes_no_other_name_of_the_cloud(names: Names) -> None:
    zone = names.route53.create_hosted_zone(Name="localhost", CallerReference=str(time.time()))["HostedZone"]["Id"]
    try:
        assert names.cloud.client("s3").list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert names.ask(host=f"{names.apis[HOME]}.execute-api.{HOME}.localhost")[0] == 200
        assert names.ask(host="bucket.s3.localhost", path="/")[0] == 404
    finally:
        names.route53.delete_hosted_zone(Id=zone)


def test_a_zone_of_another_account_is_served_too(names: Names) -> None:
    other = names.cloud.client("route53", account="123456789012")
    zone = other.create_hosted_zone(Name="other.localhost", CallerReference=str(time.time()))["HostedZone"]["Id"]
    row = {**names.cname(REPLICA), "Name": "api.other.localhost"}
    other.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
    )
    assert names.region("ana", host="api.other.localhost") == (REPLICA, "asked")


def test_a_region_whose_gateway_is_down_fails_every_call_and_its_aliases_give_way(names: Names) -> None:
    names.write(*names.pair())
    assert names.cloud.control("POST", "faults", {"kind": "gateway-down", "region": HOME})[0] == 200
    statuses = {region: status for client in range(30) for status, region in [_outcome(names, f"down {client}")]}
    assert statuses == {HOME: 503, REPLICA: 200}
    assert names.cloud.http(f"/_aws/execute-api/{names.apis[HOME]}/api/")[0] == 503
    aliased = {"HostedZoneId": "Z2OJLYMUO9EFXC", "EvaluateTargetHealth": True}
    names.write(
        *[
            {
                "Name": NAME, "Type": "A", "SetIdentifier": region, "Weight": 50,
                "AliasTarget": {**aliased, "DNSName": names.endpoint(region)},
            }
            for region in REGIONS
        ]
    )  # fmt: skip
    assert {names.region(f"alias {client}")[0] for client in range(30)} == {REPLICA}
    names.cloud.control("DELETE", "faults")
    assert {names.region(f"back {client}")[0] for client in range(30)} == set(REGIONS)


def _outcome(names: Names, client: str) -> tuple[int, str]:
    status, headers, _ = names.ask(client)
    return status, headers["x-workshop-region"]


def test_a_stale_resolver_keeps_an_answer_beyond_its_ttl(names: Names) -> None:
    clouds.start(names.cloud.home, timing="instant", scale=1.0)
    try:
        names.write(names.cname(HOME))
        names.cloud.control("POST", "faults", {"kind": "stale-resolver", "seconds": STALE})
        names.region("ana")
        names.write_without_flush(names.cname(REPLICA))
        eventually(lambda: _left(names) < STALE)  # its TTL is over
        assert names.region("ana") == (HOME, "cache")
        names.cloud.control("DELETE", "faults")
        eventually(lambda: names.region("ana")[0] == REPLICA)
    finally:
        clouds.start(names.cloud.home, timing="realistic", scale=1.0)


def _left(names: Names) -> float:
    (row,) = names.cloud.control("GET", "dns")[1]["cache"]
    return float(row["seconds"])


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "gateway-down"}, "region"),
        ({"kind": "gateway-down", "region": HOME, "service": "dynamodb"}, "APIs"),
        ({"kind": "stale-resolver"}, "seconds"),
    ],
)
def test_a_fault_of_names_that_says_too_little_is_refused(names: Names, fault: dict[str, Any], word: str) -> None:
    status, document = names.cloud.control("POST", "faults", fault)
    assert status == 400 and word in document["message"]


def test_a_record_that_is_written_is_in_force_at_once_and_its_removal_too(names: Names) -> None:
    names.write(names.cname(HOME))
    assert names.region("new") == (HOME, "asked")
    names.write()
    assert names.ask("new")[0] == 421


def test_a_custom_domain_is_served_by_its_own_name_in_its_own_region(names: Names) -> None:
    clouds.start(names.cloud.home, timing="instant", scale=1.0)
    try:
        target = names.custom_domain(HOME)
        names.write({**names.cname(HOME), "ResourceRecords": [{"Value": target}]})
        for path in ("/", "/some/path", "/v1", "/v1/some/path"):
            assert names.region("ana", path=path)[0] == HOME
        assert names.ask(host=target, path="/")[0] == 403, "an endpoint takes no target's name as its Host"
        names.write({**names.cname(HOME), "ResourceRecords": [{"Value": target.replace(HOME, REPLICA)}]})
        assert names.ask("ana", path="/")[0] == 502, "there is no such target"
        names.write({**names.cname(HOME), "Name": "other.rydes.localhost", "ResourceRecords": [{"Value": target}]})
        assert names.ask("ana", host="other.rydes.localhost", path="/")[0] == 403, "the region knows no domain of this name"
        targets = {HOME: target, REPLICA: names.custom_domain(REPLICA)}
        for region in REGIONS:
            names.write({**names.cname(region), "ResourceRecords": [{"Value": targets[region]}]})
            assert names.region("ana", path="/")[0] == region
        names.cloud.client("apigateway", REPLICA).delete_domain_name(domainName=NAME)
        if Path("/proc/net").exists():
            names.write({**names.cname(HOME), "ResourceRecords": [{"Value": target}]})
            assert names.region("ana", path="/v1/x", to=ADDRESSES[HOME]) == (HOME, "address")
            assert names.ask("ana", path="/v1/x", to=ADDRESSES[REPLICA])[0] == 403
    finally:
        names.cloud.client("apigateway", HOME).delete_domain_name(domainName=NAME)
        clouds.start(names.cloud.home, timing="realistic", scale=1.0)
