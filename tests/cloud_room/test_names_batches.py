"""ChangeResourceRecordSets as AWS has it: what it refuses, all reasons at once, and all or nothing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, refused

NUMBERS = itertools.count()
NOBODY = "00000000-0000-0000-0000-000000000000"


class Zone:
    """A zone of its own for a test."""

    def __init__(self, cloud: Cloud) -> None:
        self.client = cloud.client("route53")
        self.name = f"z{next(NUMBERS)}.localhost"
        created = self.client.create_hosted_zone(Name=self.name, CallerReference=self.name)
        self.id = created["HostedZone"]["Id"].rpartition("/")[2]

    def change(self, *changes: tuple[str, dict[str, Any]]) -> Any:
        batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
        return self.client.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch={"Changes": batch})

    def create(self, *records: dict[str, Any]) -> Any:
        return self.change(*(("CREATE", record) for record in records))

    def refusal(self, *changes: tuple[str, dict[str, Any]]) -> tuple[str, str]:
        """Code and message; the zone is the same before and after."""
        before = self.records()
        code, message = refused(lambda: self.change(*changes))
        assert self.records() == before
        return code, message

    def records(self) -> list[dict[str, Any]]:
        return list(self.client.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"])

    def own(self) -> list[dict[str, Any]]:
        return [record for record in self.records() if record["Type"] not in ("NS", "SOA")]

    def a(self, name: str, *values: str, **more: Any) -> dict[str, Any]:
        return self.record(name, "A", *(values or ("192.0.2.1",)), **more)

    def record(self, name: str, kind: str, *values: str, **more: Any) -> dict[str, Any]:
        full = f"{name}.{self.name}" if name else self.name
        return {"Name": full, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values], **more}


@pytest.fixture
def zone(shared: Cloud) -> Zone:
    return Zone(shared)


def weighted(zone: Zone, name: str, set_id: str, **more: Any) -> dict[str, Any]:
    return zone.a(name, SetIdentifier=set_id, **{"Weight": 1, **more})


def test_creating_what_exists_is_refused_with_its_name_and_type(zone: Zone) -> None:
    zone.create(zone.a("www"))
    code, message = zone.refusal(("CREATE", zone.a("www", "192.0.2.9")))
    assert code == "InvalidChangeBatch"
    assert message == f"[Tried to create resource record set [name='www.{zone.name}.', type='A'] but it already exists]"


def test_a_set_identifier_that_exists_in_its_group_is_named(zone: Zone) -> None:
    zone.create(weighted(zone, "www", "one"))
    code, message = zone.refusal(("CREATE", weighted(zone, "www", "one", Weight=7)))
    assert code == "InvalidChangeBatch"
    assert f"[name='www.{zone.name}.', type='A', set-identifier='one'] but it already exists" in message


def test_all_reasons_come_at_once_and_nothing_is_changed(zone: Zone) -> None:
    zone.create(zone.a("one"))
    code, message = zone.refusal(
        ("CREATE", zone.a("fine")), ("CREATE", zone.a("one")), ("DELETE", zone.a("two")), ("CREATE", zone.a("three", "no"))
    )
    assert code == "InvalidChangeBatch"
    assert message.startswith("[Tried to create resource record set") and message.endswith("]")
    assert "it was not found" in message and "ARRDATAIllegalIPv4Address" in message
    assert [record["Name"] for record in zone.own()] == [f"one.{zone.name}."]


def test_a_record_can_be_deleted_with_its_exact_values_alone(zone: Zone) -> None:
    zone.create(zone.a("www", "192.0.2.1", "192.0.2.2"))
    for wrong in (zone.a("www"), zone.a("www", "192.0.2.1", "192.0.2.2", TTL=61)):
        code, message = zone.refusal(("DELETE", wrong))
        assert code == "InvalidChangeBatch"
        assert message.endswith("but the values provided do not match the current values]")
    zone.change(("DELETE", zone.a("www", "192.0.2.2", "192.0.2.1")))
    assert zone.own() == []


def test_deleting_what_does_not_exist_is_refused(zone: Zone) -> None:
    code, message = zone.refusal(("DELETE", zone.a("www")))
    assert code == "InvalidChangeBatch"
    assert message == f"[Tried to delete resource record set [name='www.{zone.name}.', type='A'] but it was not found]"


@pytest.mark.parametrize("kind, words", [("NS", "at least one NS record for the zone itself"), ("SOA", "exactly one SOA record")])
def test_the_zones_own_records_cannot_be_deleted(zone: Zone, kind: str, words: str) -> None:
    own = next(record for record in zone.records() if record["Type"] == kind)
    code, message = zone.refusal(("DELETE", own))
    assert code == "InvalidChangeBatch" and words in message


def test_the_zones_name_servers_can_be_written_over(zone: Zone) -> None:
    zone.change(("UPSERT", zone.record("", "NS", "ns.example.com.")))
    assert next(record for record in zone.records() if record["Type"] == "NS")["TTL"] == 60


def test_a_name_outside_the_zone_is_refused(zone: Zone) -> None:
    for name in ("www.example.com", f"not{zone.name}"):
        code, message = zone.refusal(("CREATE", {**zone.a("x"), "Name": name}))
        assert code == "InvalidChangeBatch"
        assert message == f"[RRSet with DNS name {name}. is not permitted in zone {zone.name}.]"


def test_a_cname_at_the_apex_is_refused(zone: Zone) -> None:
    code, message = zone.refusal(("CREATE", zone.record("", "CNAME", "x.example.com")))
    assert code == "InvalidChangeBatch"
    assert message == f"[RRSet of type CNAME with DNS name {zone.name}. is not permitted at apex in zone {zone.name}.]"


def test_a_cname_beside_another_type_is_refused(zone: Zone) -> None:
    zone.create(zone.a("www"))
    code, message = zone.refusal(("CREATE", zone.record("www", "CNAME", "x.example.com")))
    assert code == "InvalidChangeBatch" and "it conflicts with other records with the same DNS name" in message


def test_another_type_beside_a_cname_is_refused(zone: Zone) -> None:
    zone.create(zone.record("www", "CNAME", "x.example.com"))
    code, message = zone.refusal(("CREATE", zone.a("www")))
    assert code == "InvalidChangeBatch" and "a conflicting RRSet of type CNAME with the same DNS name already exists" in message


def test_a_cname_can_take_the_place_of_another_type_in_one_batch(zone: Zone) -> None:
    zone.create(zone.a("www"))
    zone.change(("DELETE", zone.a("www")), ("CREATE", zone.record("www", "CNAME", "x.example.com")))
    assert [record["Type"] for record in zone.own()] == ["CNAME"]


POLICIES: dict[str, dict[str, Any]] = {
    "weighted": {"Weight": 1},
    "latency": {"Region": "eu-west-1"},
    "failover": {"Failover": "PRIMARY"},
    "geolocation": {"GeoLocation": {"ContinentCode": "EU"}},
    "geoproximity": {"GeoProximityLocation": {"AWSRegion": "eu-west-1"}},
    "multivalue answer": {"MultiValueAnswer": True},
}


@pytest.mark.parametrize("policy, other", list(itertools.permutations(POLICIES, 2)))
def test_the_policies_of_a_group_are_not_mixed(zone: Zone, policy: str, other: str) -> None:
    zone.create(zone.a("www", SetIdentifier="one", **POLICIES[other]))
    code, message = zone.refusal(("CREATE", zone.a("www", SetIdentifier="two", **POLICIES[policy])))
    assert code == "InvalidChangeBatch"
    assert message == (
        f"[RRSet with DNS name www.{zone.name}., type A, SetIdentifier two cannot be created as a non-{policy} set exists with "
        "the same name and type.]"
    )


def test_a_simple_record_beside_a_group_is_refused(zone: Zone) -> None:
    zone.create(weighted(zone, "www", "one"))
    code, message = zone.refusal(("CREATE", zone.a("www")))
    assert code == "InvalidChangeBatch"
    assert message.endswith("cannot be created as other RRSets exist with the same name and type.]")


def test_a_group_can_change_its_policy_in_one_batch(zone: Zone) -> None:
    """What a change of policy sends: DELETE before CREATE."""
    old = [weighted(zone, "www", name) for name in ("one", "two")]
    zone.create(*old)
    new = [zone.a("www", SetIdentifier=name, Region=region) for name, region in (("one", "eu-west-1"), ("two", "us-east-1"))]
    zone.change(*(("DELETE", record) for record in old), *(("CREATE", record) for record in new))
    assert [record.get("Region") for record in zone.own()] == ["eu-west-1", "us-east-1"]


@pytest.mark.parametrize(
    "member, value",
    [("Failover", "PRIMARY"), ("Region", "eu-west-1"), ("GeoLocation", {"CountryCode": "DE"})],
)
def test_what_may_occur_once_in_a_group_is_refused_twice(zone: Zone, member: str, value: Any) -> None:
    zone.create(zone.a("www", SetIdentifier="one", **{member: value}))
    code, message = zone.refusal(("CREATE", zone.a("www", SetIdentifier="two", **{member: value})))
    assert code == "InvalidChangeBatch" and "another RRSet exists with the same name, type" in message


def test_two_primaries_in_one_batch_are_refused(zone: Zone) -> None:
    both = [zone.a("www", SetIdentifier=name, Failover="PRIMARY") for name in ("one", "two")]
    code, message = zone.refusal(*(("CREATE", record) for record in both))
    assert code == "InvalidChangeBatch" and "failover PRIMARY" in message


def test_a_health_check_that_does_not_exist_is_refused(zone: Zone) -> None:
    code, message = zone.refusal(("CREATE", weighted(zone, "www", "one", HealthCheckId=NOBODY)))
    assert code == "InvalidChangeBatch" and NOBODY in message


@pytest.mark.parametrize(
    ("more", "value", "limit"),
    [
        ({"Weight": 256}, "256", "maxInclusive '255'"),
        ({"Weight": 300}, "300", "maxInclusive '255'"),
        ({"TTL": 2**31}, "2147483648", "maxInclusive '2147483647'"),
        ({"GeoProximityLocation": {"AWSRegion": "eu-west-1", "Bias": 100}}, "100", "maxInclusive '99'"),
        ({"Region": "mars-1"}, "mars-1", "enumeration '[us-east-1, "),
        ({"Failover": "THIRD"}, "THIRD", "enumeration '[PRIMARY, SECONDARY]'"),
        ({"Type": "AXFR"}, "AXFR", "enumeration '[SOA, A, "),
        ({"SetIdentifier": "x" * 129}, "x" * 129, "maxLength '128'"),
    ],
)
def test_what_does_not_fit_the_model_of_the_service_is_refused(zone: Zone, more: dict[str, Any], value: str, limit: str) -> None:
    code, message = zone.refusal(("CREATE", {**weighted(zone, "www", "one"), **more}))
    assert code == "InvalidInput" and f"Value '{value}' is not facet-valid with respect to {limit}" in message


def test_the_weights_0_and_255_are_taken(zone: Zone) -> None:
    zone.create(weighted(zone, "www", "none", Weight=0), weighted(zone, "www", "most", Weight=255))
    assert sorted(record["Weight"] for record in zone.own()) == [0, 255]


@pytest.mark.parametrize(
    "left, words",
    [
        ("TTL", "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"),
        ("ResourceRecords", "but found none in Change with [Action=CREATE"),
        ("SetIdentifier", "Missing field 'SetIdentifier' in Change with [Action=CREATE, Name=www."),
        ("Weight", "but found none in Change with"),
    ],
)
def test_a_member_that_is_missing_makes_the_request_invalid(zone: Zone, left: str, words: str) -> None:
    record = weighted(zone, "www", "one")
    del record[left]
    code, message = zone.refusal(("CREATE", record))
    assert code == "InvalidInput" and message.startswith("Invalid request: ") and words in message


def test_two_policies_in_one_record_are_refused(zone: Zone) -> None:
    code, message = zone.refusal(("CREATE", weighted(zone, "www", "one", Region="eu-west-1")))
    assert code == "InvalidInput" and "but found more than one in Change with" in message


def test_an_alias_has_no_ttl(zone: Zone) -> None:
    alias = {"HostedZoneId": "Z1", "DNSName": "d-1.execute-api.eu-west-1.localhost", "EvaluateTargetHealth": True}
    code, message = zone.refusal(("CREATE", {**zone.a("www"), "AliasTarget": alias}))
    assert code == "InvalidInput" and "found more than one" in message


@pytest.mark.parametrize(
    "kind, value, problem",
    [
        ("A", "name.example.com", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        ("A", "192.0.2.256", "ARRDATAIllegalIPv4Address"),
        ("A", "192.0.2.1, 192.0.2.2", "ARRDATANotSingleField (Value contains spaces)"),
        ("AAAA", "192.0.2.1", "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"),
        ("CNAME", "a..example.com", "DomainLabelEmpty"),
        ("CNAME", f"{'a' * 64}.example.com", "DomainLabelTooLong"),
        ("CNAME", "http://x y", "DomainNameNotSingleField (Value contains spaces)"),
        ("TXT", "unquoted", "InvalidCharacterString (Value should be enclosed in quotation marks)"),
        ("TXT", f'"{"a" * 256}"', "CharacterStringTooLong"),
        ("MX", "mail.example.com", "MXRRDATANotTwoFields"),
        ("MX", "high mail.example.com", "MXRRDATAIllegalPriority"),
        ("SRV", "1 1 many host.example.com", "SRVRRDATAIllegalValue"),
        ("CAA", "issue amazon.com", "CAARRDATAIllegalValue"),
    ],
)
def test_values_that_are_no_data_of_their_type_are_refused(zone: Zone, kind: str, value: str, problem: str) -> None:
    code, message = zone.refusal(("CREATE", zone.record("www", kind, value)))
    assert code == "InvalidChangeBatch"
    assert f"Invalid Resource Record: 'FATAL problem: {problem}" in message and f"encountered with '{value}'" in message


@pytest.mark.parametrize(
    "kind, values",
    [
        ("A", ("192.0.2.1", "192.0.2.2")),
        ("AAAA", ("2001:db8::1",)),
        ("CNAME", ("_x.acm-validations.aws.",)),
        ("TXT", ('"a b" "c"', '"v=spf1 -all"')),
        ("MX", ("10 mail.example.com",)),
        ("CAA", ('0 issue "amazon.com"',)),
    ],
)
def test_valid_values_come_back_as_they_were_sent(zone: Zone, kind: str, values: tuple[str, ...]) -> None:
    zone.create(zone.record("www", kind, *values))
    (record,) = zone.own()
    assert [each["Value"] for each in record["ResourceRecords"]] == list(values)


def test_a_value_that_occurs_twice_is_refused(zone: Zone) -> None:
    code, message = zone.refusal(("CREATE", zone.a("www", "192.0.2.1", "192.0.2.1")))
    assert (code, message) == ("InvalidChangeBatch", "[Duplicate Resource Record: '192.0.2.1']")


def test_a_cname_with_two_values_is_refused(zone: Zone) -> None:
    assert zone.refusal(("CREATE", zone.record("www", "CNAME", "a.example.com", "b.example.com")))[0] == "InvalidChangeBatch"


def test_two_changes_of_one_record_in_a_batch_are_refused(zone: Zone) -> None:
    code, message = zone.refusal(("CREATE", zone.a("www")), ("UPSERT", zone.a("www", "192.0.2.2")))
    assert code == "InvalidChangeBatch"
    assert f"The request contains an invalid set of changes for a resource record set 'A www.{zone.name}.'" in message


def test_an_alias_to_a_record_of_its_zone_needs_that_record(zone: Zone) -> None:
    def alias(target: str) -> dict[str, Any]:
        target = {"HostedZoneId": zone.id, "DNSName": target, "EvaluateTargetHealth": False}
        return {"Name": f"www.{zone.name}", "Type": "A", "AliasTarget": target}

    assert "but that target was not found" in zone.refusal(("CREATE", alias(f"other.{zone.name}")))[1]
    assert "does not lie within the target zone" in zone.refusal(("CREATE", alias("other.example.com")))[1]
    zone.change(("CREATE", zone.a("other")), ("CREATE", alias(f"other.{zone.name}")))
    assert {record["Name"].partition(".")[0] for record in zone.own()} == {"other", "www"}


def test_a_batch_holds_a_thousand_records_and_an_upsert_counts_twice(zone: Zone) -> None:
    many = [("UPSERT", zone.a(f"n{number}")) for number in range(501)]
    code, message = zone.refusal(*many)
    assert (code, message) == ("InvalidChangeBatch", "[Number of records limit of 1000 exceeded.]")
    zone.change(*many[:500])
    assert zone.client.get_hosted_zone(Id=zone.id)["HostedZone"]["ResourceRecordSetCount"] == 502


def test_names_are_compared_without_case_and_wildcards_are_shown_escaped(zone: Zone) -> None:
    zone.create({**zone.a("*"), "Name": f"*.{zone.name.upper()}"})
    (record,) = zone.own()
    assert record["Name"] == f"\\052.{zone.name}."
    zone.change(("DELETE", {**record}))
    assert zone.own() == []


def test_a_listing_begins_at_a_wildcard_in_either_form(zone: Zone) -> None:
    zone.create(zone.a("*"), zone.a("www"))
    for name in (f"*.{zone.name}", f"\\052.{zone.name}"):
        answer = zone.client.list_resource_record_sets(
            HostedZoneId=zone.id, StartRecordName=name, StartRecordType="A", MaxItems="1"
        )
        assert [record["Name"] for record in answer["ResourceRecordSets"]] == [f"\\052.{zone.name}."]


def test_geoproximity_reads_back_as_it_was_sent(zone: Zone) -> None:
    places: list[dict[str, Any]] = [
        {"AWSRegion": "eu-west-1", "Bias": -10},
        {"Coordinates": {"Latitude": "10.5", "Longitude": "-20"}, "Bias": 5},
    ]
    for number, place in enumerate(places):
        zone.create(zone.a("near", SetIdentifier=str(number), GeoProximityLocation=place))
    assert [record["GeoProximityLocation"] for record in zone.own()] == places


def test_a_zone_that_does_not_exist_is_named(shared: Cloud) -> None:
    client = shared.client("route53")
    record = {"Name": "a.localhost", "Type": "A", "TTL": 1, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    code, message = refused(lambda: client.change_resource_record_sets(HostedZoneId="Z0", ChangeBatch=batch))
    assert code == "NoSuchHostedZone" and "Z0" in message


def test_a_zone_of_another_account_is_not_changed(shared: Cloud, zone: Zone) -> None:
    other = shared.client("route53", account="999999999999")
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": zone.a("www")}]}
    assert refused(lambda: other.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=batch))[0] == "NoSuchHostedZone"
