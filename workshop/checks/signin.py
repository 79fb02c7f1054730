"""Whether people will be able to sign in. In: the user pools, domains and providers that the steps' templates declare.

Out: findings. Reads of Cognito, and of the address at which an identity provider describes itself (docs/aws-behaviours.md,
sections 7 and 7.1).
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from workshop.aws.errors import AwsError
from workshop.checks.base import Check, Family, Finding, failed, passed, refused, skipped, warned
from workshop.checks.context import PlannedStep
from workshop.checks.signin_client import Client
from workshop.definition.secrets import give_line
from workshop.errors import WorkshopError
from workshop.quoting import shown
from workshop.shell import command_line, flagged
from workshop.steps.base import Permission, Phase
from workshop.steps.cloudformation.template import parsed

__all__ = ["FAMILY", "Authorizer", "Prefix", "Provider", "Region"]

POOL, DOMAIN = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolDomain"
PROVIDER, API = "AWS::Cognito::UserPoolIdentityProvider", "AWS::ApiGateway::RestApi"
NO_POOL = "The steps make no user pool."
RESERVED = ("amazon", "aws", "cognito")
"""What a prefix may not contain (section 7)."""
PREFIX_PARAMETER, REGION_PARAMETER, AUTHORIZER_PARAMETER = "signin_prefix", "identity_region", "authorizer"
"""The parameters that fixes name, where a definition has them."""
DISCOVERY = "/.well-known/openid-configuration"
GOOGLE = "https://accounts.google.com"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
"""What Cognito takes from the discovery document (section 7.1)."""
TIMEOUT = 12.0
LONGEST = 1_000_000
"""Bytes of a document that are read."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """One resource of a template, the step whose template it is, and its properties."""

    planned: PlannedStep
    properties: Mapping[str, Any]


class _SignInCheck(Check):
    """A check about resources that the templates of the steps declare."""

    def declared(self, kind: str) -> Iterator[_Declared]:
        """Those of a type; a template that is broken is a finding of its own."""
        for planned in self.context.planned_steps:
            try:
                body = planned.step.rendered("template", planned.ctx)
                resources = parsed(body, planned.ctx.step)["Resources"] if body else {}
            except WorkshopError:
                continue
            for resource in resources.values():
                if resource["Type"] == kind:
                    properties = resource.get("Properties")
                    yield _Declared(planned, properties if isinstance(properties, dict) else {})

    def prefixes(self) -> list[tuple[str, str]]:
        """The prefix domains that the templates name, each with its region."""
        found = ((each.properties.get("Domain"), each) for each in self.declared(DOMAIN))
        return [
            (name, each.planned.region)
            for name, each in found
            if isinstance(name, str) and name and not each.properties.get("CustomDomainConfig")
        ]

    def again(self, parameter: str, value: str) -> str:
        """The command that looks again with another value of a parameter; empty where the definition has no such parameter."""
        if not any(parameter in planned.ctx.variables for planned in self.context.planned_steps):
            return ""
        return command_line(["workshop", "check", *self.context.options, *flagged("--param", f"{parameter}={value}")])


class Prefix(_SignInCheck):
    """No user pool of another hand has the prefix of the sign-in pages."""

    name = "prefix"
    title = "The address of the sign-in pages is free"

    async def run(self) -> Finding:
        prefixes = self.prefixes()
        if not prefixes:
            return skipped(NO_POOL)
        try:
            for prefix, region in prefixes:
                finding = await self._taken(prefix, region)
                if finding is not None:
                    return finding
        except AwsError as error:
            return refused(error, "The domains of user pools")
        return passed(", ".join(_host(*each) for each in prefixes))

    async def _taken(self, prefix: str, region: str) -> Finding | None:
        other = self.again(PREFIX_PARAMETER, f"{prefix}-2") or "Change its `Domain` in the template"
        words = [word for word in RESERVED if word in prefix]
        if words:
            clean = functools.reduce(lambda text, word: text.replace(word, ""), words, prefix).strip("-") or "tickets"
            fix = self.again(PREFIX_PARAMETER, clean) or "Change its `Domain` in the template"
            return failed(f"The prefix {shown(prefix)} contains '{words[0]}', which AWS does not allow.", fix)
        description = await self._description(prefix, region)
        pool, account = description.get("UserPoolId", ""), description.get("AWSAccountId", "")
        if not pool or await self._is_ours(pool, account, region):
            return None
        whose = f"the user pool {shown(pool)}" + (f" of account {shown(account)}" if account != self.context.account else "")
        return failed(f"{_host(prefix, region)} is taken by {whose}: a prefix is unique in its region over all accounts.", other)

    async def _description(self, prefix: str, region: str) -> Mapping[str, Any]:
        try:
            found = await self.context.aws.call("cognito-idp", region, "describe_user_pool_domain", Domain=prefix)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return {}
        description: Mapping[str, Any] = found.get("DomainDescription") or {}
        return description

    async def _is_ours(self, pool: str, account: str, region: str) -> bool:
        """Whether the pool that has the prefix carries the workshop's tag."""
        if account not in ("", self.context.account):
            return False
        try:
            found = await self.context.aws.call("cognito-idp", region, "describe_user_pool", UserPoolId=pool)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return False
        tags: Mapping[str, str] = found.get("UserPool", {}).get("UserPoolTags") or {}
        return tags.get("workshop") == self.context.workshop

    def permissions(self) -> list[Permission]:
        regions = dict.fromkeys(region for _, region in self.prefixes())
        account = self.context.account
        return [
            permission
            for region in regions
            for permission in (
                Permission("cognito-idp:DescribeUserPoolDomain", "*", region, Phase.CHECK),
                Permission(
                    "cognito-idp:DescribeUserPool", f"arn:aws:cognito-idp:{region}:{account}:userpool/*", region, Phase.CHECK
                ),
            )
        ]


