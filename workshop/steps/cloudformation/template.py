"""What a rendered CloudFormation template declares.

In: the text of a template. Out: its resources. Names that a template computes with !Sub or !Ref are not known here; such a
resource is found by its stack instead.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from workshop.errors import DefinitionError

__all__ = ["FUNCTION_LOGS", "Declared", "declared", "parsed"]

FUNCTION_LOGS = "/aws/lambda/"
"""What Lambda puts before a function's name to name its log group (docs/aws-behaviours.md, section 4)."""
NAMES = {
    "AWS::ApiGateway::DomainName": "DomainName",
    "AWS::ApiGateway::RestApi": "Name",
    "AWS::CertificateManager::Certificate": "DomainName",
    "AWS::CloudFront::OriginAccessControl": "OriginAccessControlConfig.Name",
    "AWS::CloudFront::ResponseHeadersPolicy": "ResponseHeadersPolicyConfig.Name",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
}
"""The property that names a resource of a type, by a dotted path."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource of a template. `name` is empty when AWS or a function of the template makes it up."""

    logical: str
    type: str
    name: str
    properties: frozenset[str] = frozenset()
    """The names of the properties that it has."""
    trusts: tuple[str, ...] = ()
    """Of a role: the services that may assume it; none where the template computes them."""


MOST_LEVELS = 100
"""Lists and mappings inside each other: reading recurses without a limit of its own."""
_Loader: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
"""YAML with CloudFormation's short tags, which become dictionaries that name the function."""


def _function(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has no fourth kind of node
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


def _load(body: str) -> Any:
    """The document of a YAML text; raises `RecursionError` when it is nested deeper than `MOST_LEVELS`."""
    level = 0
    for event in yaml.parse(body, Loader=_Loader):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS:
            raise RecursionError
    return yaml.load(body, Loader=_Loader)  # noqa: S506 - a SafeLoader


def declared(body: str, where: str) -> list[Declared]:
    """The resources of a template text (YAML or JSON); raises `DefinitionError` when it is no template."""
    return list(_declared(body, where))


def _problem(error: Exception) -> str:
    return "its parts are nested too deeply" if isinstance(error, RecursionError) else str(error)


@functools.lru_cache(maxsize=64)
def parsed(body: str, where: str) -> Mapping[str, Any]:
    """The whole document of a template text whose resources all have a type; raises `DefinitionError` when it is no template.

    Cached, because a teardown needs it many times and YAML takes tenths of a second: the result is not to be changed.
    """
    try:
        document = json.loads(body) if body.lstrip().startswith("{") else _load(body)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise DefinitionError(
            what=f"does not render to YAML: {_problem(error)}", fix="Correct the template", where=where
        ) from error
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict) or not resources:
        raise DefinitionError(what="renders to a template without Resources", fix="Add at least one resource", where=where)
    for logical, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise DefinitionError(what=f"the resource {logical} has no Type", fix="Add its Type", where=where)
    template: dict[str, Any] = document
    return template


def _declared(body: str, where: str) -> Iterator[Declared]:
    for logical, resource in parsed(body, where)["Resources"].items():
        properties = resource.get("Properties") or {}
        names = frozenset(map(str, properties)) if isinstance(properties, dict) else frozenset()
        trusts = _trusted(properties) if resource["Type"] == "AWS::IAM::Role" else ()
        yield Declared(str(logical), resource["Type"], _name(properties, NAMES.get(resource["Type"], "")), names, trusts)


def _trusted(role: Any) -> tuple[str, ...]:
    """The services that a role's trust policy names; none when one of its principals cannot be read."""
    policy = role.get("AssumeRolePolicyDocument") if isinstance(role, dict) else None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") if isinstance(statement, dict) else None
        services = principal.get("Service") if isinstance(principal, dict) else None
        for service in services if isinstance(services, list) else [services]:
            if not isinstance(service, str):
                return ()
            found.add(service)
    return tuple(sorted(found))


def _name(properties: Any, path: str) -> str:
    for part in path.split("."):
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties if isinstance(properties, str) else ""
