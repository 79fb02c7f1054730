"""Custom domains of API Gateway: what AWS refuses, the regional name that DNS points at, and changing a domain.

In: MiniStack's API Gateway and the certificates of ACM. Out: the same operations with AWS's rules, for REST and HTTP APIs alike
(docs/aws-behaviours.md, section 6.8). The pace of these calls is limited by `middleware`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ministack.core import responses
from ministack.services import acm, apigateway, apigateway_v1

from workshop.cloud.base_paths import NO_DOMAIN, create_mapping, gateway_error, mapping_refused, update_mapping
from workshop.cloud.certificates import Certificates
from workshop.cloud.domain_targets import ApiTarget, domain_target, has_domain, region_of_domain_target, regional_zone
from workshop.cloud.patches import patch_around, require_attribute
from workshop.cloud.responses import Response
from workshop.cloud.stack_types import handled, register

__all__ = ["ApiTarget", "CustomDomains", "domain_target", "has_domain", "region_of_domain_target"]

Operation = Callable[..., Any]
READ: dict[Any, tuple[str, ...]] = {
    apigateway_v1: ("_domain_names", "_base_path_mappings", "_rest_apis", "_v1_error", "_v1_response", "_public_mapping"),
    apigateway: ("_domain_view", "_apigw_response"),
}
EXISTS = "The domain name you provided already exists."
NO_CERTIFICATE = "A certificate was not provided for the endpoint type {kind}."
UNKNOWN_CERTIFICATE = "The provided certificate does not exist."
NOT_ISSUED = "The certificate {arn} cannot be used: its status is {status}, not ISSUED."
NOT_COVERED = "The domain name to be created is not provided in the certificate."
WRONG_REGION = "Invalid certificate ARN: {arn}. Certificate must be in '{region}'."
PATHS = {
    "/certificateArn": "certificateArn",
    "/regionalCertificateArn": "regionalCertificateArn",
    "/securityPolicy": "securityPolicy",
    "/endpointAccessMode": "endpointAccessMode",
    "/routingMode": "routingMode",
    "/ownershipVerificationCertificateArn": "ownershipVerificationCertificateArn",
}
"""What UpdateDomainName changes, besides the type of the endpoint."""


class CustomDomains:
    """The operations on custom domains of the current account and region."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    def apply(self) -> None:
        """Patch MiniStack's API Gateway, and its type in stacks."""
        for module, names in READ.items():
            for name in names:
                require_attribute(module, name)
        patch_around(apigateway_v1, "handle_request", self._handle_request)
        patch_around(apigateway_v1, "_create_domain_name", self._create)
        patch_around(apigateway_v1, "_delete_domain_name", self._delete)
        patch_around(apigateway_v1, "_create_base_path_mapping", create_mapping)
        patch_around(apigateway, "_create_domain_name", self._create_v2)
        patch_around(apigateway, "_update_domain_name", self._update_v2)
        patch_around(apigateway, "_delete_domain_name", self._delete)
        register("AWS::ApiGateway::DomainName", update=self._update_in_stack)

    async def _handle_request(
        self, original: Callable[..., Awaitable[Any]], method: str, path: str, headers: Any, body: bytes, query: Any
    ) -> Any:
        """What MiniStack does not offer: UpdateDomainName, UpdateBasePathMapping, and refusals of mappings."""
        parts = [unquote(part) for part in path.strip("/").split("/") if part]
        if parts[:1] != ["domainnames"]:
            return await original(method, path, headers, body, query)
        refused = mapping_refused(method, parts, body)
        if refused is not None:
            return refused
        if method == "PATCH" and len(parts) == 2:
            return self._update(parts[1], json.loads(body or b"{}").get("patchOperations") or [])
        if method == "PATCH" and len(parts) == 4:
            return update_mapping(parts[1], parts[3], json.loads(body or b"{}").get("patchOperations") or [])
        return await original(method, path, headers, body, query)

    def _create(self, original: Operation, data: dict[str, Any]) -> Any:
        name = str(data.get("domainName") or "")
        types = (data.get("endpointConfiguration") or {}).get("types") or ["REGIONAL"]
        if name in apigateway_v1._domain_names:
            return gateway_error("ConflictException", EXISTS, 409)
        refused = self._certificate_refused(name, types[0], data) if name else None
        if refused is not None:
            return refused
        response = original(data)
        if response[0] >= 400:
            return response
        record = apigateway_v1._domain_names[name]
        _complete(record)
        self._certificates.settle()
        return apigateway_v1._v1_response(record, 201)

    def _update(self, name: str, operations: Sequence[Mapping[str, Any]]) -> Any:
        """UpdateDomainName: all of its operations, or none."""
        record = apigateway_v1._domain_names.get(name)
        if record is None:
            return gateway_error("NotFoundException", NO_DOMAIN, 404)
        changed: dict[str, Any] = {}
        for operation in operations:
            path, value = str(operation.get("path", "")), operation.get("value")
            if path.startswith("/endpointConfiguration/types/"):
                changed["endpointConfiguration"] = {**record["endpointConfiguration"], "types": [value]}
            elif path.startswith("/mutualTlsAuthentication/"):
                member = path.rpartition("/")[2]
                changed["mutualTlsAuthentication"] = {**(record.get("mutualTlsAuthentication") or {}), member: value}
            elif path in PATHS:
                changed[PATHS[path]] = value
            else:
                return gateway_error(
                    "BadRequestException", f"Invalid patch path '{path}' specified for op '{operation.get('op')}'."
                )
        refused = self._certificate_refused(name, _kind({**record, **changed}), {**record, **changed})
        if refused is not None:
            return refused
        record.update(changed)
        self._certificates.settle()
        return apigateway_v1._v1_response(record)

    def _delete(self, original: Operation, name: str) -> Any:
        response = original(name)
        self._certificates.settle()
        return response

    def _create_v2(self, original: Operation, data: dict[str, Any]) -> Any:
        name = str(data.get("domainName") or "")
        refused = self._certificate_refused(name, *_from_v2(data)) if name and name not in apigateway_v1._domain_names else None
        if refused is not None:
            return refused
        response = original(data)
        if response[0] >= 400:
            return response
        record = apigateway_v1._domain_names[name]
        _complete(record)
        self._certificates.settle()
        return apigateway._apigw_response(apigateway._domain_view(record), 201)

    def _update_v2(self, original: Operation, name: str, data: dict[str, Any]) -> Any:
        if name in apigateway_v1._domain_names and "domainNameConfigurations" in data:
            refused = self._certificate_refused(name, *_from_v2(data))
            if refused is not None:
                return refused
        response = original(name, data)
        self._certificates.settle()
        return response

    def _update_in_stack(
        self, physical_id: str, _: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None
    ) -> tuple[str, dict[str, Any]]:
        """A domain keeps its mappings and its regional name; another name is another domain."""
        if new.get("DomainName") != physical_id:
            created: tuple[str, dict[str, Any]] = handled("AWS::ApiGateway::DomainName", "create")(logical_id, new, stack)
            return created
        types = (new.get("EndpointConfiguration") or {}).get("Types") or ["REGIONAL"]
        operations = [{"op": "replace", "path": "/endpointConfiguration/types/REGIONAL", "value": types[0]}]
        for path, member in PATHS.items():
            named = member[0].upper() + member[1:]
            if named in new:
                operations.append({"op": "replace", "path": path, "value": new[named]})
        status, _headers, body = self._update(physical_id, operations)
        if status >= 400:
            raise ValueError(json.loads(body)["message"])
        record = apigateway_v1._domain_names[physical_id]
        return physical_id, {
            "DistributionDomainName": record["distributionDomainName"],
            "DistributionHostedZoneId": record["distributionHostedZoneId"],
            "DomainNameArn": f"arn:aws:apigateway:{responses.get_region()}::/domainnames/{physical_id}",
            "RegionalDomainName": record["regionalDomainName"],
            "RegionalHostedZoneId": record["regionalHostedZoneId"],
        }

    def _certificate_refused(self, name: str, kind: str, settings: Mapping[str, Any]) -> Response | None:
        """Why the certificate of these settings does not fit the domain, as a response; None when it does."""
        regional = kind != "EDGE"
        arn = settings.get("regionalCertificateArn" if regional else "certificateArn")
        region = responses.get_region() if regional else "us-east-1"
        if not arn:
            uploaded = settings.get("regionalCertificateName" if regional else "certificateName")
            return None if uploaded else gateway_error("BadRequestException", NO_CERTIFICATE.format(kind=kind))
        where = str(arn).split(":")
        if len(where) > 3 and where[3] != region:
            return gateway_error("BadRequestException", WRONG_REGION.format(arn=arn, region=region))
        self._certificates.settle()
        certificate = acm._certificates.get_scoped(responses.get_account_id(), region, arn)
        if certificate is None:
            return gateway_error("BadRequestException", UNKNOWN_CERTIFICATE)
        if certificate["Status"] != "ISSUED":
            return gateway_error("BadRequestException", NOT_ISSUED.format(arn=arn, status=certificate["Status"]))
        if certificate.get("Type") != "IMPORTED" and not _covers(certificate["SubjectAlternativeNames"], name):
            return gateway_error("BadRequestException", NOT_COVERED)
        return None