class Provider(_SignInCheck):
    """The identity provider that people sign in with is complete, and describes itself as Cognito needs it."""

    name = "provider"
    title = "The identity provider is complete and reachable"
    needs_credentials = False

    async def run(self) -> Finding:
        providers = list(self.declared(PROVIDER))
        if not providers:
            return skipped("People sign in as users of the pool itself." if list(self.declared(POOL)) else NO_POOL)
        found = [await self._look(each) for each in providers]
        wrong = next((finding for finding in found if finding.fix), None)
        return wrong or passed("; ".join(finding.detail for finding in found))

    async def _look(self, provider: _Declared) -> Finding:
        kind, details = str(provider.properties.get("ProviderType", "")), provider.properties.get("ProviderDetails") or {}
        if kind != "SAML":
            lacking = self._lacking(provider, details)
            if lacking is not None:
                return lacking
        address, why = _address(kind, details), ""
        if address:
            why = await (_saml_problem(address) if kind == "SAML" else _oidc_problem(address, _issuer(kind, details)))
        if why:
            return failed(f"{kind}: {shown(address)} {why}.", f"Look at it: {command_line(['curl', '-sS', address])}")
        return passed(f"{kind}: register {self._redirect(kind, provider.planned.region)} there")

    def _lacking(self, provider: _Declared, details: Mapping[str, Any]) -> Finding | None:
        """The finding about what the provider issued and what is not given here."""
        parameters = getattr(provider.planned.ctx.params, "parameters", {})
        for name, what in (("client_id", "client id"), ("client_secret", "client secret")):
            value = details.get(name, "")
            if isinstance(value, dict):
                value = parameters.get(str(value.get("Ref", "")), "")
            if value:
                continue
            redirect = self._redirect("", provider.planned.region)
            fix = (
                self._give_secret()
                if name == "client_secret"
                else self.again("idp_client", "CLIENT-ID") or "Name it in the template"
            )
            text = f"The {what} of the identity provider is missing: it is issued when {redirect} is registered there."
            return failed(text, fix)
        return None

    def _give_secret(self) -> str:
        names = [name for name in self.context.secrets if "idp" in name] or list(self.context.secrets)
        if not names:
            return "Give it to the stack in `parameters`, from a parameter with `secret: true`"
        return give_line(names[0])

    def _redirect(self, kind: str, region: str) -> str:
        """The address to which the provider sends people back (section 7.1)."""
        prefix = next((name for name, place in self.prefixes() if place == region), "PREFIX")
        return f"https://{_host(prefix, region)}/{'saml2' if kind == 'SAML' else 'oauth2'}/idpresponse"


