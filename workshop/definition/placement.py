"""Where a step runs, and which runs of another step one run of it waits for.

In: placements and the regions of a workshop, home first. Out: regions. Used for the plan and for the dry render, which thereby
agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from workshop.steps.base import Placement

__all__ = ["GLOBAL", "by_region", "needed_regions", "node_regions"]

GLOBAL = "global"
"""The region of a step that runs once, outside any region."""


def node_regions(placement: Placement, regions: Sequence[str]) -> tuple[str, ...]:
    """The regions that a step of this placement runs in; `(GLOBAL,)` for a global one."""
    match placement:
        case Placement.HOME:
            return tuple(regions[:1])
        case Placement.REPLICAS:
            return tuple(regions[1:])
        case Placement.EACH:
            return tuple(regions)
        case Placement.GLOBAL:
            return (GLOBAL,)


def needed_regions(need: Placement, step: Placement, region: str, regions: Sequence[str]) -> tuple[str, ...]:
    """The regions of a needed step that must be done before the needing step starts in `region`.

    Between two steps in each region, a region waits for itself only; otherwise all of the needed step comes first.
    """
    if need is Placement.EACH and step is Placement.EACH:
        return (region,)
    return node_regions(need, regions)


def by_region(placement: Placement) -> bool:
    """Whether the outputs of such a step are kept by region: `steps.api[region].ApiId` instead of `steps.table.Arn`."""
    return placement in (Placement.EACH, Placement.REPLICAS)
