"""What a proof of the wiring holds: the wires between records and health checks, and every mismatch in words.

In: nothing. Out: frozen values, for the step, the check, the drill and the drawing. Pure.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from workshop.errors import WorkshopError
from workshop.steps.route53.world import Endpoint

__all__ = ["Fixes", "Mismatch", "MismatchKind", "Proof", "Wire", "wiring_error"]


class MismatchKind(enum.StrEnum):
    """The mismatches by name, as docs/checks.md lists them."""

    NO_GROUP = "no-group"
    CROSSED = "crossed"
    OTHER_ENDPOINT = "other-endpoint"
    ROUTED = "routed-name"
    NO_CHECK = "no-check"
    CHECK_GONE = "check-gone"
    NO_SNI = "no-sni"
    NOT_LISTENING = "not-listening"
    ONLY_CONNECTS = "only-connects"
    STAGE_MISSING = "stage-missing"
    NO_STAGE = "no-stage"
    NO_ROUTE = "no-route"
    TARGET_ITSELF = "regional-name"
    DISABLED = "disabled"
    INVERTED = "inverted"
    EVALUATES = "evaluates-target"
    SAME_ENDPOINT = "same-endpoint"
    NO_ENDPOINT = "no-endpoint"
    API_GONE = "api-gone"
    REGION_MISSING = "region-missing"
    DOMAIN_MISSING = "domain-missing"
    MAPPING_MISSING = "mapping-missing"
    UNPROVEN = "unproven"
    TTL_LONG = "ttl-long"
    TTL_DIFFERS = "ttl-differs"
    THRESHOLD = "threshold-one"
    SECONDARY_CHECKED = "secondary-checked"
    ANSWERED_ELSEWHERE = "other-region-responds"
    CHECK_ELSEWHERE = "check-reaches-other-region"
    NO_RESPONSE = "no-response"
    NOT_OBSERVED = "not-observed"
    DISAGREES = "checkers-disagree"
    NOT_WITHDRAWN = "not-withdrawn"
    WITHDRAWN = "withdrawn"
    NOT_TURNED = "not-turned"
    TURNED = "turned"


@dataclass(frozen=True, slots=True)
class Fixes:
    """The commands that fix a mismatch: one writes the records again, one brings the whole workshop to ready."""

    records: str
    setup: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is wrong, in a sentence that begins with what it is about. `regions` are those whose records it concerns,
    none for the group as a whole. What is not `severe` works, with a caveat."""

    kind: MismatchKind
    text: str
    fix: str = ""
    regions: tuple[str, ...] = ()
    severe: bool = True


@dataclass(frozen=True, slots=True)
class Wire:
    """One record and its health check. `region` is what people call it: the region in its SetIdentifier, else where it points,
    else the SetIdentifier. `points` and `watches` are None where they lead to no endpoint of one region."""

    region: str
    record: str
    host: str
    points: Endpoint | None
    check: str
    asks: str
    """Host and path that the check asks for; empty without a check."""
    watches: Endpoint | None
    right: bool
    """Whether the check watches what the record points at; also for a record that needs no check."""

    @property
    def sentence(self) -> str:
        """The wire in words."""
        watched = f"health check {self.check} watches {self.watches or self.asks}" if self.check else "it has no health check"
        return f"points at {self.points or self.host}, and {watched}"


@dataclass(frozen=True)
class Proof:
    """The wiring of one name. It is proven when there are no `problems`."""

    name: str
    wires: tuple[Wire, ...]
    mismatches: tuple[Mismatch, ...]

    @property
    def problems(self) -> tuple[Mismatch, ...]:
        """What keeps the failover from working."""
        return tuple(each for each in self.mismatches if each.severe)

    @property
    def warnings(self) -> tuple[Mismatch, ...]:
        """What works, with a caveat."""
        return tuple(each for each in self.mismatches if not each.severe)

    def with_more(self, found: Iterable[Mismatch]) -> Proof:
        """The same proof with what a later stage found."""
        return replace(self, mismatches=(*self.mismatches, *found))

    def about(self, region: str) -> tuple[Mismatch, ...]:
        """The mismatches that concern the record of a region; with an empty text those of the group as a whole."""
        return tuple(each for each in self.mismatches if (region in each.regions if region else not each.regions))

    @property
    def summary(self) -> str:
        """One sentence about a wiring that is proven."""
        return "; ".join(f"{wire.region}: {wire.sentence}" for wire in self.wires)


def wiring_error(proof: Proof) -> WorkshopError:
    """The error of a wiring that is not proven; the proof has problems."""
    first = proof.problems[0]
    fixes = dict.fromkeys(each.fix for each in proof.problems if each.fix)
    return WorkshopError(
        what=f"The health checks of {proof.name} are not wired right.",
        why=" ".join(each.text for each in proof.problems),
        fix=first.fix if len(fixes) == 1 else "; ".join(fixes),
        code="Wiring",
    )