class Region(_SignInCheck):
    """Sign-in is not lost together with one of the workshop's regions."""

    name = "region"
    title = "Sign-in is in a region of its own"
    needs_credentials = False

    async def run(self) -> Finding:
        given = self.context.given_pool
        regions = [each.planned.region for each in self.declared(POOL)] or ([given.split(":")[3]] if given else [])
        if not regions:
            return skipped(NO_POOL)
        own = list(self.context.planned_steps[0].ctx.variables.get("regions", ()))
        shared = [region for region in regions if region in own]
        if not shared:
            return passed(f"{', '.join(regions)}: when a region of the workshop is lost, people stay signed in")
        elsewhere = next(region for region in ("eu-central-1", "us-east-2", "ca-central-1") if region not in own)
        return warned(
            f"Sign-in is in {shared[0]}, a region of the workshop: when that is lost, no one can sign in any more.",
            self.again(REGION_PARAMETER, elsewhere) or "Put the step of the user pool into another region: in: eu-central-1",
        )


class Authorizer(_SignInCheck):
    """What verifies tokens in each region."""

    name = "authorizer"
    title = "What verifies tokens"
    needs_credentials = False

    async def run(self) -> Finding:
        pools = {each.planned.region for each in self.declared(POOL)}
        kinds = {(kind, each.planned.region) for each in self.declared(API) for kind in _authorizers(each.properties.get("Body"))}
        if not kinds:
            return skipped("The APIs of the steps verify no tokens.")
        if not self.context.on_aws:
            return skipped("The local cloud takes user pools of every region.")
        if all(kind != "cognito_user_pools" for kind, _ in kinds):
            return passed("a function, which takes a user pool of any region")
        if not pools or all(region in pools for _, region in kinds):
            return passed("API Gateway itself, by the user pool")
        other = self.again(AUTHORIZER_PARAMETER, "function").replace("workshop check", "workshop setup", 1)
        instead = other or "let a function verify them"
        return passed(
            f"API Gateway itself, by the user pool in {', '.join(sorted(pools))}. Should a setup be refused with 'ProviderARNs"
            f" need to be valid Cognito Userpools': {instead}"
        )


def _authorizers(body: Any) -> Iterator[str]:
    """The types of the authorizers that an OpenAPI document declares."""
    schemes = ((body or {}).get("components") or {}).get("securitySchemes") if isinstance(body, dict) else None
    for scheme in (schemes or {}).values():
        authorizer = scheme.get("x-amazon-apigateway-authorizer") if isinstance(scheme, dict) else None
        if isinstance(authorizer, dict) and authorizer.get("type"):
            yield str(authorizer["type"]).lower()


def _host(prefix: str, region: str) -> str:
    return f"{prefix}.auth.{region}.amazoncognito.com"


def _issuer(kind: str, details: Mapping[str, Any]) -> str:
    return GOOGLE if kind == "Google" else str(details.get("oidc_issuer", "")).rstrip("/")


def _address(kind: str, details: Mapping[str, Any]) -> str:
    """Where the provider describes itself; empty for one that does not, as Facebook."""
    if kind == "SAML":
        return str(details.get("MetadataURL", ""))
    issuer = _issuer(kind, details) if kind in ("Google", "OIDC") else ""
    return f"{issuer}{DISCOVERY}" if issuer else ""


async def _oidc_problem(address: str, issuer: str) -> str:
    """What is wrong with a discovery document, in words that follow its address; empty when nothing is."""
    response = await _fetched(address)
    if isinstance(response, str):
        return response
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return "returns no JSON object"
    if str(document.get("issuer", "")).rstrip("/") != issuer:
        return f"names another issuer: {shown(str(document.get('issuer', '')))}"
    lacking = [name for name in ENDPOINTS if not isinstance(document.get(name), str)]
    if lacking:
        return f"names no {lacking[0]}"
    flows = document.get("response_types_supported", ["code"])
    if isinstance(flows, list) and "code" not in flows:
        return "does not list the authorization code flow (response type `code`)"
    return ""


async def _saml_problem(address: str) -> str:
    response = await _fetched(address)
    if isinstance(response, str):
        return response
    return "" if b"EntityDescriptor" in response.content else "returns no SAML metadata (EntityDescriptor)"


async def _fetched(address: str) -> httpx.Response | str:
    """The response to a GET without redirects; in its place why there is none of use."""
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, verify=_trusted()) as client,
            client.stream("GET", address) as response,
        ):
            if response.status_code != httpx.codes.OK:
                return f"returns {response.status_code}"
            content = b""
            async for part in response.aiter_bytes():
                content += part
                if len(content) > LONGEST:
                    return f"returns more than {LONGEST:,} bytes"
            return httpx.Response(200, content=content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"does not respond: {type(error).__name__}"


@functools.cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


FAMILY = Family("signin", "Sign-in", (Prefix, Provider, Client, Region, Authorizer))
