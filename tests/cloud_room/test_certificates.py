"""Certificates of ACM: pending until their record is public, issued a while later, held while something uses them."""

from __future__ import annotations

import itertools
import re
from typing import Any

from tests.cloud_room.conftest import Cloud, eventually, refused
from tests.warm import clouds
from workshop.cloud import daemon

NUMBERS = itertools.count()
OTHER = "222233334444"


def fresh() -> str:
    return f"c{next(NUMBERS)}.localhost"


def request(cloud: Cloud, name: str, region: str = "us-west-2", account: str = daemon.ACCOUNT, **more: Any) -> str:
    data = {"DomainName": name, "ValidationMethod": "DNS", **more}
    return str(cloud.client("acm", region, account).request_certificate(**data)["CertificateArn"])


def look(cloud: Cloud, arn: str) -> dict[str, Any]:
    _, _, _, region, account, _ = arn.split(":", 5)
    return dict(cloud.client("acm", region, account).describe_certificate(CertificateArn=arn)["Certificate"])


def record_of(cloud: Cloud, arn: str, number: int = 0) -> dict[str, str]:
    return dict(look(cloud, arn)["DomainValidationOptions"][number]["ResourceRecord"])


def zone(cloud: Cloud, name: str, account: str = daemon.ACCOUNT, **more: Any) -> str:
    created = cloud.client("route53", account=account).create_hosted_zone(Name=name, CallerReference=f"r{next(NUMBERS)}", **more)
    return str(created["HostedZone"]["Id"]).rpartition("/")[2]


