"""ACM in time: a certificate waits for its validation record, is issued a while later, and cannot be deleted while it is used.

In: MiniStack's ACM, the hosted zones of this cloud, the users of certificates. Out: the same service with AWS's states, names and
refusals. Nothing has to happen at a moment: what a certificate is follows from the times on its record
(docs/aws-behaviours.md, section 6.7).
"""

from __future__ import annotations

import hashlib
import re
import string
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

from ministack.core import responses
from ministack.services import acm, apigateway_v1, cloudfront, cognito

from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.names.records import Zone, plain_name, zones
from workshop.cloud.patches import patch_around, require_attributes
from workshop.cloud.timing import Timing

__all__ = ["IN_USE", "Certificates", "base_domain", "users_of", "validation_record"]

Certificate = dict[str, Any]
Operation = Callable[[dict[str, Any]], Any]
DOMAIN = re.compile(r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])")
TOKEN_SECONDS, PENDING_SECONDS, VALID_SECONDS = 3600.0, 72 * 3600.0, 395 * 86_400.0
"""How long a token stands for its request, how long a certificate waits for its records, and how long it is valid."""
IN_USE = "Certificate {arn} in account {account} is in use."
MALFORMED = (
    "1 validation error detected: Value '{value}' at 'domainName' failed to satisfy constraint: Member must satisfy regular "
    "expression pattern: {pattern}"
)
MAILBOXES = ("administrator", "hostmaster", "postmaster", "webmaster", "admin")


def users_of(arn: str) -> list[str]:
    """The ARNs of what uses a certificate now: custom domains, distributions, custom domains of user pools."""
    account = arn.split(":")[4]
    domains = (
        f"arn:aws:apigateway:{region}::/domainnames/{name}"
        for (owner, region, name), record in apigateway_v1._domain_names.all_items()
        if owner == account and arn in (record.get("regionalCertificateArn"), record.get("certificateArn"))
    )
    distributions = (
        str(record["ARN"])
        for (owner, _), record in list(cloudfront._distributions.to_dict().items())
        if owner == account and f">{arn}<" in record.get("config_xml", "")
    )
    pools = (
        f"arn:aws:cognito-idp:{region}:{account}:userpool/{pool}"
        for (owner, region, pool), record in cognito._user_pools.all_items()
        if owner == account and (record.get("_custom_domain_config") or {}).get("CertificateArn") == arn
    )
    return [*domains, *distributions, *pools]


