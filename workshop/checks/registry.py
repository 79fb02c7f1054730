"""The families of checks, in the order of the report. A new family is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType

from workshop.checks import (
    clock_skew,
    cost,
    definition,
    endpoints,
    identity,
    leftovers,
    machine,
    permissions,
    quotas,
    regions,
    stacks,
)
from workshop.checks.base import Check
from workshop.checks.claim import command_permissions
from workshop.checks.context import CheckContext
from workshop.definition.problem import closest
from workshop.errors import UsageError
from workshop.steps.base import Permission, Phase

__all__ = ["FAMILIES", "all_checks", "chosen", "needed_permissions"]

FAMILIES: MappingProxyType[str, tuple[str, Callable[[CheckContext], list[Check]]]] = MappingProxyType(
    {
        "identity": (identity.TITLE, identity.checks),
        "regions": (regions.TITLE, regions.checks),
        "endpoints": (endpoints.TITLE, endpoints.checks),
        "clock": (clock_skew.TITLE, clock_skew.checks),
        "permissions": (permissions.TITLE, permissions.checks),
        "quotas": (quotas.TITLE, quotas.checks),
        "leftovers": (leftovers.TITLE, leftovers.checks),
        "stacks": (stacks.TITLE, stacks.checks),
        "definition": (definition.TITLE, definition.checks),
        "machine": (machine.TITLE, machine.checks),
        "cost": (cost.TITLE, cost.checks),
    }
)
"""Each family's title, and what makes its checks."""


def all_checks(context: CheckContext, families: Iterable[str] = FAMILIES) -> list[Check]:
    """Every check of the families, in the order of the report."""
    wanted = set(families)
    return [check for name, (_, checks) in FAMILIES.items() if name in wanted for check in checks(context)]


def chosen(only: Sequence[str], skip: Sequence[str]) -> list[str]:
    """The families that remain of what was asked for; raises `UsageError` for a name that there is not."""
    for name in (*only, *skip):
        if name not in FAMILIES:
            raise UsageError(
                f"There is no family of checks called {name!r}.", closest(name, FAMILIES), f"Families: {', '.join(FAMILIES)}",
                code="UnknownFamily",
            )  # fmt: skip
    left = [name for name in (only or FAMILIES) if name not in skip]
    if not left:
        raise UsageError("No check is left.", "--skip leaves out all that --only names.", "Leave out less", code="NoChecks")
    return [name for name in FAMILIES if name in left]


def needed_permissions(context: CheckContext) -> list[Permission]:
    """What the steps need in all phases, and what the commands and the checks need themselves."""
    own = {p for check in all_checks(context) for p in check.permissions() if p.phase is Phase.CHECK}
    return sorted({*context.permissions(), *command_permissions(context), *own})