def _covers(names: list[str], domain: str) -> bool:
    """Whether one of a certificate's names is the domain, or a wildcard for it."""
    wanted = domain.lower()
    return any(
        wanted == name.lower() or (name.startswith("*.") and wanted.partition(".")[2] == name[2:].lower()) for name in names
    )


def _complete(record: dict[str, Any]) -> None:
    """What AWS shows of a new domain besides its settings, and nothing of what is not set. Its regional name is one that browsers
    resolve to this machine."""
    region = responses.get_region()
    for member in [member for member, value in record.items() if value in ("", {}) and member != "tags"]:
        del record[member]
    record["domainNameStatus"] = "AVAILABLE"
    record["domainNameArn"] = f"arn:aws:apigateway:{region}::/domainnames/{record['domainName']}"
    record["regionalDomainName"] = f"d-{secrets.token_hex(5)}.execute-api.{region}.localhost"
    record["regionalHostedZoneId"] = regional_zone(region)


def _kind(record: Mapping[str, Any]) -> str:
    return str(((record.get("endpointConfiguration") or {}).get("types") or ["REGIONAL"])[0])


def _from_v2(data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Type and certificate of a request of the newer API, in the words of the older."""
    config = (data.get("domainNameConfigurations") or [{}])[0]
    kind, prefix = config.get("endpointType", "REGIONAL"), "regionalCertificate"
    if kind == "EDGE":
        prefix = "certificate"
    return kind, {f"{prefix}Arn": config.get("certificateArn"), f"{prefix}Name": config.get("certificateName")}
