"""Hosted zones, reusable delegation sets, limits, simulated queries, and the time until a change is INSYNC."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, refused
from tests.warm import clouds
from workshop.cloud import daemon

NUMBERS = itertools.count()


@pytest.fixture
def client(shared: Cloud) -> Any:
    return shared.client("route53")


def fresh(prefix: str = "zone") -> str:
    return f"{prefix}{next(NUMBERS)}.localhost"


def create(client: Any, name: str = "", **more: Any) -> dict[str, Any]:
    name = name or fresh()
    return dict(client.create_hosted_zone(Name=name, CallerReference=f"r-{name[:60]}-{next(NUMBERS)}", **more))


def own_id(created: dict[str, Any]) -> str:
    return str(created["HostedZone"]["Id"]).rpartition("/")[2]


def add(client: Any, zone: str, name: str, value: str = "192.0.2.1", kind: str = "A") -> Any:
    record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    return client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def test_a_reference_is_used_once_also_after_its_zone_is_gone(client: Any) -> None:
    first = client.create_hosted_zone(Name=fresh(), CallerReference="once")
    code, message = refused(lambda: client.create_hosted_zone(Name=fresh(), CallerReference="once"))
    assert (code, message) == (
        "HostedZoneAlreadyExists",
        "A hosted zone has already been created with the specified caller reference.",
    )
    client.delete_hosted_zone(Id=own_id(first))
    assert refused(lambda: client.create_hosted_zone(Name=fresh(), CallerReference="once"))[0] == "HostedZoneAlreadyExists"


def test_two_zones_of_one_name_are_allowed(client: Any) -> None:
    name = fresh()
    assert own_id(create(client, name)) != own_id(create(client, name))


@pytest.mark.parametrize("name", ["a..localhost", "x" * 64 + ".localhost", ".".join(["a" * 60] * 5)])
def test_a_name_that_is_no_domain_is_refused(client: Any, name: str) -> None:
    assert refused(lambda: create(client, name))[0] == "InvalidDomainName"


def test_a_zone_with_records_is_not_deleted(client: Any) -> None:
    created = create(client)
    zone, name = own_id(created), created["HostedZone"]["Name"]
    add(client, zone, f"www.{name}")
    code, message = refused(lambda: client.delete_hosted_zone(Id=zone))
    assert code == "HostedZoneNotEmpty" and "non-required resource record sets" in message
    record = {"Name": f"www.{name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    client.delete_hosted_zone(Id=zone)
    assert refused(lambda: client.get_hosted_zone(Id=zone))[0] == "NoSuchHostedZone"


def test_a_delegation_of_a_subdomain_keeps_its_zone(client: Any) -> None:
    """NS records below the apex are records as any other."""
    created = create(client)
    add(client, own_id(created), f"sub.{created['HostedZone']['Name']}", "ns.example.com.", "NS")
    assert refused(lambda: client.delete_hosted_zone(Id=own_id(created)))[0] == "HostedZoneNotEmpty"


def test_a_delegation_set_gives_its_name_servers_to_several_zones(client: Any) -> None:
    made = client.create_reusable_delegation_set(CallerReference=fresh("set"))["DelegationSet"]
    assert len(made["NameServers"]) == 4 and made["Id"].startswith("/delegationset/N")
    zones = [create(client, DelegationSetId=made["Id"]) for _ in range(2)]
    for created in zones:
        assert created["DelegationSet"]["NameServers"] == made["NameServers"]
        shown = client.get_hosted_zone(Id=own_id(created))["DelegationSet"]
        assert (shown["Id"], shown["NameServers"]) == (made["Id"], made["NameServers"])
        records = client.list_resource_record_sets(HostedZoneId=own_id(created))["ResourceRecordSets"]
        own = next(record for record in records if record["Type"] == "NS")
        assert [value["Value"] for value in own["ResourceRecords"]] == [f"{server}." for server in made["NameServers"]]
    limit = client.get_reusable_delegation_set_limit(Type="MAX_ZONES_BY_REUSABLE_DELEGATION_SET", DelegationSetId=made["Id"])
    assert (limit["Limit"]["Value"], limit["Count"]) == (100, 2)
    assert refused(lambda: client.delete_reusable_delegation_set(Id=made["Id"]))[0] == "DelegationSetInUse"
    for created in zones:
        client.delete_hosted_zone(Id=own_id(created))
    client.delete_reusable_delegation_set(Id=made["Id"])
    assert refused(lambda: client.get_reusable_delegation_set(Id=made["Id"]))[0] == "NoSuchDelegationSet"


def test_delegation_sets_are_listed_page_by_page(shared: Cloud) -> None:
    client = shared.client("route53", account="303303303303")
    made = {client.create_reusable_delegation_set(CallerReference=fresh("set"))["DelegationSet"]["Id"] for _ in range(3)}
    first = client.list_reusable_delegation_sets(MaxItems="2")
    assert first["IsTruncated"] is True
    rest = client.list_reusable_delegation_sets(MaxItems="2", Marker=first["NextMarker"])
    assert rest["IsTruncated"] is False
    assert {each["Id"] for each in (*first["DelegationSets"], *rest["DelegationSets"])} == made


def test_a_zones_own_name_servers_become_reusable(client: Any) -> None:
    created = create(client)
    made = client.create_reusable_delegation_set(CallerReference=fresh("set"), HostedZoneId=own_id(created))["DelegationSet"]
    assert client.get_hosted_zone(Id=own_id(created))["DelegationSet"]["Id"] == made["Id"]
    again = {"CallerReference": fresh("set"), "HostedZoneId": own_id(created)}
    assert refused(lambda: client.create_reusable_delegation_set(**again))[0] == "DelegationSetAlreadyReusable"


def test_delegation_sets_that_cannot_be_are_refused(client: Any, shared: Cloud) -> None:
    name = fresh("set")
    made = client.create_reusable_delegation_set(CallerReference=name)["DelegationSet"]["Id"]
    assert refused(lambda: client.create_reusable_delegation_set(CallerReference=name))[0] == "DelegationSetAlreadyCreated"
    assert refused(lambda: create(client, DelegationSetId="N0"))[0] == "NoSuchDelegationSet"
    other = shared.client("route53", account="999999999999")
    assert refused(lambda: other.get_reusable_delegation_set(Id=made))[0] == "NoSuchDelegationSet"


def test_zones_are_counted_against_their_limits(shared: Cloud) -> None:
    client = shared.client("route53", account="404404404404")
    assert client.get_hosted_zone_count()["HostedZoneCount"] == 0
    zone = own_id(create(client))
    assert client.get_hosted_zone_count()["HostedZoneCount"] == 1
    limit = client.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER")
    assert (limit["Limit"]["Value"], limit["Count"]) == (500, 1)
    records = client.get_hosted_zone_limit(Type="MAX_RRSETS_BY_ZONE", HostedZoneId=zone)
    assert (records["Limit"]["Value"], records["Count"]) == (10_000, 2)
    vpcs = {"Type": "MAX_VPCS_ASSOCIATED_BY_ZONE", "HostedZoneId": zone}
    assert refused(lambda: client.get_hosted_zone_limit(**vpcs))[0] == "HostedZoneNotPrivate"
    unknown = {"Type": "MAX_RRSETS_BY_ZONE", "HostedZoneId": "Z0"}
    assert refused(lambda: client.get_hosted_zone_limit(**unknown))[0] == "NoSuchHostedZone"


def test_a_simulated_query_returns_what_the_records_say(client: Any) -> None:
    created = create(client)
    zone, name = own_id(created), created["HostedZone"]["Name"]
    add(client, zone, f"www.{name}", "192.0.2.7")
    answer = client.test_dns_answer(HostedZoneId=zone, RecordName=f"www.{name}", RecordType="A")
    assert (answer["RecordData"], answer["ResponseCode"], answer["Protocol"]) == (["192.0.2.7"], "NOERROR", "UDP")
    absent = client.test_dns_answer(HostedZoneId=zone, RecordName=f"nothing.{name}", RecordType="A")
    assert (absent["RecordData"], absent["ResponseCode"]) == ([], "NXDOMAIN")
    other = client.test_dns_answer(HostedZoneId=zone, RecordName=f"www.{name}", RecordType="AAAA")
    assert (other["RecordData"], other["ResponseCode"]) == ([], "NOERROR")
    outside = {"HostedZoneId": zone, "RecordName": "www.example.com", "RecordType": "A"}
    assert refused(lambda: client.test_dns_answer(**outside))[0] == "InvalidInput"


def test_a_simulated_query_asks_from_where_its_resolver_is(client: Any) -> None:
    created = create(client)
    zone, name = own_id(created), created["HostedZone"]["Name"]
    changes = []
    for region, value in (("ap-southeast-1", "192.0.2.1"), ("us-west-2", "192.0.2.2")):
        record = {"Name": f"near.{name}", "Type": "A", "TTL": 60, "SetIdentifier": region, "Region": region}
        changes.append({"Action": "CREATE", "ResourceRecordSet": {**record, "ResourceRecords": [{"Value": value}]}})
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def asked(**where: str) -> list[str]:
        answer = client.test_dns_answer(HostedZoneId=zone, RecordName=f"near.{name}", RecordType="A", **where)
        return list(answer["RecordData"])

    assert asked(ResolverIP="198.51.100.7") == ["192.0.2.1"]
    assert asked(ResolverIP="203.0.113.7") == ["192.0.2.2"]
    assert asked(ResolverIP="203.0.113.7", EDNS0ClientSubnetIP="198.51.100.7") == ["192.0.2.1"]


def test_a_change_is_pending_for_its_time_then_insync(emptied: Cloud) -> None:
    clouds.start(emptied.home, timing="realistic", scale=1.0)
    client = emptied.client("route53")
    slow = create(client)["ChangeInfo"]["Id"]
    assert [client.get_change(Id=slow)["ChangeInfo"]["Status"] for _ in range(3)] == ["PENDING"] * 3
    clouds.start(emptied.home, timing="fast", scale=0.1)
    quick = create(client)["ChangeInfo"]["Id"]
    eventually(lambda: client.get_change(Id=quick)["ChangeInfo"]["Status"] == "INSYNC")
    assert client.get_change(Id=slow)["ChangeInfo"]["Status"] == "PENDING"
    assert refused(lambda: client.get_change(Id="C0"))[0] == "NoSuchChange"


def test_everything_is_there_after_a_restart(cloud: Cloud) -> None:
    client = cloud.client("route53")
    made = client.create_reusable_delegation_set(CallerReference="set")["DelegationSet"]
    zone = own_id(create(client, "kept.localhost", DelegationSetId=made["Id"]))
    place = {"Coordinates": {"Latitude": "10", "Longitude": "20"}, "Bias": 3}
    record = {"Name": "near.kept.localhost", "Type": "A", "TTL": 60, "SetIdentifier": "one", "GeoProximityLocation": place}
    record["ResourceRecords"] = [{"Value": "192.0.2.1"}]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    settings = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.example.com", "EnableSNI": True}
    check = client.create_health_check(CallerReference="check", HealthCheckConfig=settings)["HealthCheck"]["Id"]
    gone = client.create_health_check(CallerReference="gone", HealthCheckConfig=settings)["HealthCheck"]["Id"]
    client.delete_health_check(HealthCheckId=gone)
    daemon.stop(cloud.home)
    clouds.start(cloud.home, timing="instant")
    assert client.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"] == made["NameServers"]
    records = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert next(each for each in records if each["Type"] == "A")["GeoProximityLocation"] == place
    assert client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]["EnableSNI"] is True
    for name in ("check", "gone"):
        other = {**settings, "ResourcePath": "/other"}
        code, _ = refused(
            lambda name=name, other=other: client.create_health_check(CallerReference=name, HealthCheckConfig=other)
        )
        assert code == "HealthCheckAlreadyExists"


def test_a_reset_leaves_no_delegation_set(emptied: Cloud) -> None:
    client = emptied.client("route53")
    client.create_reusable_delegation_set(CallerReference="set")
    daemon.reset(emptied.home)
    assert client.list_reusable_delegation_sets()["DelegationSets"] == []