def change(cloud: Cloud, zone_id: str, action: str, record: dict[str, str], account: str = daemon.ACCOUNT) -> None:
    shown = {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": shown}]}
    cloud.client("route53", account=account).change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def issued(cloud: Cloud, name: str, region: str = "us-west-2", **more: Any) -> str:
    """A certificate that is ISSUED."""
    arn = request(cloud, name, region, **more)
    zone_id = zone(cloud, name)
    for option in look(cloud, arn)["DomainValidationOptions"]:
        change(cloud, zone_id, "UPSERT", option["ResourceRecord"])
    eventually(lambda: look(cloud, arn)["Status"] == "ISSUED")
    return arn


def test_a_new_certificate_is_pending_and_has_no_dates_yet(shared: Cloud) -> None:
    found = look(shared, request(shared, fresh()))
    assert found["Status"] == "PENDING_VALIDATION"
    assert not {"IssuedAt", "NotBefore", "NotAfter"} & found.keys()
    assert found["DomainValidationOptions"][0]["ValidationStatus"] == "PENDING_VALIDATION"
    assert found["InUseBy"] == []


def test_the_validation_record_has_the_names_of_aws(shared: Cloud) -> None:
    name = fresh()
    record = record_of(shared, request(shared, name))
    assert re.fullmatch(rf"_[0-9a-f]{{32}}\.{re.escape(name)}\.", record["Name"])
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.", record["Value"])
    assert record["Type"] == "CNAME"


def test_an_account_and_a_name_have_one_record_in_every_region(shared: Cloud) -> None:
    name = fresh()
    here = record_of(shared, request(shared, name))
    assert record_of(shared, request(shared, name, "eu-west-1")) == here
    assert record_of(shared, request(shared, f"*.{name}")) == here
    assert record_of(shared, request(shared, name, account=OTHER)) != here
    assert record_of(shared, request(shared, fresh())) != here


def test_it_is_issued_once_its_record_is_in_a_public_zone(shared: Cloud) -> None:
    name = fresh()
    arn = request(shared, name)
    change(shared, zone(shared, name), "CREATE", record_of(shared, arn))
    found = look(shared, arn)
    assert found["Status"] == "ISSUED" and found["IssuedAt"] <= found["NotAfter"]
    assert found["DomainValidationOptions"][0]["ValidationStatus"] == "SUCCESS"


def test_the_zone_may_belong_to_another_account(shared: Cloud) -> None:
    name = fresh()
    arn = request(shared, name)
    change(shared, zone(shared, name, OTHER), "CREATE", record_of(shared, arn), OTHER)
    assert look(shared, arn)["Status"] == "ISSUED"


def test_a_record_with_another_value_proves_nothing(shared: Cloud) -> None:
    name = fresh()
    arn = request(shared, name)
    change(shared, zone(shared, name), "CREATE", {**record_of(shared, arn), "Value": "_x.acm-validations.aws."})
    assert look(shared, arn)["Status"] == "PENDING_VALIDATION"


def test_a_private_zone_proves_nothing(shared: Cloud) -> None:
    name = fresh()
    arn = request(shared, name)
    private = zone(shared, name, VPC={"VPCRegion": "us-west-2", "VPCId": f"vpc-{next(NUMBERS):08x}"})
    change(shared, private, "CREATE", record_of(shared, arn))
    assert look(shared, arn)["Status"] == "PENDING_VALIDATION"


def test_every_name_has_to_be_validated(shared: Cloud) -> None:
    name, other = fresh(), fresh()
    arn = request(shared, name, SubjectAlternativeNames=[other, f"*.{other}"])
    options = look(shared, arn)["DomainValidationOptions"]
    assert [option["DomainName"] for option in options] == [name, other, f"*.{other}"]
    assert options[1]["ResourceRecord"] == options[2]["ResourceRecord"]
    change(shared, zone(shared, name), "CREATE", options[0]["ResourceRecord"])
    assert look(shared, arn)["Status"] == "PENDING_VALIDATION"
    change(shared, zone(shared, other), "CREATE", options[1]["ResourceRecord"])
    assert look(shared, arn)["Status"] == "ISSUED"


def test_one_token_requests_one_certificate(shared: Cloud) -> None:
    name = fresh()
    first = request(shared, name, IdempotencyToken="one")
    assert request(shared, name, IdempotencyToken="one") == first
    assert request(shared, name, IdempotencyToken="two") != first
    assert request(shared, fresh(), IdempotencyToken="one") != first
    assert request(shared, name, "eu-west-1", IdempotencyToken="one") != first


def test_a_certificate_that_is_validated_by_mail_waits_for_its_mails(shared: Cloud) -> None:
    name = fresh()
    option = look(shared, request(shared, name, ValidationMethod="EMAIL"))["DomainValidationOptions"][0]
    assert "ResourceRecord" not in option and f"admin@{name}" in option["ValidationEmails"]


def test_a_name_that_is_no_domain_is_refused(shared: Cloud) -> None:
    code, message = refused(lambda: request(shared, "no_domain"))
    assert code == "ValidationException" and "'domainName'" in message


def test_a_pending_certificate_has_no_body(shared: Cloud) -> None:
    arn = request(shared, fresh())
    assert refused(lambda: shared.client("acm").get_certificate(CertificateArn=arn))[0] == "RequestInProgressException"


def test_a_certificate_that_nothing_uses_is_deleted(shared: Cloud) -> None:
    for arn in (request(shared, fresh()), issued(shared, fresh())):
        shared.client("acm").delete_certificate(CertificateArn=arn)
        assert refused(lambda arn=arn: look(shared, arn))[0] == "ResourceNotFoundException"


def test_a_certificate_names_its_user_and_is_not_deleted(shared: Cloud) -> None:
    name = fresh()
    arn = issued(shared, name)
    gateway = shared.client("apigateway")
    gateway.create_domain_name(domainName=name, regionalCertificateArn=arn, endpointConfiguration={"types": ["REGIONAL"]})
    assert look(shared, arn)["InUseBy"] == [f"arn:aws:apigateway:us-west-2::/domainnames/{name}"]
    code, message = refused(lambda: shared.client("acm").delete_certificate(CertificateArn=arn))
    assert (code, message) == ("ResourceInUseException", f"Certificate {arn} in account {daemon.ACCOUNT} is in use.")
    gateway.delete_domain_name(domainName=name)
    shared.client("acm").delete_certificate(CertificateArn=arn)


def test_a_fault_leaves_a_certificate_pending_until_it_ends(emptied: Cloud) -> None:
    name, other = fresh(), fresh()
    _, answer = emptied.control("POST", "faults", {"kind": "unvalidated", "name": name})
    arn, free = request(emptied, name), request(emptied, other)
    change(emptied, zone(emptied, name), "CREATE", record_of(emptied, arn))
    change(emptied, zone(emptied, other), "CREATE", record_of(emptied, free))
    assert look(emptied, free)["Status"] == "ISSUED"
    assert look(emptied, arn)["Status"] == "PENDING_VALIDATION"
    emptied.control("DELETE", f"faults/{answer['fault']['id']}")
    assert look(emptied, arn)["Status"] == "ISSUED"


def test_issue_and_release_take_their_time(emptied: Cloud) -> None:
    name = fresh()
    arn = issued(emptied, name)
    gateway = emptied.client("apigateway")
    gateway.create_domain_name(domainName=name, regionalCertificateArn=arn, endpointConfiguration={"types": ["REGIONAL"]})
    clouds.start(emptied.home, timing="realistic", scale=1.0)
    slow = request(emptied, fresh())
    assert "ResourceRecord" not in look(emptied, slow)["DomainValidationOptions"][0]
    gateway.delete_domain_name(domainName=name)
    assert refused(lambda: emptied.client("acm").delete_certificate(CertificateArn=arn))[0] == "ResourceInUseException"
    assert look(emptied, arn)["InUseBy"] == [f"arn:aws:apigateway:us-west-2::/domainnames/{name}"]
    clouds.start(emptied.home, timing="fast", scale=1.0)
    quick = fresh()
    pending = request(emptied, quick)
    eventually(lambda: "ResourceRecord" in look(emptied, pending)["DomainValidationOptions"][0])
    zone_id, record = zone(emptied, quick), record_of(emptied, pending)
    change(emptied, zone_id, "CREATE", record)
    assert look(emptied, pending)["Status"] == "PENDING_VALIDATION"
    eventually(lambda: look(emptied, pending)["Status"] == "ISSUED")


def test_the_release_begins_when_the_user_goes_and_not_at_the_next_look(emptied: Cloud) -> None:
    name = fresh()
    arn = issued(emptied, name)
    gateway = emptied.client("apigateway")
    gateway.create_domain_name(domainName=name, regionalCertificateArn=arn, endpointConfiguration={"types": ["REGIONAL"]})
    clouds.start(emptied.home, timing="fast", scale=0.2)
    gateway.delete_domain_name(domainName=name)
    emptied.table()  # which takes as long as the release
    emptied.client("acm").delete_certificate(CertificateArn=arn)


def test_a_record_that_goes_before_the_issue_ends_it(emptied: Cloud) -> None:
    clouds.start(emptied.home, timing="realistic", scale=0.01)
    name = fresh()
    arn = request(emptied, name)
    eventually(lambda: "ResourceRecord" in look(emptied, arn)["DomainValidationOptions"][0])
    zone_id, record = zone(emptied, name), record_of(emptied, arn)
    change(emptied, zone_id, "CREATE", record)
    change(emptied, zone_id, "DELETE", record)
    witness = request(emptied, fresh())
    clouds.start(emptied.home, timing="instant", scale=1.0)
    assert look(emptied, witness)["Status"] == look(emptied, arn)["Status"] == "PENDING_VALIDATION"
    change(emptied, zone_id, "CREATE", record)
    assert look(emptied, arn)["Status"] == "ISSUED"


def test_pending_and_issued_certificates_survive_a_restart(cloud: Cloud) -> None:
    name, pending = fresh(), fresh()
    arn, waiting = issued(cloud, name), request(cloud, pending)
    before = look(cloud, arn)
    daemon.stop(cloud.home)
    clouds.start(cloud.home, timing="instant")
    assert look(cloud, arn) == before
    change(cloud, zone(cloud, pending), "CREATE", record_of(cloud, waiting))
    assert look(cloud, waiting)["Status"] == "ISSUED"
