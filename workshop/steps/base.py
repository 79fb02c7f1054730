"""The interface of the step kinds, and the values that it is made of.

In: a `Context` with everything that a step may use. Out: the frozen values below. A kind never prints, never decides what runs
next, and keeps nothing between calls: AWS is the truth.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from workshop.durations import format_moment
from workshop.errors import WorkshopError
from workshop.steps.context import Context, Files, Outputs, Params
from workshop.steps.declarations import Quota, RenderedLimit, ResourceType, Service

__all__ = [
    "UNKNOWN",
    "Brought",
    "Context",
    "Estimate",
    "Files",
    "Observed",
    "Outputs",
    "Params",
    "Permission",
    "Phase",
    "Placement",
    "Resource",
    "State",
    "Step",
]

P = TypeVar("P", bound=Params)

UNKNOWN = "unknown"
"""The kind of a leftover that could not be read."""


class State(enum.StrEnum):
    """What exists of a step in one region."""

    READY = "ready"
    ABSENT = "absent"
    PARTIAL = "partial"
    BROKEN = "broken"
    FOREIGN = "foreign"


class Placement(enum.StrEnum):
    """Where a step runs: `in:` of the definition."""

    HOME = "home"
    REPLICAS = "replicas"
    EACH = "each"
    GLOBAL = "global"
    NAMED = "region"
    """In one region that `in:` names, itself or by a template; it may be none of the workshop's own."""


class Phase(enum.StrEnum):
    """The command that needs a permission."""

    SETUP = "setup"
    TEARDOWN = "teardown"
    DRILL = "drill"
    CHECK = "check"


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One thing in an account that is, or could be, ours. `fix` is the command that removes it, `show` the one that shows it."""

    kind: str
    name: str
    region: str
    why: str = ""
    fix: str = ""
    earliest: str = ""
    """ISO 8601 UTC time before which AWS refuses to delete it; empty when it may be deleted now."""
    show: str = ""
    ours: bool = True
    """False for what has our name and was not made by us: it is left alone."""
    step: str = ""
    """The id of the step in its tags; empty when it has none."""
    copies: tuple[str, ...] = ()
    """The other regions into which it is replicated."""
    created: str = ""
    """When it was created, ISO 8601 in UTC; empty when that is not known."""
    size: str = ""
    """How much is in it, in a few words; empty when that was not asked."""
    adoption: str = ""
    """For what is foreign: what `setup --adopt` does with it, in a few words; empty when it cannot be adopted."""
    adopted: str = ""
    """Since when it is ours (ISO 8601, UTC) where another hand made it."""

    id: str = ""
    """What its commands take, where several may have its name; empty where names are unique."""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What is equal in two reports of the same resource."""
        return (self.kind, self.name, self.region, self.id)

    @property
    def label(self) -> tuple[str, str, str]:
        """Kind, name and region: what people tell things apart by."""
        return self.identity[:3]

    @property
    def age_and_size(self) -> str:
        """`created 2026-11-21 10:00:00 UTC, 14 items`, as far as it is known."""
        return ", ".join(part for part in (self.created and f"created {format_moment(self.created)}", self.size) if part)


