"""Whose a resource is, for every kind alike: ours is what carries our tags, or what the journal noted by its identity.

In: a context, the tags and the identity of something that exists. Out: its owner; for what is foreign, the observation and the
error that stop a setup. A name alone shows nothing, however recently we noted it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.durations import format_moment
from workshop.errors import WorkshopError
from workshop.shell import command_line
from workshop.steps.base import Context, Observed, Resource, State
from workshop.steps.context import ADOPTED_TAG

__all__ = ["LEFT_ALONE", "Note", "Owner", "foreign_error", "observed_foreign", "owner_of"]

LEFT_ALONE = "not made by this workshop: left alone"


@dataclass(frozen=True, slots=True)
class Note:
    """Where the journal would have noted a resource, and the identity that the resource has now."""

    kind: str
    name: str
    region: str
    identity: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whether something is ours, and since when where another hand made it (ISO 8601, UTC)."""

    ours: bool
    adopted: str = ""

    @property
    def detail(self) -> str:
        """For people; empty for what we made ourselves."""
        return f"adopted {format_moment(self.adopted)}" if self.adopted else ""


def owner_of(ctx: Context[Any], tags: Mapping[str, str], note: Note | None = None) -> Owner:
    """Whose something with these tags is; `note` for kinds that may lose or lack them."""
    if ctx.owns(tags):
        return Owner(True, tags.get(ADOPTED_TAG, ""))
    noted = note is not None and note.identity and ctx.notes.identity(note.kind, note.name, note.region) == note.identity
    return Owner(bool(noted))


def observed_foreign(ctx: Context[Any], found: Sequence[Resource], *, parameter: str = "") -> Observed:
    """What a step observes when these foreign resources have its names. `parameter` is the one that gives it another name."""
    ways, them = [], "them" if len(found) > 1 else "it"
    if all(resource.adoption for resource in found):
        ways.append(f"To make {them} ours: {command_line(ctx.again('setup', '--adopt'))}")
    ways.append(f"If {'they are' if len(found) > 1 else 'it is'} not needed: {' && '.join(resource.fix for resource in found)}")
    if parameter:
        ways.append(f"Or choose another name: --param {parameter}=NAME")
    detail = " ".join(_sentence(resource) for resource in found)
    return Observed(State.FOREIGN, detail, fix=". ".join(ways), ours=False, foreign=tuple(found))


def foreign_error(observed: Observed) -> WorkshopError:
    """The error of a step that found such a resource only when it came to make its own."""
    return WorkshopError(
        what="Something that this workshop did not make is in the way.", why=observed.detail, fix=observed.fix, code="Foreign"
    )


def _sentence(resource: Resource) -> str:
    known = f" ({resource.age_and_size})" if resource.age_and_size else ""
    kind, where = resource.kind.replace("-", " "), "" if resource.region == "global" else f" in {resource.region}"
    sentence = f"A {kind} {resource.name} exists{where}{known} that this workshop did not make."
    return f"{sentence} {resource.why}".rstrip()
