"""Types around names in stacks: certificates, zones, records, health checks, domains, distributions, identity providers."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, refused
from tests.cloud_room.test_certificates import change, fresh, issued, look, request, zone
from tests.warm import clouds
from workshop.cloud import daemon

NUMBERS = itertools.count()
Resources = dict[str, dict[str, Any]]


class Stack:
    """One stack of a cloud."""

    def __init__(self, cloud: Cloud, resources: Resources, **outputs: Any) -> None:
        self.cloud, self.name = cloud, f"stack{next(NUMBERS)}"
        self.client = cloud.client("cloudformation")
        self.client.create_stack(StackName=self.name, TemplateBody=self._text(resources, outputs))

    def _text(self, resources: Resources, outputs: dict[str, Any]) -> str:
        return json.dumps({"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}})

    def update(self, resources: Resources, **outputs: Any) -> None:
        self.client.update_stack(StackName=self.name, TemplateBody=self._text(resources, outputs))

    def delete(self) -> str:
        """Delete it; returns the status at the end."""
        stack_id = self.shown()["StackId"]
        self.client.delete_stack(StackName=self.name)

        def status() -> str:
            return str(self.client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])

        eventually(lambda: status() in ("DELETE_COMPLETE", "DELETE_FAILED"))
        return status()

    def shown(self) -> dict[str, Any]:
        return dict(self.client.describe_stacks(StackName=self.name)["Stacks"][0])

    def done(self) -> str:
        eventually(lambda: not self.shown()["StackStatus"].endswith("_IN_PROGRESS"))
        return str(self.shown()["StackStatus"])

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.shown()["Outputs"]}

    def reasons(self) -> str:
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def certificate(name: str, **more: Any) -> dict[str, Any]:
    return resource("AWS::CertificateManager::Certificate", DomainName=name, ValidationMethod="DNS", **more)


def records(cloud: Cloud, zone_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return {(record["Type"], record.get("SetIdentifier", "")): record for record in found if record["Type"] not in ("NS", "SOA")}


def test_a_stack_with_a_zone_writes_the_record_is_issued_and_leaves_the_record_behind(shared: Cloud) -> None:
    name = fresh()
    zone_id = zone(shared, name)
    options = [{"DomainName": name, "HostedZoneId": zone_id}]
    stack = Stack(shared, {"Cert": certificate(name, DomainValidationOptions=options)}, Arn={"Ref": "Cert"})
    assert stack.done() == "CREATE_COMPLETE"
    arn = stack.outputs()["Arn"]
    assert look(shared, arn)["Status"] == "ISSUED"
    (record,) = records(shared, zone_id).values()
    assert record["Type"] == "CNAME" and ".acm-validations.aws." in record["ResourceRecords"][0]["Value"]
    assert stack.delete() == "DELETE_COMPLETE"
    assert refused(lambda: look(shared, arn))[0] == "ResourceNotFoundException"
    assert list(records(shared, zone_id).values()) == [record]
    assert refused(lambda: shared.client("route53").delete_hosted_zone(Id=zone_id))[0] == "HostedZoneNotEmpty"


def test_a_stack_without_a_zone_waits_and_says_for_which_record(shared: Cloud) -> None:
    name = fresh()
    stack = Stack(shared, {"Cert": certificate(name)}, Arn={"Ref": "Cert"})
    eventually(lambda: "Content of DNS Record is: {Name: _" in stack.reasons())
    assert stack.shown()["StackStatus"] == "CREATE_IN_PROGRESS"
    content = next(line for line in stack.reasons().splitlines() if "Content of DNS" in line)
    parts = dict(part.split(": ", 1) for part in content.partition("{")[2].rstrip("}").split(","))
    change(shared, zone(shared, name), "CREATE", {"Name": parts["Name"], "Value": parts["Value"]})
    assert stack.done() == "CREATE_COMPLETE"
    assert look(shared, stack.outputs()["Arn"])["Status"] == "ISSUED"


def test_a_stack_that_waits_for_a_certificate_can_be_deleted(shared: Cloud) -> None:
    name = fresh()
    stack = Stack(shared, {"Cert": certificate(name)})
    eventually(lambda: "Content of DNS Record" in stack.reasons())
    assert stack.delete() == "DELETE_COMPLETE"
    found = shared.client("acm").list_certificates()["CertificateSummaryList"]
    assert name not in [each["DomainName"] for each in found]
    assert "does not exist" in refused(stack.shown)[1]


def test_a_stack_that_waits_is_failed_after_a_restart_and_leaves_nothing(cloud: Cloud) -> None:
    name = fresh()
    stack = Stack(cloud, {"Cert": certificate(name)})
    eventually(lambda: "Content of DNS Record" in stack.reasons())
    daemon.stop(cloud.home)
    clouds.start(cloud.home, timing="instant")
    assert stack.shown()["StackStatus"] == "CREATE_FAILED"
    assert len(cloud.client("acm").list_certificates()["CertificateSummaryList"]) == 1
    assert stack.delete() == "DELETE_COMPLETE"
    assert cloud.client("acm").list_certificates()["CertificateSummaryList"] == []


def test_a_certificate_that_is_used_outside_keeps_its_stack(shared: Cloud) -> None:
    name = fresh()
    options = [{"DomainName": name, "HostedZoneId": zone(shared, name)}]
    stack = Stack(shared, {"Cert": certificate(name, DomainValidationOptions=options)}, Arn={"Ref": "Cert"})
    assert stack.done() == "CREATE_COMPLETE"
    gateway = shared.client("apigateway")
    arn = stack.outputs()["Arn"]
    gateway.create_domain_name(domainName=name, regionalCertificateArn=arn, endpointConfiguration={"types": ["REGIONAL"]})
    assert stack.delete() == "DELETE_FAILED"
    gateway.delete_domain_name(domainName=name)
    assert stack.delete() == "DELETE_COMPLETE"


def test_domain_certificate_and_records_of_one_stack_come_and_go_in_time(emptied: Cloud) -> None:
    """In `fast` a domain is slow to create, and its certificate is held for a while after it."""
    clouds.start(emptied.home, timing="fast", scale=0.3)
    name = fresh()
    zone_id = zone(emptied, name)
    resources = {
        "Cert": certificate(name, DomainValidationOptions=[{"DomainName": name, "HostedZoneId": zone_id}]),
        "Domain": resource(
            "AWS::ApiGateway::DomainName",
            DomainName=name,
            RegionalCertificateArn={"Ref": "Cert"},
            EndpointConfiguration={"Types": ["REGIONAL"]},
        ),
        "Record": resource(
            "AWS::Route53::RecordSet",
            HostedZoneId=zone_id,
            Name=f"api.{name}",
            Type="CNAME",
            TTL="60",
            ResourceRecords=[{"Fn::GetAtt": ["Domain", "RegionalDomainName"]}],
        ),
    }
    stack = Stack(emptied, resources, Target={"Fn::GetAtt": ["Domain", "RegionalDomainName"]})
    assert stack.done() == "CREATE_COMPLETE"
    record = next(each for each in records(emptied, zone_id).values() if each["Name"] == f"api.{name}.")
    assert record["ResourceRecords"][0]["Value"] == stack.outputs()["Target"]
    assert stack.delete() == "DELETE_COMPLETE"
    assert emptied.client("apigateway").get_domain_names()["items"] == []
    assert [each["Name"].startswith("_") for each in records(emptied, zone_id).values()] == [True]


def test_a_domain_in_a_stack_keeps_its_mappings_through_an_update(shared: Cloud) -> None:
    name = fresh()
    arns = [issued(shared, name), request(shared, name)]
    gateway = shared.client("apigateway")
    api = gateway.create_rest_api(name="api", endpointConfiguration={"types": ["REGIONAL"]})["id"]

    def resources(arn: str) -> Resources:
        domain = resource(
            "AWS::ApiGateway::DomainName",
            DomainName=name,
            RegionalCertificateArn=arn,
            EndpointConfiguration={"Types": ["REGIONAL"]},
        )
        mapping = resource("AWS::ApiGateway::BasePathMapping", DomainName={"Ref": "Domain"}, RestApiId=api, Stage="prod")
        return {"Domain": domain, "Mapping": mapping}

    stack = Stack(shared, resources(arns[0]))
    assert stack.done() == "CREATE_COMPLETE"
    before = gateway.get_domain_name(domainName=name)
    stack.update(resources(arns[1]))
    assert stack.done() == "UPDATE_COMPLETE"
    after = gateway.get_domain_name(domainName=name)
    assert (after["regionalDomainName"], after["regionalCertificateArn"]) == (before["regionalDomainName"], arns[1])
    assert gateway.get_base_path_mappings(domainName=name)["items"][0]["restApiId"] == api
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_domain_whose_certificate_does_not_fit_fails_its_stack_with_the_reason(shared: Cloud) -> None:
    arn = issued(shared, fresh())
    domain = resource(
        "AWS::ApiGateway::DomainName",
        DomainName=fresh(),
        RegionalCertificateArn=arn,
        EndpointConfiguration={"Types": ["REGIONAL"]},
    )
    stack = Stack(shared, {"Domain": domain})
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "not provided in the certificate" in stack.reasons()


def test_a_zone_of_a_stack_has_tags_and_keeps_foreign_records(shared: Cloud) -> None:
    name = fresh()
    tags = [{"Key": "workshop", "Value": "x"}]
    stack = Stack(shared, {"Zone": resource("AWS::Route53::HostedZone", Name=name, HostedZoneTags=tags)}, Id={"Ref": "Zone"})
    assert stack.done() == "CREATE_COMPLETE"
    zone_id, client = stack.outputs()["Id"], shared.client("route53")
    found = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)["ResourceTagSet"]["Tags"]
    assert {"Key": "workshop", "Value": "x"} in found
    foreign = {"Name": f"_x.{name}", "Value": "_y.acm-validations.aws."}
    change(shared, zone_id, "CREATE", foreign)
    assert stack.delete() == "DELETE_FAILED"
    assert "non-required resource record sets" in stack.reasons()
    change(shared, zone_id, "DELETE", foreign)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_zone_of_a_stack_keeps_its_records_through_an_update(shared: Cloud) -> None:
    name, client = fresh(), shared.client("route53")

    def resources(comment: str, zone_name: str = name) -> Resources:
        return {"Zone": resource("AWS::Route53::HostedZone", Name=zone_name, HostedZoneConfig={"Comment": comment})}

    servers = {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}
    stack = Stack(shared, resources("one"), Id={"Ref": "Zone"}, Servers=servers)
    assert stack.done() == "CREATE_COMPLETE"
    zone_id = stack.outputs()["Id"]
    shown = client.get_hosted_zone(Id=zone_id)
    assert stack.outputs()["Servers"].split(",") == [each.rstrip(".") for each in shown["DelegationSet"]["NameServers"]]
    change(shared, zone_id, "CREATE", {"Name": f"www.{name}", "Value": "x.example.com"})
    stack.update(resources("two"), Id={"Ref": "Zone"})
    assert stack.done() == "UPDATE_COMPLETE" and stack.outputs()["Id"] == zone_id
    assert client.get_hosted_zone(Id=zone_id)["HostedZone"]["Config"]["Comment"] == "two"
    assert len(records(shared, zone_id)) == 1
    change(shared, zone_id, "DELETE", {"Name": f"www.{name}", "Value": "x.example.com"})
    stack.update(resources("two", fresh()), Id={"Ref": "Zone"})
    assert stack.done() == "UPDATE_COMPLETE" and stack.outputs()["Id"] != zone_id
    eventually(lambda: zone_id not in [each["Id"].rpartition("/")[2] for each in client.list_hosted_zones()["HostedZones"]])


def test_a_certificate_for_another_name_replaces_the_one_of_its_stack(shared: Cloud) -> None:
    name = fresh()
    zone_id = zone(shared, name)

    def resources(domain: str) -> Resources:
        return {"Cert": certificate(domain, DomainValidationOptions=[{"DomainName": domain, "HostedZoneId": zone_id}])}

    stack = Stack(shared, resources(name), Arn={"Ref": "Cert"})
    assert stack.done() == "CREATE_COMPLETE"
    before = stack.outputs()["Arn"]
    stack.update(resources(f"api.{name}"), Arn={"Ref": "Cert"})
    assert stack.done() == "UPDATE_COMPLETE"
    found = look(shared, stack.outputs()["Arn"])
    assert (found["DomainName"], found["Status"]) == (f"api.{name}", "ISSUED")
    assert refused(lambda: look(shared, before))[0] == "ResourceNotFoundException"


def group(zone_id: str, name: str, **members: dict[str, Any]) -> dict[str, Any]:
    sets = [
        {"Name": f"api.{name}", "Type": "A", "TTL": "60", "SetIdentifier": set_id, "ResourceRecords": ["192.0.2.1"], **more}
        for set_id, more in members.items()
    ]
    return resource("AWS::Route53::RecordSetGroup", HostedZoneId=zone_id, RecordSets=sets)


def test_a_record_group_is_created_changed_and_deleted_as_a_whole(shared: Cloud) -> None:
    name = fresh()
    zone_id = zone(shared, name)
    stack = Stack(shared, {"Records": group(zone_id, name, one={"Weight": 1}, two={"Weight": 2})})
    assert stack.done() == "CREATE_COMPLETE"
    assert {key[1]: record["Weight"] for key, record in records(shared, zone_id).items()} == {"one": 1, "two": 2}
    stack.update({"Records": group(zone_id, name, two={"Weight": 7}, three={"Weight": 3})})
    assert stack.done() == "UPDATE_COMPLETE"
    assert {key[1]: record["Weight"] for key, record in records(shared, zone_id).items()} == {"two": 7, "three": 3}
    assert stack.delete() == "DELETE_COMPLETE"
    assert records(shared, zone_id) == {}


def test_a_record_group_that_mixes_policies_fails_and_leaves_nothing(shared: Cloud) -> None:
    name = fresh()
    zone_id = zone(shared, name)
    stack = Stack(shared, {"Records": group(zone_id, name, one={"Weight": 1}, two={"Region": "eu-west-1"})})
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "set exists with the same name and type" in stack.reasons()
    assert records(shared, zone_id) == {}


def test_a_record_of_a_stack_follows_the_rules_of_a_batch(shared: Cloud) -> None:
    name = fresh()
    zone_id = zone(shared, name)
    record = {"HostedZoneId": zone_id, "Name": name, "Type": "CNAME", "TTL": "60", "ResourceRecords": ["x.example.com"]}
    stack = Stack(shared, {"Record": resource("AWS::Route53::RecordSet", **record)})
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "not permitted at apex" in stack.reasons()


def test_a_health_check_of_a_stack_is_changed_in_place_or_replaced(shared: Cloud) -> None:
    client = shared.client("route53")

    def resources(**settings: Any) -> Resources:
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.example.com", "RequestInterval": "10", **settings}
        tags = [{"Key": "Name", "Value": "home"}]
        return {"Check": resource("AWS::Route53::HealthCheck", HealthCheckConfig=config, HealthCheckTags=tags)}

    stack = Stack(shared, resources(EnableSNI="true", ResourcePath="/one"), Id={"Fn::GetAtt": ["Check", "HealthCheckId"]})
    assert stack.done() == "CREATE_COMPLETE"
    check = stack.outputs()["Id"]
    found = client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
    assert (found["EnableSNI"], found["RequestInterval"], found["ResourcePath"]) == (True, 10, "/one")
    tags = client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check)["ResourceTagSet"]["Tags"]
    assert {"Key": "Name", "Value": "home"} in tags
    stack.update(resources(EnableSNI="true", FailureThreshold=1), Id={"Ref": "Check"})
    assert stack.done() == "UPDATE_COMPLETE" and stack.outputs()["Id"] == check
    found = client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
    assert found["FailureThreshold"] == 1 and "ResourcePath" not in found
    stack.update(resources(EnableSNI="true", RequestInterval="30"), Id={"Ref": "Check"})
    assert stack.done() == "UPDATE_COMPLETE"
    other = stack.outputs()["Id"]
    assert other != check
    assert refused(lambda: client.get_health_check(HealthCheckId=check))[0] == "NoSuchHealthCheck"
    assert stack.delete() == "DELETE_COMPLETE"
    assert refused(lambda: client.get_health_check(HealthCheckId=other))[0] == "NoSuchHealthCheck"


def test_a_health_check_that_cannot_be_fails_its_stack(shared: Cloud) -> None:
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.example.com", "FailureThreshold": 99}
    stack = Stack(shared, {"Check": resource("AWS::Route53::HealthCheck", HealthCheckConfig=config)})
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "FailureThreshold" in stack.reasons()


def provider(client_id: str = "c", **more: Any) -> Resources:
    details = {
        "client_id": client_id,
        "client_secret": "s",
        "authorize_scopes": "openid",
        "oidc_issuer": "https://idp.example.com",
    }
    details["attributes_request_method"] = "GET"
    settings = {"ProviderName": "Corp", "ProviderType": "OIDC", "ProviderDetails": details, **more}
    return {
        "Pool": resource("AWS::Cognito::UserPool", UserPoolName="pool"),
        "Provider": resource("AWS::Cognito::UserPoolIdentityProvider", UserPoolId={"Ref": "Pool"}, **settings),
    }


def test_an_identity_provider_of_a_stack_is_created_changed_and_deleted(shared: Cloud) -> None:
    client = shared.client("cognito-idp")
    stack = Stack(shared, provider(AttributeMapping={"email": "email"}), Pool={"Ref": "Pool"}, Name={"Ref": "Provider"})
    assert stack.done() == "CREATE_COMPLETE"
    pool = stack.outputs()["Pool"]
    assert stack.outputs()["Name"] == "Corp"

    def shown(name: str = "Corp") -> dict[str, Any]:
        return dict(client.describe_identity_provider(UserPoolId=pool, ProviderName=name)["IdentityProvider"])

    assert shown()["AttributeMapping"] == {"email": "email"}
    stack.update(provider("other"), Pool={"Ref": "Pool"})
    assert stack.done() == "UPDATE_COMPLETE"
    assert (shown()["ProviderDetails"]["client_id"], shown()["AttributeMapping"]) == ("other", {})
    stack.update(provider("other", ProviderName="Corp2"), Pool={"Ref": "Pool"})
    assert stack.done() == "UPDATE_COMPLETE"
    assert shown("Corp2") and refused(shown)[0] == "ResourceNotFoundException"
    assert stack.delete() == "DELETE_COMPLETE"


def test_an_identity_provider_that_is_refused_fails_its_stack(shared: Cloud) -> None:
    stack = Stack(shared, provider(ProviderType="Nobody"))
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "ProviderType" in stack.reasons()


def distribution(comment: str = "") -> Resources:
    origin = {"Id": "s3", "DomainName": "b.s3.us-west-2.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behavior = {"TargetOriginId": "s3", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": "658327ea"}
    config = {"Enabled": True, "Comment": comment, "Origins": [origin], "DefaultCacheBehavior": behavior}
    return {"Site": resource("AWS::CloudFront::Distribution", DistributionConfig=config)}


def test_a_distribution_of_a_stack_is_deployed_and_deleted(emptied: Cloud) -> None:
    clouds.start(emptied.home, timing="fast", scale=0.3)
    client = emptied.client("cloudfront")
    stack = Stack(emptied, distribution(), Id={"Ref": "Site"})
    eventually(lambda: bool(client.list_distributions()["DistributionList"].get("Items")))
    assert client.list_distributions()["DistributionList"]["Items"][0]["Status"] == "InProgress"
    assert stack.done() == "CREATE_COMPLETE"
    found = client.get_distribution(Id=stack.outputs()["Id"])["Distribution"]
    assert found["Status"] == "Deployed"
    stack.update(distribution("changed"), Id={"Ref": "Site"})
    assert stack.done() == "UPDATE_COMPLETE"
    assert client.get_distribution(Id=found["Id"])["Distribution"]["DistributionConfig"]["Comment"] == "changed"
    assert stack.delete() == "DELETE_COMPLETE"
    assert refused(lambda: client.get_distribution(Id=found["Id"]))[0] == "NoSuchDistribution"


def made(client: Any, number: int) -> dict[str, Any]:
    origin = {"Id": "s3", "DomainName": "b.s3.us-west-2.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behavior = {"TargetOriginId": "s3", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": "658327ea"}
    config = {"CallerReference": f"site{number}", "Comment": "", "Enabled": True, "DefaultCacheBehavior": behavior}
    return dict(client.create_distribution(DistributionConfig={**config, "Origins": {"Quantity": 1, "Items": [origin]}}))


def test_a_distribution_is_deleted_once_it_is_disabled_and_deployed(emptied: Cloud) -> None:
    clouds.start(emptied.home, timing="realistic", scale=1.0)
    client = emptied.client("cloudfront")
    created = made(client, 1)
    name, tag = created["Distribution"]["Id"], created["ETag"]
    assert created["Distribution"]["Status"] == "InProgress"
    config = created["Distribution"]["DistributionConfig"]
    assert refused(lambda: client.delete_distribution(Id=name, IfMatch=tag))[0] == "DistributionNotDisabled"
    tag = client.update_distribution(Id=name, IfMatch=tag, DistributionConfig={**config, "Enabled": False})["ETag"]
    assert refused(lambda: client.delete_distribution(Id=name, IfMatch=tag))[0] == "DistributionNotDisabled"
    clouds.start(emptied.home, timing="instant", scale=1.0)
    tag = client.update_distribution(Id=name, IfMatch=tag, DistributionConfig={**config, "Enabled": False})["ETag"]
    assert client.get_distribution(Id=name)["Distribution"]["Status"] == "Deployed"
    client.delete_distribution(Id=name, IfMatch=tag)
    assert refused(lambda: client.get_distribution(Id=name))[0] == "NoSuchDistribution"


@pytest.mark.parametrize(
    "kind", ["AWS::Route53::HealthCheck", "AWS::Route53::RecordSetGroup", "AWS::Cognito::UserPoolIdentityProvider"]
)
def test_the_types_are_known_to_the_template_check(shared: Cloud, kind: str) -> None:
    shared.client("cloudformation").validate_template(TemplateBody=json.dumps({"Resources": {"One": {"Type": kind}}}))
