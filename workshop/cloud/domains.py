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

from workshop.cloud.certificates import Certificates
from workshop.cloud.domain_targets import ROOT
from workshop.cloud.patches import patch_around, require_attributes
from workshop.cloud.responses import Response
from workshop.cloud.stack_types import handled, register

__all__ = ["CustomDomains"]

Values = dict[str, Any]
KIND = "AWS::ApiGateway::DomainName"
CHANGEABLE = (
    *("certificateArn", "regionalCertificateArn", "securityPolicy", "endpointAccessMode", "routingMode"),
    "ownershipVerificationCertificateArn",
)
NESTED = ("endpointConfiguration", "mutualTlsAuthentication")
"""What UpdateDomainName changes."""
NO_DOMAIN = "Invalid domain name identifier specified"


class CustomDomains:
    """The operations on custom domains of the current account and region."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    def apply(self) -> None:
        """Patch MiniStack's API Gateway, and its type in stacks."""
        require_attributes(apigateway_v1, "_domain_names", "_base_path_mappings", "_rest_apis", "_v1_error", "_v1_response")
        require_attributes(apigateway, "_domain_view", "_apigw_response")
        patch_around(apigateway_v1, "handle_request", self._handle_request)
        patch_around(apigateway_v1, "_create_domain_name", self._create)
        patch_around(apigateway_v1, "_delete_domain_name", self._settled)
        patch_around(apigateway, "_create_domain_name", self._create_v2)
        patch_around(apigateway, "_update_domain_name", self._update_v2)
        patch_around(apigateway, "_delete_domain_name", self._settled)
        register(KIND, update=self._update_in_stack)

    async def _handle_request(
        self, original: Callable[..., Awaitable[Any]], method: str, path: str, headers: Any, body: bytes, query: Any
    ) -> Any:
        """What MiniStack does not offer: UpdateDomainName, and refusals of mappings."""
        parts = [unquote(part) for part in path.strip("/").split("/") if part]
        data = json.loads(body or b"{}") if parts[:1] == ["domainnames"] and method in ("POST", "PATCH") else {}
        if parts[:1] == ["domainnames"] and parts[2:3] == ["basepathmappings"]:
            refused = _mapping_refused(method, parts[1], parts[3:], data)
            if refused is not None:
                return refused
            if method == "POST":  # an empty base path is the root
                body = json.dumps({**data, "basePath": data.get("basePath") or ROOT}).encode()
        elif parts[:1] == ["domainnames"] and method == "PATCH" and len(parts) == 2:
            return self._update(parts[1], data.get("patchOperations") or [])
        return await original(method, path, headers, body, query)

    def _settled(self, original: Callable[..., Any], *arguments: Any) -> Any:
        """The original, after which certificates learn who uses them."""
        response = original(*arguments)
        self._certificates.settle()
        return response

    def _create(self, original: Callable[..., Any], data: Values) -> Any:
        return self._created(original, data, data) or apigateway_v1._v1_response(
            apigateway_v1._domain_names[data["domainName"]], 201
        )

    def _create_v2(self, original: Callable[..., Any], data: Values) -> Any:
        refused = self._created(original, data, _from_v2(data))
        return refused or apigateway._apigw_response(
            apigateway._domain_view(apigateway_v1._domain_names[data["domainName"]]), 201
        )

    def _created(self, original: Callable[..., Any], data: Values, settings: Values) -> Any:
        """Create a domain whose certificate fits; the response if that is refused. What is shown of it is what AWS shows: nothing
        that is not set, and a regional name that browsers resolve to this machine."""
        name, region = str(data.get("domainName") or ""), responses.get_region()
        if name in apigateway_v1._domain_names:
            return _error("ConflictException", "The domain name you provided already exists.", 409)
        refused = self._certificate_refused(name, settings) if name else None
        response = refused or original(data)
        if response[0] >= 400:
            return response
        record = apigateway_v1._domain_names[name]
        for member in [member for member, value in record.items() if value in ("", {}) and member != "tags"]:
            del record[member]
        record["domainNameStatus"] = "AVAILABLE"
        record["domainNameArn"] = f"arn:aws:apigateway:{region}::/domainnames/{name}"
        record["regionalDomainName"] = f"d-{secrets.token_hex(5)}.execute-api.{region}.localhost"
        self._certificates.settle()
        return None

    def _update(self, name: str, operations: Sequence[Mapping[str, Any]]) -> Any:
        """UpdateDomainName: all of its operations, or none."""
        record = apigateway_v1._domain_names.get(name)
        if record is None:
            return _error("NotFoundException", NO_DOMAIN, 404)
        changed: Values = {}
        for operation in operations:
            member, _, inner = str(operation.get("path", ""))[1:].partition("/")
            before, value = changed.get(member, record.get(member)), operation.get("value")
            if member not in (NESTED if inner else CHANGEABLE):
                text = f"Invalid patch path '{operation.get('path')}' specified for op '{operation.get('op')}'."
                return _error("BadRequestException", text)
            types = member == "endpointConfiguration"
            changed[member] = {**(before or {}), **({"types": [value]} if types else {inner: value})} if inner else value
        refused = self._certificate_refused(name, {**record, **changed})
        if refused is not None:
            return refused
        record.update(changed)
        self._certificates.settle()
        return apigateway_v1._v1_response(record)

    def _update_v2(self, original: Callable[..., Any], name: str, data: Values) -> Any:
        known = name in apigateway_v1._domain_names and "domainNameConfigurations" in data
        refused = self._certificate_refused(name, _from_v2(data)) if known else None
        return refused or self._settled(original, name, data)

    def _update_in_stack(
        self, physical_id: str, _: Values, new: Values, stack: str, logical_id: str | None
    ) -> tuple[str, Values]:
        """A domain keeps its mappings and its regional name; another name is another domain."""
        if new.get("DomainName") != physical_id:
            created: tuple[str, Values] = handled(KIND, "create")(logical_id, new, stack)
            return created
        types = (new.get("EndpointConfiguration") or {}).get("Types") or ["REGIONAL"]
        operations = [{"path": "/endpointConfiguration/types/REGIONAL", "value": types[0]}]
        named = {member: member[0].upper() + member[1:] for member in CHANGEABLE}
        operations += [{"path": f"/{member}", "value": new[named[member]]} for member in CHANGEABLE if named[member] in new]
        status, _headers, body = self._update(physical_id, operations)
        if status >= 400:
            raise ValueError(json.loads(body)["message"])
        record = apigateway_v1._domain_names[physical_id]
        return physical_id, {name[0].upper() + name[1:]: value for name, value in record.items() if isinstance(value, str)}

    def _certificate_refused(self, name: str, settings: Mapping[str, Any]) -> Response | None:
        """Why the certificate of these settings does not fit the domain, as a response; None when it does."""
        kind = ((settings.get("endpointConfiguration") or {}).get("types") or ["REGIONAL"])[0]
        member, region = ("certificate", "us-east-1") if kind == "EDGE" else ("regionalCertificate", responses.get_region())
        arn = settings.get(f"{member}Arn")
        if not arn and settings.get(f"{member}Name"):
            return None
        self._certificates.settle()
        found = acm._certificates.get_scoped(responses.get_account_id(), region, arn) or {}
        problems = {
            f"A certificate was not provided for the endpoint type {kind}.": not arn,
            f"Invalid certificate ARN: {arn}. Certificate must be in '{region}'.": str(arn).split(":")[3:4] not in ([], [region]),
            "The provided certificate does not exist.": not found,
            f"The certificate {arn} cannot be used: its status is {found.get('Status')}, not ISSUED.": found.get("Status")
            != "ISSUED",
            "The domain name to be created is not provided in the certificate.": found.get("Type") != "IMPORTED"
            and not _covers(found.get("SubjectAlternativeNames", ()), name.lower()),
        }
        problem = next((text for text, holds in problems.items() if holds), "")
        return _error("BadRequestException", problem) if problem else None


