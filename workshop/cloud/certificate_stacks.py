"""Certificates in stacks: a stack waits for a certificate to be issued, and writes its validation records where it may.

In: the properties of an AWS::CertificateManager::Certificate. Out: a certificate that is issued. The records stay behind when the
stack goes, as on AWS (docs/aws-behaviours.md, section 6.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import responses
from ministack.services import acm, cloudformation, route53
from ministack.services.cloudformation import provisioners, stacks

from workshop.cloud.certificates import Certificates
from workshop.cloud.names.batches import Change
from workshop.cloud.names.changes import Changes
from workshop.cloud.names.delegation_sets import bare_id
from workshop.cloud.names.recordsets import Refused, stored_name
from workshop.cloud.patches import patch, require_attribute
from workshop.cloud.stack_types import failed, forget_beginning, note_beginning, register, work_in_threads
from workshop.cloud.stack_waits import StackWaits
from workshop.cloud.validation import base_domain, validation_record

__all__ = ["CertificateStacks"]

KIND = "AWS::CertificateManager::Certificate"
Properties = dict[str, Any]
CONTENT = "Content of DNS Record is: {{Name: {name},Type: CNAME,Value: {value}}}"
DELETED = "The certificate was deleted before it was issued."
ENDED = "The certificate could not be issued: its status is {status}."
TTL = "300"


class CertificateStacks:
    """The handlers of the type."""

    def __init__(self, certificates: Certificates, changes: Changes, waits: StackWaits) -> None:
        self._certificates, self._changes, self._waits = certificates, changes, waits

    def apply(self) -> None:
        """Register the type. MiniStack's own update stays: what it cannot change, it creates anew by our function."""
        register(KIND, create=self._create, delete=self._delete)
        patch(provisioners, "_acm_certificate_create", lambda _: self._create)
        work_in_threads({KIND})

    def _create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        if not properties.get("DomainName"):
            raise ValueError("Properties validation failed for resource: #: required key [DomainName] not found")
        certificate = self._certificates.request(_request(properties))
        arn = certificate["CertificateArn"]
        note_beginning(stack, logical_id, KIND, arn, properties)
        try:
            self._publish_records(certificate, properties)
            self._announce(stack, logical_id, certificate)
            self._waits.until(self._issued(arn))
        except Exception:
            acm._certificates.pop(arn, None)
            forget_beginning(stack, logical_id)
            raise
        return arn, {"CertificateArn": arn, "Arn": arn}

    def _issued(self, arn: str) -> Callable[[], bool]:
        """Whether a certificate is issued. Raises `ValueError` when it never will be."""

        def issued() -> bool:
            self._certificates.settle()
            certificate = acm._certificates.get(arn)
            if certificate is None:
                raise ValueError(DELETED)
            if certificate["Status"] not in ("PENDING_VALIDATION", "ISSUED"):
                raise ValueError(ENDED.format(status=certificate["Status"]))
            return bool(certificate["Status"] == "ISSUED")

        return issued

    def _publish_records(self, certificate: Mapping[str, Any], properties: Properties) -> None:
        """Write the records of the domains for which the template names a hosted zone."""
        account = certificate["CertificateArn"].split(":")[4]
        zones = {
            option["DomainName"]: bare_id(str(option["HostedZoneId"]))
            for option in properties.get("DomainValidationOptions") or ()
            if option.get("HostedZoneId")
        }
        for domain in certificate["SubjectAlternativeNames"]:
            zone = zones.get(domain)
            if zone is None or certificate["ValidationMethod"] != "DNS":
                continue
            name, value = validation_record(account, domain)
            record = {"Name": stored_name(name), "Type": "CNAME", "TTL": TTL, "ResourceRecords": [value]}
            if record in [dict(existing) for existing in route53._records.get(zone, ())]:
                continue
            try:
                self._changes.change(zone, [Change("UPSERT", record)])
            except Refused as refused:
                raise failed("AmazonRoute53", refused.message, status=refused.status) from refused

    def _announce(self, stack: str, logical_id: str, certificate: Mapping[str, Any]) -> None:
        """An event with each record that is awaited, which is where people find it on AWS."""
        if certificate["ValidationMethod"] != "DNS":
            return
        account, arn = certificate["CertificateArn"].split(":")[4], certificate["CertificateArn"]
        record = require_attribute(stacks, "_add_event")
        found = _stack_id(stack)
        for base in dict.fromkeys(base_domain(name) for name in certificate["SubjectAlternativeNames"]):
            name, value = validation_record(account, base)
            record(found, stack, logical_id, KIND, "CREATE_IN_PROGRESS", CONTENT.format(name=name, value=value), arn)

    def _delete(self, arn: str, _: Properties) -> None:
        """A certificate that was just released is waited for; one that something uses is a failure."""
        account, region = responses.get_account_id(), responses.get_region()

        def released() -> bool:
            self._certificates.settle()
            certificate = acm._certificates.get_scoped(account, region, arn)
            if certificate is None or not self._certificates.users(account, certificate):
                return True
            if self._certificates.is_used(account, certificate):
                text = f"Certificate {arn} in account {account} is in use."
                raise failed("Acm", text, code="ResourceConflict")
            return False

        self._waits.until(released)
        acm._certificates.pop(arn, None)


def _request(properties: Properties) -> dict[str, Any]:
    """The call of RequestCertificate that a template's properties mean."""
    preference = properties.get("CertificateTransparencyLoggingPreference") or "ENABLED"
    return {
        "DomainName": properties["DomainName"],
        "SubjectAlternativeNames": properties.get("SubjectAlternativeNames") or [],
        "ValidationMethod": properties.get("ValidationMethod") or "EMAIL",
        "KeyAlgorithm": properties.get("KeyAlgorithm") or "RSA_2048",
        "Options": {"CertificateTransparencyLoggingPreference": preference},
        "Tags": properties.get("Tags") or [],
    }


def _stack_id(stack: str) -> str:
    return str((require_attribute(cloudformation, "_stacks").get(stack) or {}).get("StackId", ""))
