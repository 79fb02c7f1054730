"""The step kinds, by name. A new kind is one file and one line here."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from workshop.steps.base import Step

__all__ = ["kinds"]


def kinds() -> MappingProxyType[str, Step[Any]]:
    """Every kind by its name in `workshop.yaml`."""
    from workshop.steps.cloudformation_stack import CloudFormationStack
    from workshop.steps.dynamodb_items import DynamoDBItems
    from workshop.steps.dynamodb_replica import DynamoDBReplica
    from workshop.steps.dynamodb_table import DynamoDBTable
    from workshop.steps.http_check import HttpCheck
    from workshop.steps.web_site import WebSite

    steps: tuple[Step[Any], ...] = (
        DynamoDBTable(),
        DynamoDBReplica(),
        DynamoDBItems(),
        CloudFormationStack(),
        WebSite(),
        HttpCheck(),
    )
    return MappingProxyType({step.kind: step for step in steps})
