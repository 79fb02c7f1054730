"""Certificates in stacks: a stack waits for a certificate to be issued, and writes its validation records where it may.

In: the properties of an AWS::CertificateManager::Certificate. Out: a certificate that is issued. The records stay behind when the
stack goes, as on AWS (docs/aws-behaviours.md, section 6.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import responses
from ministack.services import acm, cloudformation, route53
from ministack.services.cloudformation import provisioners, stacks

from workshop.cloud.certificates import IN_USE, Certificates, base_domain, users_of, validation_record
from workshop.cloud.names.wire import Refused
from workshop.cloud.names.zones import Zones, bare_id
from workshop.cloud.patches import patch, require_attribute
from workshop.cloud.stack_types import Properties, StackWaits, beginning, failed, register

__all__ = ["CertificateStacks"]

KIND = "AWS::CertificateManager::Certificate"


class CertificateStacks:
    """The handlers of the type."""

    def __init__(self, certificates: Certificates, zones: Zones, waits: StackWaits) -> None:
        self._certificates, self._zones, self._waits = certificates, zones, waits

    def apply(self) -> None:
        """Register the type. MiniStack's own update stays: what it cannot change, it creates anew by our function."""
        register(KIND, create=self._create, delete=self._delete, waits=True)
        patch(provisioners, "_acm_certificate_create", lambda _: self._create)

    def _create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        if not properties.get("DomainName"):
            raise ValueError("Properties validation failed for resource: #: required key [DomainName] not found")
        preference = properties.get("CertificateTransparencyLoggingPreference") or "ENABLED"
        certificate = self._certificates.request(
            {**properties, "Options": {"CertificateTransparencyLoggingPreference": preference}}
        )
        arn = certificate["CertificateArn"]
        with beginning(stack, logical_id, KIND, arn, properties, undo=lambda: acm._certificates.pop(arn, None)):
            if certificate["ValidationMethod"] == "DNS":
                self._publish_records(certificate, properties)
                self._announce(stack, logical_id, certificate)
            self._waits.until(lambda: self._is_issued(arn))
        return arn, {"CertificateArn": arn, "Arn": arn}

    def _is_issued(self, arn: str) -> bool:
        """Whether a certificate is issued. Raises `ValueError` when it never will be."""
        self._certificates.settle()
        status = acm._certificates.get(arn, {}).get("Status", "DELETED")
        if status not in ("PENDING_VALIDATION", "ISSUED"):
            raise ValueError(f"The certificate could not be issued: its status is {status}.")
        return bool(status == "ISSUED")

    def _publish_records(self, certificate: Mapping[str, Any], properties: Properties) -> None:
        """Write the records of the domains for which the template names a hosted zone."""
        account, options = certificate["CertificateArn"].split(":")[4], properties.get("DomainValidationOptions") or ()
        zones = {option["DomainName"]: bare_id(str(option["HostedZoneId"])) for option in options if option.get("HostedZoneId")}
        for domain in certificate["SubjectAlternativeNames"]:
            record = validation_record(account, domain)
            written = [
                each["Name"]
                for each in route53._records.get(zones.get(domain), ())
                if each.get("ResourceRecords") == [record["Value"]]
            ]
            if domain not in zones or record["Name"] in written:
                continue
            value = {"Name": record["Name"], "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": record["Value"]}]}
            try:
                self._zones.change(zones[domain], {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": value}]})
            except Refused as refused:
                raise failed("AmazonRoute53", refused.message) from refused

    def _announce(self, stack: str, logical_id: str, certificate: Mapping[str, Any]) -> None:
        """An event with each record that is awaited, which is where people find it on AWS."""
        arn = certificate["CertificateArn"]
        stack_id = (require_attribute(cloudformation, "_stacks").get(stack) or {}).get("StackId", "")
        for base in dict.fromkeys(base_domain(name) for name in certificate["SubjectAlternativeNames"]):
            record = validation_record(arn.split(":")[4], base)
            text = f"Content of DNS Record is: {{Name: {record['Name']},Type: CNAME,Value: {record['Value']}}}"
            require_attribute(stacks, "_add_event")(stack_id, stack, logical_id, KIND, "CREATE_IN_PROGRESS", text, arn)

    def _delete(self, arn: str, _: Properties) -> None:
        """A certificate that was just released is waited for; one that something uses is a failure."""
        account, region = responses.get_account_id(), responses.get_region()

        def released() -> bool:
            self._certificates.settle()
            certificate = acm._certificates.get_scoped(account, region, arn)
            if certificate is not None and users_of(arn):
                raise failed("Acm", IN_USE.format(arn=arn, account=account), code="ResourceConflict")
            return certificate is None or not self._certificates.holders(certificate)

        self._waits.until(released)
        acm._certificates.pop(arn, None)
