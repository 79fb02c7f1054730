"""Whose a hosted zone is: by its tags, by the reference with which it was created, or by the id that the journal noted.

In: a zone as Route 53 lists it, its tags. Out: its owner. A zone is created first and tagged afterwards, so that between the two
only its reference shows whose it is: it is given with the request, unique in the account, and never changes
(docs/aws-behaviours.md, section 6.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workshop.aws.resources.route53 import HostedZone
from workshop.steps.base import Context
from workshop.steps.ownership import Note, Owner, owner_of

__all__ = ["OwnedZone", "owned_zone", "reference"]

MOST_CHARACTERS = 128
"""Of a CallerReference (section 6.5)."""


@dataclass(frozen=True, slots=True)
class OwnedZone:
    """A zone with its tags and its owner."""

    zone: HostedZone
    tags: Mapping[str, str]
    owner: Owner

    @property
    def ours(self) -> bool:
        return self.owner.ours

    @property
    def step(self) -> str:
        """The id of the step that made it; empty when it is not known."""
        return self.tags.get("workshop:step", "")


def reference(ctx: Context[Any]) -> str:
    """The CallerReference of this run: the same request again makes no second zone."""
    return f"{_prefix(ctx)}{ctx.step}:{ctx.run}"[:MOST_CHARACTERS]


def owned_zone(ctx: Context[Any], zone: HostedZone, tags: Mapping[str, str], note: str) -> OwnedZone:
    """The zone with its owner."""
    if zone.reference.startswith(_prefix(ctx)):
        return OwnedZone(zone, tags, owner_of(ctx, {"workshop": ctx.workshop}))
    return OwnedZone(zone, tags, owner_of(ctx, tags, Note(note, zone.name, ctx.region, zone.id)))


def _prefix(ctx: Context[Any]) -> str:
    return f"workshop:{ctx.workshop}:"
