"""The families of checks, in the order of the report. A new family is one file and one line here.

In: names. Out: families and their checks. Modules are imported when they are used, so that the command line lists the names
without loading them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workshop.definition.problem import closest
from workshop.errors import UsageError

if TYPE_CHECKING:
    from workshop.checks.base import Check, Family
    from workshop.checks.context import CheckContext

__all__ = ["FAMILIES", "all_checks", "chosen", "family_named"]

FAMILIES = {
    "identity": "workshop.checks.identity",
    "regions": "workshop.checks.regions",
    "endpoints": "workshop.checks.endpoints",
    "clock": "workshop.checks.clock_skew",
    "permissions": "workshop.checks.permissions",
    "quotas": "workshop.checks.quotas",
    "leftovers": "workshop.checks.leftovers",
    "stacks": "workshop.checks.stacks",
    "domain": "workshop.checks.domain",
    "signin": "workshop.checks.signin",
    "dns": "workshop.checks.dns",
    "definition": "workshop.checks.definition",
    "machine": "workshop.checks.machine",
    "cost": "workshop.checks.cost",
}
"""Every family and the module whose attribute `FAMILY` it is."""


def family_named(name: str) -> Family:
    """The family; raises `KeyError` when there is none of that name."""
    family: Family = importlib.import_module(FAMILIES[name]).FAMILY
    return family


def all_checks(context: CheckContext, families: Iterable[str] = FAMILIES) -> list[Check]:
    """Every check of the families, in the order of the report."""
    wanted = set(families)
    return [check for name in FAMILIES if name in wanted for check in family_named(name).instances(context)]


def chosen(only: Sequence[str], skip: Sequence[str]) -> list[str]:
    """The families that remain; raises `UsageError` for an unknown name, and when none remains."""
    for name in (*only, *skip):
        if name not in FAMILIES:
            raise UsageError(
                what=f"There is no family of checks called {name!r}.",
                why=closest(name, FAMILIES),
                fix=f"Families: {', '.join(FAMILIES)}",
                code="UnknownFamily",
            )
    left = [name for name in (only or FAMILIES) if name not in skip]
    if not left:
        raise UsageError(
            what="No check is left.",
            why="--skip leaves out all that --only names.",
            fix="Leave out less",
            code="NoChecks",
        )
    return [name for name in FAMILIES if name in left]
