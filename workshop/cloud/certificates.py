"""ACM in time: a certificate waits for its validation record, is issued a while later, and cannot be deleted while it is used.

In: MiniStack's ACM, the hosted zones of this cloud, the users of certificates. Out: the same service with AWS's states, names and
refusals. Nothing has to happen at a moment: what a certificate is follows from the times on its record
(docs/aws-behaviours.md, section 6.7).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

from ministack.core import responses
from ministack.services import acm

from workshop.cloud.certificate_users import check_attributes, users_of
from workshop.cloud.names.records import zones
from workshop.cloud.patches import patch, patch_around, require_attribute
from workshop.cloud.responses import Response
from workshop.cloud.timing import Timing
from workshop.cloud.validation import base_domain, is_published, validation_record

__all__ = ["CertificateFaults", "Certificates"]

Certificate = dict[str, Any]
Operation = Callable[[dict[str, Any]], Any]
READ = ("_certificates", "_cert_arn", "_synthetic_pem", "_get_local_certificate", "error_response_json", "json_response")
DOMAIN = re.compile(r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])")
TOKEN_SECONDS = 3600.0
PENDING_SECONDS = 72 * 3600.0
"""After this time without its validation records a certificate is given up."""
VALID_SECONDS = 395 * 86_400.0
IN_USE = "Certificate {arn} in account {account} is in use."
IN_PROGRESS = "The certificate request is in progress by the Certificate Authority: {arn}"
MALFORMED = (
    "1 validation error detected: Value '{value}' at 'domainName' failed to satisfy constraint: Member must satisfy regular "
    "expression pattern: {pattern}"
)
MAILBOXES = ("administrator", "hostmaster", "postmaster", "webmaster", "admin")


class CertificateFaults(Protocol):
    """Whether ACM finds no validation records for a certificate of these names."""

    def unvalidated(self, names: Collection[str]) -> bool: ...


class Certificates:
    """`now` returns the time in seconds; `changed` is told of every change that no request to ACM made."""

    def __init__(
        self, now: Callable[[], float], timing: Timing, faults: CertificateFaults, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._now, self._timing, self._faults, self._changed = now, timing, faults, changed
        self._lock = threading.Lock()

    def apply(self) -> None:
        """Patch MiniStack's ACM."""
        check_attributes()
        for name in READ:
            require_attribute(acm, name)
        patch_around(acm, "handle_request", self._handle_request)
        patch_around(acm, "_request_certificate", self._request)
        patch_around(acm, "_cert_shape", self._shown)
        patch_around(acm, "_get_certificate", self._get)
        patch_around(acm, "_delete_certificate", self._delete)
        patch(acm, "_validation_options", lambda _: lambda domain, method: _option(_account(), domain, method))

    def settle(self) -> None:
        """Take note of validation records and users that came or went. Called whenever records or users change, and before every
        look at a certificate."""
        changed = False
        with self._lock:
            for (account, _, arn), certificate in acm._certificates.all_items():
                changed = self._validate(account, certificate) or changed
                changed = self._note_users(account, arn, certificate) or changed
        if changed:
            self._changed()

    def request(self, data: Mapping[str, Any]) -> Certificate:
        """A new certificate of the current account and region, or the one that was requested with the same token."""
        domain = str(data["DomainName"])
        names = list(dict.fromkeys([domain, *(data.get("SubjectAlternativeNames") or ())]))
        token, now = data.get("IdempotencyToken", ""), self._now()
        for certificate in acm._certificates.values():
            fresh = now - certificate.get("_requested", 0.0) < TOKEN_SECONDS
            if token and fresh and certificate.get("_token") == token and certificate["SubjectAlternativeNames"] == names:
                found: Certificate = certificate
                return found
        arn = acm._cert_arn()
        certificate = {
            "CertificateArn": arn,
            "DomainName": domain,
            "SubjectAlternativeNames": names,
            "Status": "PENDING_VALIDATION",
            "Type": "AMAZON_ISSUED",
            "CreatedAt": now,
            "ValidationMethod": data.get("ValidationMethod") or "EMAIL",
            "KeyAlgorithm": data.get("KeyAlgorithm", "RSA_2048"),
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
        acm._certificates[arn] = certificate
        return certificate

    def users(self, account: str, certificate: Certificate) -> list[str]:
        """Who uses a certificate; for a while after the last one went, still that one."""
        found = users_of(account, certificate["CertificateArn"])
        return found or (list(certificate.get("_users", ())) if self._now() < certificate.get("_held_until", 0.0) else [])

    def is_used(self, account: str, certificate: Certificate) -> bool:
        """Whether something uses a certificate now."""
        return bool(users_of(account, certificate["CertificateArn"]))

    async def _handle_request(self, original: Callable[..., Awaitable[Any]], *request: Any) -> Any:
        self.settle()
        return await original(*request)

    def _request(self, original: Operation, data: dict[str, Any]) -> Any:
        if data.get("CertificateAuthorityArn"):
            return original(data)
        for name in (str(data.get("DomainName") or ""), *(data.get("SubjectAlternativeNames") or ())):
            if not DOMAIN.fullmatch(name):
                return _error("ValidationException", MALFORMED.format(value=name, pattern=DOMAIN.pattern))
        certificate = self.request(data)
        self.settle()
        return acm.json_response({"CertificateArn": certificate["CertificateArn"]})

    def _shown(self, original: Callable[[Certificate], dict[str, Any]], certificate: Certificate) -> dict[str, Any]:
        shown = original(certificate)
        account = certificate["CertificateArn"].split(":")[4]
        shown["InUseBy"] = list(dict.fromkeys([*shown["InUseBy"], *self.users(account, certificate)]))
        shown["KeyAlgorithm"] = certificate.get("KeyAlgorithm", shown["KeyAlgorithm"])
        shown["RenewalEligibility"] = "ELIGIBLE" if shown["InUseBy"] and shown["Status"] == "ISSUED" else "INELIGIBLE"
        if "_due" in certificate:
            shown["DomainValidationOptions"] = [
                self._validation(account, certificate, name) for name in certificate["SubjectAlternativeNames"]
            ]
        if shown["Status"] != "ISSUED":
            for member in ("IssuedAt", "NotBefore", "NotAfter"):
                shown.pop(member, None)
        return shown

    def _validation(self, account: str, certificate: Certificate, name: str) -> dict[str, Any]:
        """How the validation of one name goes; its record is named a moment after the request."""
        option = _option(account, name, certificate["ValidationMethod"])
        statuses = {"ISSUED": "SUCCESS", "VALIDATION_TIMED_OUT": "FAILED"}
        option["ValidationStatus"] = statuses.get(certificate["Status"], "PENDING_VALIDATION")
        if self._now() < certificate["_named"]:
            option.pop("ResourceRecord", None)
        return option

    def _get(self, original: Operation, data: dict[str, Any]) -> Any:
        certificate = acm._get_local_certificate(data.get("CertificateArn", ""))
        if certificate and certificate["Status"] == "PENDING_VALIDATION":
            return _error("RequestInProgressException", IN_PROGRESS.format(arn=certificate["CertificateArn"]))
        return original(data)

    def _delete(self, original: Operation, data: dict[str, Any]) -> Any:
        certificate = acm._get_local_certificate(data.get("CertificateArn", ""))
        if certificate and self.users(_account(), certificate):
            return _error("ResourceInUseException", IN_USE.format(arn=certificate["CertificateArn"], account=_account()))
        return original(data)

    def _validate(self, account: str, certificate: Certificate) -> bool:
        """Move a pending certificate on; returns whether anything changed."""
        if certificate["Status"] != "PENDING_VALIDATION" or "_due" not in certificate:
            return False
        names, due, now = certificate["SubjectAlternativeNames"], certificate["_due"], self._now()
        before = dict(due)
        by_dns = certificate["ValidationMethod"] == "DNS" and not self._faults.unvalidated(names)
        bases = {base_domain(name) for name in names}
        for base in bases:
            if not (by_dns and is_published(zones(), account, base)):
                due.pop(base, None)
            elif base not in due:
                due[base] = now + self._timing.seconds("acm.issue")
        if bases <= due.keys() and now >= (issued := max(due.values())):
            certificate.update(Status="ISSUED", IssuedAt=issued, NotBefore=issued, NotAfter=issued + VALID_SECONDS)
        elif now - certificate["_requested"] >= PENDING_SECONDS:
            certificate["Status"] = "VALIDATION_TIMED_OUT"
        return bool(before != due or certificate["Status"] != "PENDING_VALIDATION")

    def _note_users(self, account: str, arn: str, certificate: Certificate) -> bool:
        """Note who uses a certificate, and when the last one went; returns whether anything changed."""
        found, noted = users_of(account, arn), certificate.get("_users", [])
        held = "_held_until" in certificate
        if found and (held or found != noted):
            certificate["_users"] = found
            certificate.pop("_held_until", None)
        elif noted and not found and not held:
            certificate["_held_until"] = self._now() + self._timing.seconds("acm.release")
        else:
            return False
        return True


def _option(account: str, domain: str, method: str) -> dict[str, Any]:
    """A validation option without its status' progress."""
    base = base_domain(domain)
    option: dict[str, Any] = {"DomainName": domain, "ValidationDomain": base, "ValidationMethod": method}
    option["ValidationStatus"] = "PENDING_VALIDATION"
    if method == "DNS":
        name, value = validation_record(account, domain)
        option["ResourceRecord"] = {"Name": name, "Type": "CNAME", "Value": value}
    else:
        option["ValidationEmails"] = [f"{mailbox}@{base}" for mailbox in MAILBOXES]
    return option


def _account() -> str:
    return str(responses.get_account_id())


def _error(code: str, message: str) -> Response:
    response: Response = acm.error_response_json(code, message, 400)
    return response
