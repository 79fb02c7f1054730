"""A stack creates no resource under a name that exists outside it, as on AWS (docs/aws-behaviours.md, section 3.7).

In: the type and the properties of a resource that a stack is about to create, in the request's account and region. Out: AWS's
error when its name is taken. Names that the stack leaves to CloudFormation are never taken.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["NamedType", "TakenNames"]

HANDLER = 'Resource handler returned message: "{text}" (RequestToken: {token}, HandlerErrorCode: AlreadyExists)'
TOKEN = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - AWS's word for the id of a request


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type whose resources have names: the property that holds the name, the existing names, AWS's words for a taken one."""

    property: str
    existing: Container[str]
    taken: str

    def error(self, name: str) -> str:
        return HANDLER.format(text=self.taken.format(name=name, token=TOKEN), token=TOKEN)


class TakenNames:
    """`functions`, `roles`, `tables` and `groups` hold the names of the request's account and region."""

    def __init__(
        self, *, functions: Container[str], roles: Container[str], tables: Container[str], groups: Container[str]
    ) -> None:
        self._types: Mapping[str, NamedType] = {
            "AWS::Lambda::Function": NamedType(
                "FunctionName",
                functions,
                "Function already exist: {name} (Service: Lambda, Status Code: 409, Request ID: {token})",
            ),
            "AWS::IAM::Role": NamedType(
                "RoleName", roles, "Role with name {name} already exists. (Service: Iam, Status Code: 409, Request ID: {token})"
            ),
            "AWS::DynamoDB::Table": NamedType(
                "TableName", tables, "Resource of type 'AWS::DynamoDB::Table' with identifier '{name}' already exists."
            ),
            "AWS::DynamoDB::GlobalTable": NamedType(
                "TableName", tables, "Resource of type 'AWS::DynamoDB::GlobalTable' with identifier '{name}' already exists."
            ),
            "AWS::Logs::LogGroup": NamedType(
                "LogGroupName", groups, "Resource of type 'AWS::Logs::LogGroup' with identifier '{name}' already exists."
            ),
        }

    def check(self, kind: str, properties: Any) -> None:
        """Raises `ValueError` with AWS's text when the resource would take an existing name."""
        named = self._types.get(kind)
        name = properties.get(named.property) if named is not None and isinstance(properties, dict) else None
        if named is not None and isinstance(name, str) and name in named.existing:
            raise ValueError(named.error(name))

    def check_replacement(self, kind: str, physical_id: str, properties: Any) -> None:
        """As `check`, for an update that gives a resource another name."""
        named = self._types.get(kind)
        if named is not None and isinstance(properties, dict) and properties.get(named.property) != physical_id:
            self.check(kind, properties)