def _covers(names: list[str], domain: str) -> bool:
    """Whether one of a certificate's names is the domain, or a wildcard for it."""
    return any(name.lower() in (domain, f"*.{domain.partition('.')[2]}") for name in names)


def _from_v2(data: Mapping[str, Any]) -> Values:
    """Type and certificate of a request of the newer API, in the words of the older."""
    config = (data.get("domainNameConfigurations") or [{}])[0]
    kind = config.get("endpointType", "REGIONAL")
    prefix = "certificate" if kind == "EDGE" else "regionalCertificate"
    certificate = {f"{prefix}Arn": config.get("certificateArn"), f"{prefix}Name": config.get("certificateName")}
    return {"endpointConfiguration": {"types": [kind]}, **certificate}


def _mapping_refused(method: str, name: str, base: list[str], data: Values) -> Response | None:
    """Why a call about a base path mapping is refused; None when it is not."""
    existing = apigateway_v1._base_path_mappings.get(name, {})
    if name not in apigateway_v1._domain_names:
        return _error("NotFoundException", NO_DOMAIN, 404)
    if method == "POST" and data.get("restApiId") not in apigateway_v1._rest_apis:
        return _error("NotFoundException", "Invalid REST API identifier specified", 404)
    if method == "POST" and (data.get("basePath") or ROOT) in existing:
        return _error("ConflictException", "Base path already exists for this domain name", 409)
    return (
        _error("NotFoundException", "Invalid base path mapping identifier specified", 404)
        if base and base[0] not in existing
        else None
    )


def _error(code: str, message: str, status: int = 400) -> Response:
    """An error as API Gateway's control plane returns it."""
    response: Response = apigateway_v1._v1_error(code, message, status)
    return response