class Certificates:
    """`now` returns the time in seconds; `changed` is told of every change that no request to ACM made."""

    def __init__(self, now: Callable[[], float], timing: Timing, faults: FaultRegistry, changed: Callable[[], None]) -> None:
        self._now, self._timing, self._faults, self._changed = now, timing, faults, changed
        self._lock = threading.Lock()

    def apply(self) -> None:
        """Patch MiniStack's ACM."""
        require_attributes(acm, "_certificates", "_cert_arn", "_synthetic_pem", "_get_local_certificate", "error_response_json")
        for module, store in ((apigateway_v1, "_domain_names"), (cloudfront, "_distributions"), (cognito, "_user_pools")):
            require_attributes(module, store)
        patch_around(acm, "handle_request", self._handle_request)
        patch_around(acm, "_request_certificate", self._request)
        patch_around(acm, "_cert_shape", self._shown)
        patch_around(acm, "_get_certificate", self._get)
        patch_around(acm, "_delete_certificate", self._delete)

    def settle(self) -> None:
        """Take note of validation records and users that came or went. Called whenever records or users change, and before every
        look at a certificate."""
        with self._lock:
            changed = [self._validate(each) | self._note_users(each) for _, each in acm._certificates.all_items()]
        if any(changed):
            self._changed()

    def request(self, data: Mapping[str, Any]) -> Certificate:
        """A new certificate of the current account and region, or the one that was requested with the same token."""
        domain = str(data["DomainName"])
        names = list(dict.fromkeys([domain, *(data.get("SubjectAlternativeNames") or ())]))
        token, now, arn = data.get("IdempotencyToken", ""), self._now(), acm._cert_arn()
        for found in acm._certificates.values():
            fresh = now - found.get("_requested", 0.0) < TOKEN_SECONDS
            if token and fresh and (found.get("_token"), found["SubjectAlternativeNames"]) == (token, names):
                return cast(Certificate, found)
        acm._certificates[arn] = certificate = {
            "CertificateArn": arn,
            "DomainName": domain,
            "SubjectAlternativeNames": names,
            "Status": "PENDING_VALIDATION",
            "Type": "AMAZON_ISSUED",
            "CreatedAt": now,
            "ValidationMethod": data.get("ValidationMethod") or "EMAIL",
            "KeyAlgorithm": data.get("KeyAlgorithm") or "RSA_2048",
            "Tags": list(data.get("Tags") or ()),
            "Options": dict(data.get("Options") or {"CertificateTransparencyLoggingPreference": "ENABLED"}),
            "_requested": now,
            "_named": now + self._timing.seconds("acm.record"),
            "_token": token,
            "_due": {},
            "_pem_body": acm._synthetic_pem(domain),
            "_pem_chain": "",
            "_private_key": "",
        }
        return certificate

    def holders(self, certificate: Certificate) -> list[str]:
        """What keeps a certificate from being deleted: its users, and for a while after the last one went, still that one."""
        held = self._now() < certificate.get("_held_until", 0.0)
        return users_of(certificate["CertificateArn"]) or (list(certificate.get("_users", ())) if held else [])

    async def _handle_request(self, original: Callable[..., Awaitable[Any]], *request: Any) -> Any:
        self.settle()
        return await original(*request)

    def _request(self, original: Operation, data: dict[str, Any]) -> Any:
        if data.get("CertificateAuthorityArn"):
            return original(data)
        for name in (str(data.get("DomainName") or ""), *(data.get("SubjectAlternativeNames") or ())):
            if not DOMAIN.fullmatch(name):
                text = MALFORMED.format(value=name, pattern=DOMAIN.pattern)
                return acm.error_response_json("ValidationException", text, 400)
        certificate = self.request(data)
        self.settle()
        return acm.json_response({"CertificateArn": certificate["CertificateArn"]})

    def _shown(self, original: Callable[[Certificate], dict[str, Any]], certificate: Certificate) -> dict[str, Any]:
        shown = original(certificate)
        shown["InUseBy"] = list(dict.fromkeys([*shown["InUseBy"], *self.holders(certificate)]))
        shown["KeyAlgorithm"] = certificate.get("KeyAlgorithm", shown["KeyAlgorithm"])
        if "_due" in certificate:
            shown["DomainValidationOptions"] = [
                self._validation(certificate, name) for name in certificate["SubjectAlternativeNames"]
            ]
        hidden = () if shown["Status"] == "ISSUED" else ("IssuedAt", "NotBefore", "NotAfter")
        return {member: value for member, value in shown.items() if member not in hidden}

    def _validation(self, certificate: Certificate, name: str) -> dict[str, Any]:
        """How the validation of one name goes; its record is named a moment after the request."""
        base, method = base_domain(name), certificate["ValidationMethod"]
        status = {"ISSUED": "SUCCESS", "VALIDATION_TIMED_OUT": "FAILED"}.get(certificate["Status"], "PENDING_VALIDATION")
        option = {"DomainName": name, "ValidationDomain": base, "ValidationMethod": method, "ValidationStatus": status}
        if method != "DNS":
            return {**option, "ValidationEmails": [f"{mailbox}@{base}" for mailbox in MAILBOXES]}
        if self._now() < certificate["_named"]:
            return option
        return {**option, "ResourceRecord": validation_record(certificate["CertificateArn"].split(":")[4], name)}

    def _get(self, original: Operation, data: dict[str, Any]) -> Any:
        certificate = acm._get_local_certificate(data.get("CertificateArn", ""))
        if certificate and certificate["Status"] == "PENDING_VALIDATION":
            text = f"The certificate request is in progress by the Certificate Authority: {certificate['CertificateArn']}"
            return acm.error_response_json("RequestInProgressException", text, 400)
        return original(data)

    def _delete(self, original: Operation, data: dict[str, Any]) -> Any:
        arn = data.get("CertificateArn", "")
        certificate = acm._get_local_certificate(arn)
        if certificate and self.holders(certificate):
            text = IN_USE.format(arn=arn, account=responses.get_account_id())
            return acm.error_response_json("ResourceInUseException", text, 400)
        return original(data)

    def _validate(self, certificate: Certificate) -> bool:
        """Move a pending certificate on; returns whether anything changed."""
        if certificate["Status"] != "PENDING_VALIDATION" or "_due" not in certificate:
            return False
        names, due, now = certificate["SubjectAlternativeNames"], certificate["_due"], self._now()
        before, account = dict(due), certificate["CertificateArn"].split(":")[4]
        by_dns = certificate["ValidationMethod"] == "DNS" and not self._faults.unvalidated(names)
        bases = {base_domain(name) for name in names}
        for base in bases:
            if not (by_dns and _is_published(zones(), account, base)):
                due.pop(base, None)
            elif base not in due:
                due[base] = now + self._timing.seconds("acm.issue")
        if bases <= due.keys() and now >= (issued := max(due.values())):
            certificate.update(Status="ISSUED", IssuedAt=issued, NotBefore=issued, NotAfter=issued + VALID_SECONDS)
        elif now - certificate["_requested"] >= PENDING_SECONDS:
            certificate["Status"] = "VALIDATION_TIMED_OUT"
        return bool(before != due or certificate["Status"] != "PENDING_VALIDATION")

    def _note_users(self, certificate: Certificate) -> bool:
        """Note who uses a certificate, and when the last one went; returns whether anything changed."""
        found, noted = users_of(certificate["CertificateArn"]), certificate.get("_users", [])
        held = "_held_until" in certificate
        if found and (held or found != noted):
            certificate["_users"] = found
            certificate.pop("_held_until", None)
        elif noted and not found and not held:
            certificate["_held_until"] = self._now() + self._timing.seconds("acm.release")
        else:
            return False
        return True


def base_domain(domain: str) -> str:
    """The domain that is validated: a wildcard's base."""
    return plain_name(domain).removeprefix("*.")


def validation_record(account: str, domain: str) -> dict[str, str]:
    """The CNAME that proves a domain: Name and Value with a dot at the end."""
    base = base_domain(domain)
    name, value, realm = (hashlib.sha256(f"{part}/{account}/{base}".encode()).digest() for part in ("name", "value", "realm"))
    letters = "".join(string.ascii_lowercase[each % 26] for each in realm[:10])
    return {
        "Name": f"_{name.hex()[:32]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{value.hex()[:32]}.{letters}.acm-validations.aws.",
    }


def _is_published(zones: Iterable[Zone], account: str, domain: str) -> bool:
    """Whether a public zone of any account has the record that proves the domain."""
    wanted = validation_record(account, domain)
    name, value = plain_name(wanted["Name"]), plain_name(wanted["Value"])
    return any(
        record.type == "CNAME" and [plain_name(text) for text in record.values] == [value]
        for zone in zones
        if not zone.private
        for record in zone.by_name.get(name, ())
    )