@dataclass(frozen=True, slots=True)
class Observed:
    """What exists, in one word and one sentence; `outputs` whenever they are known already."""

    state: State
    detail: str = ""
    outputs: Outputs = field(default_factory=dict)
    fix: str = ""
    """For `foreign` and `broken`: the command or decision that helps."""
    ours: bool = True
    """Whether it is ours: it carries our tags, or the journal noted its identity. What is not is neither changed nor deleted."""
    foreign: tuple[Resource, ...] = ()
    """For `foreign`: what is in the way."""
    adopted: str = ""
    """Since when it is ours (ISO 8601, UTC) where another hand made it; empty when we made it ourselves."""
    kept: bool = False
    """Whether it is used without being ours to delete: a teardown removes what was put into it, and leaves it."""


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One IAM action that a phase needs on one resource (an ARN or `*`) in one region (empty: global)."""

    action: str
    resource: str
    region: str
    phase: Phase
    passed_to: tuple[str, ...] = ()
    """For `iam:PassRole`: the services that the role is given to; any where that is not known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Minutes on AWS for one node, and US dollars for an event of a day, per participant account."""

    minutes: float
    usd: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Brought:
    """One thing of a definition that runs code, gives rights or calls somewhere. The texts are the definition's own: foreign.

    `kind` is one of ours (`function`, `role`, `address`), `name` what the definition calls it, `detail` the rest in words.
    """

    kind: str
    name: str
    detail: str = ""


class Step(ABC, Generic[P]):
    """A step kind. Subclasses hold no state; `kind` is its name in `workshop.yaml`."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    """One line for `workshop definition schema` and the author's documentation."""
    Params: ClassVar[type[Params]]
    estimate: ClassVar[Estimate]
    is_verification: ClassVar[bool] = False
    """Whether the step proves something and makes nothing."""
    calls_addresses: ClassVar[bool] = False
    """Whether even observing the step calls an address that the definition names."""
    deleted_with_parent: ClassVar[bool] = False
    """Whether what the step made is deleted with what contains it, as items are with their table."""
    is_global: ClassVar[bool] = False
    """Whether AWS keeps what it makes in no region, so that `tagged` finds all of it from any region."""
    makes_users: ClassVar[bool] = False
    """Whether it makes a user who can sign in: its outputs are `Name` and `Password`."""
    placements: ClassVar[frozenset[Placement]] = frozenset(Placement)
    """Where the kind may be used."""
    services: ClassVar[tuple[Service, ...]] = ()
    """The AWS services that it calls, or that CloudFormation calls for it."""
    resource_types: ClassVar[tuple[ResourceType, ...]] = ()
    """The sorts of resources that it may leave behind: their names in receipts, what is unique, what they cost a month."""
    noted_resources: ClassVar[frozenset[str]] = frozenset()
    """The kinds of its notes which mean that a resource may exist; its other notes remember what was deleted."""
    quotas: ClassVar[tuple[Quota, ...]] = ()
    """The quotas of an account that count what it makes."""
    rendered_limit: ClassVar[RenderedLimit | None] = None
    """The part of it whose size AWS limits."""

    @abstractmethod
    async def observe(self, ctx: Context[P]) -> Observed:
        """What exists. Reads only."""

    def check_files(self, ctx: Context[P]) -> None:
        """Read the files that the step needs, before anything is changed; raises `UsageError` when one is wrong."""

    @abstractmethod
    async def create(self, ctx: Context[P]) -> Outputs:
        """Bring to ready. Safe to repeat, safe to resume halfway."""

    @abstractmethod
    async def destroy(self, ctx: Context[P]) -> None:
        """Bring to absent. Safe to repeat; what is missing already is fine."""

    @abstractmethod
    async def leftovers(self, ctx: Context[P]) -> list[Resource]:
        """What is still there of this step, read from AWS and not from our notes."""

    async def adopt(self, ctx: Context[P], resource: Resource) -> None:  # noqa: ARG002
        """Make a foreign resource that `observe` reported with an `adoption` ours, by tagging it."""
        raise WorkshopError(
            what=f"{resource.name} in {resource.region} cannot be adopted.",
            why=f"Steps of the kind {self.kind} adopt nothing.",
            fix=f"If it is not needed: {resource.fix}",
            code="Foreign",
        )

    async def tagged(self, ctx: Context[P]) -> list[Resource]:  # noqa: ARG002
        """Everything of this kind in the region that carries the workshop's tags, whatever it is called."""
        return []

    async def data_at_risk(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """What would be lost with this step that people may have put there, in a few words; empty when nothing."""
        return ""

    def data_table(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """The name of the DynamoDB table that the step makes for attendees' data; empty when it makes none."""
        return ""

    def stack_name(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """The name of the CloudFormation stack that the step makes; empty when it makes none."""
        return ""

    def zone_name(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """The name of the public DNS zone that the step makes or finds; empty when it needs none."""
        return ""

    def routed_name(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """The domain name whose records the step makes; empty when it makes none."""
        return ""

    def wired_name(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """The domain name of which each region has a record and a health check; empty when the step is about none."""
        return ""

    def brings(self, ctx: Context[P]) -> list[Brought]:  # noqa: ARG002
        """What the step would run, allow or call, read from its settings and files alone. Most kinds bring nothing."""
        return []

    @abstractmethod
    def commands(self, ctx: Context[P]) -> list[str]:
        """The AWS CLI lines that a person would type for this step."""

    def rendered(self, part: str, ctx: Context[P]) -> str | None:  # noqa: ARG002
        """A `part` of the step as it is sent to AWS (`template`, `file`); None when the kind has no such part."""
        return None

    @abstractmethod
    def permissions(self, ctx: Context[P]) -> list[Permission]:
        """The IAM actions that this step needs, by phase."""
