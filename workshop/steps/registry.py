"""The step kinds by name, and what they declare together.

In: modules of which each has one kind as `STEP`. Out: the kinds, and their services, resource types, quotas and notes. A new
kind is one file and one line in `MODULES`; a kind of a test or of another package is added with `register`.
"""

from __future__ import annotations

import functools
import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workshop.steps.base import Step
    from workshop.steps.declarations import Quota, ResourceType, Service

__all__ = ["kinds", "noted_resources", "quotas", "register", "resource_type", "services", "unregister"]

MODULES = (
    "workshop.steps.dynamodb.table",
    "workshop.steps.dynamodb.replica",
    "workshop.steps.dynamodb.items",
    "workshop.steps.cloudformation.stack",
    "workshop.steps.route53.zone",
    "workshop.steps.route53.health",
    "workshop.steps.route53.records",
    "workshop.steps.route53.wiring_step",
    "workshop.steps.route53.dns_delegation",
    "workshop.steps.route53.answers",
    "workshop.steps.cognito.user",
    "workshop.steps.web_site.step",
    "workshop.steps.http_check",
)
_registered: dict[str, Step[Any]] = {}


def kinds() -> MappingProxyType[str, Step[Any]]:
    """Every kind by its name in `workshop.yaml`."""
    return MappingProxyType({**_built_in(), **_registered})


def register(step: Step[Any]) -> None:
    """Add a kind for the rest of this process; raises `ValueError` when its name is taken."""
    if step.kind in kinds():
        raise ValueError(f"there is a step kind {step.kind} already")
    _registered[step.kind] = step


def unregister(step: Step[Any]) -> None:
    """Remove a kind that was added with `register`."""
    del _registered[step.kind]


def services() -> dict[str, Service]:
    """The AWS services that the kinds call, by botocore's name."""
    return {service.name: service for step in kinds().values() for service in step.services}


def quotas() -> list[Quota]:
    """The quotas that count what the kinds make, in the order of the kinds."""
    return [quota for step in kinds().values() for quota in step.quotas]


def resource_type(name: str) -> ResourceType | None:
    """What is declared about resources of the `kind` with this name; None when no kind makes them."""
    return next((each for step in kinds().values() for each in step.resource_types if each.name == name), None)


def noted_resources() -> frozenset[str]:
    """The kinds of notes in the journal which mean that a resource may exist; other notes remember what was deleted."""
    return frozenset(note for step in kinds().values() for note in step.noted_resources)


@functools.cache
def _built_in() -> dict[str, Step[Any]]:
    steps: list[Step[Any]] = [importlib.import_module(module).STEP for module in MODULES]
    return {step.kind: step for step in steps}
