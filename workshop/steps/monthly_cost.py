"""What a leftover of a kind costs while nobody uses it, for receipts: an estimate in US dollars a month, and what makes it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Upkeep", "upkeep"]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """`usd` a month for a thing as small as a workshop's; `why` says what the figure is made of."""

    usd: float
    why: str


NOTHING = Upkeep(0.0, "nothing while it is not used")
KNOWN = {
    "table": Upkeep(0.25, "storage, up to 1 GB at $0.25; on-demand capacity costs nothing while nobody calls"),
    "log-group": Upkeep(0.03, "storage, up to 1 GB at $0.03"),
    "bucket": Upkeep(0.03, "storage, up to 1 GB at $0.023"),
    "health-check": Upkeep(0.75, "one check of an endpoint outside AWS; options cost more"),
    "hosted-zone": Upkeep(0.50, "one zone, whatever is in it"),
    "stack": Upkeep(0.0, "a stack itself is free; what it holds is listed by itself"),
    "site": Upkeep(0.0, "a folder on this machine"),
}
"""List prices of us-west-2; the tables' storage is paid in every region (docs/aws-behaviours.md, section 8)."""


def upkeep(kind: str) -> Upkeep:
    """The estimate for a kind of resource; functions, roles and APIs cost nothing while they are not used."""
    return KNOWN.get(kind, NOTHING)
