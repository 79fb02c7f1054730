"""Where a step runs, and which runs of another step one run of it waits for.

In: placements and the regions of a workshop, home first. Out: regions. Used for the plan and for the dry render, which thereby
agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from workshop.definition.model import StepSpec
from workshop.steps.base import Placement

__all__ = ["GLOBAL", "Places", "by_region", "needed_regions", "node_regions"]

GLOBAL = "global"
"""The region of a step that runs once, outside any region."""


def node_regions(placement: Placement, regions: Sequence[str], named: str = "") -> tuple[str, ...]:
    """The regions that a step of this placement runs in: `(GLOBAL,)` for a global one, `named` for one with its own region."""
    match placement:
        case Placement.HOME:
            return tuple(regions[:1])
        case Placement.REPLICAS:
            return tuple(regions[1:])
        case Placement.EACH:
            return tuple(regions)
        case Placement.GLOBAL:
            return (GLOBAL,)
        case Placement.NAMED:
            return (named,) if named else ()


def needed_regions(need: Placement, step: Placement, region: str, regions: Sequence[str], named: str = "") -> tuple[str, ...]:
    """The regions of a needed step that must be done before the needing step starts in `region`.

    Between two steps in each region, a region waits for itself only; otherwise all of the needed step comes first. `named` is the
    region of the needed step, where it has one of its own.
    """
    if need is Placement.EACH and step is Placement.EACH:
        return (region,)
    return node_regions(need, regions, named)


def by_region(placement: Placement) -> bool:
    """Whether the outputs of such a step are kept by region: `steps.api[region].ApiId` instead of `steps.table.Arn`."""
    return placement in (Placement.EACH, Placement.REPLICAS)


@dataclass(frozen=True)
class Places:
    """Where the steps of a workshop run in one account. `regions` are those of the settings, home first."""

    regions: tuple[str, ...]
    named: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By step: the region of its own, of those that have one."""
    off: frozenset[str] = frozenset()
    """The steps that are switched off."""
    former: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    """By step with a region of its own: other regions in which an earlier setup may have made something of it."""

    def of(self, step: StepSpec) -> tuple[str, ...]:
        """The regions that a step runs in, whether it is switched off or not."""
        return node_regions(step.placement, self.regions, self.named.get(step.id, ""))

    def needed(self, need: StepSpec, step: StepSpec, region: str) -> tuple[str, ...]:
        """The regions of a needed step that must be done before `step` starts in `region`."""
        return needed_regions(need.placement, step.placement, region, self.regions, self.named.get(need.id, ""))

    def everywhere(self, *, former: bool = False) -> tuple[str, ...]:
        """Every region in which a step runs, home first; with `former` also those of steps that are switched off, or were
        elsewhere."""
        named = [region for step, region in self.named.items() if former or step not in self.off]
        before = [region for regions in self.former.values() for region in regions] if former else []
        return tuple(dict.fromkeys((*self.regions, *named, *before)))
