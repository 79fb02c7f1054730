"""What every step kind says about itself: what stands, how to bring it to ready and to absent, and what that takes.

A kind gets a `Context` and answers with the frozen values below. It never prints, never decides what runs next, and
keeps nothing between calls: AWS is the truth.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from workshop.aws.client import AwsClient
from workshop.aws.target import Target
from workshop.waiting import Clock

__all__ = [
    "NOTED_RESOURCES",
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

Outputs = Mapping[str, str]
"""What a step made, by name, for the steps after it: `{{ steps.api['us-west-2'].ApiId }}`."""


class Params(BaseModel):
    """The base of every kind's `with:` block: unknown fields are errors, so that a typing mistake is found by lint."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Params)


UNKNOWN = "unknown"
"""The kind of a leftover that could not be asked about."""


NOTED_RESOURCES = frozenset({"table", "replica", "stack"})
"""The kinds of notes which say that something may stand; others remember what went."""


class State(enum.StrEnum):
    """What stands of a step in one region."""

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


class Phase(enum.StrEnum):
    """The command that needs a permission."""

    SETUP = "setup"
    TEARDOWN = "teardown"
    DRILL = "drill"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Observed:
    """What stands, in one word and one sentence; `outputs` whenever they are known already."""

    state: State
    detail: str = ""
    outputs: Outputs = field(default_factory=dict)
    fix: str = ""
    """For `foreign` and `broken`: the command or decision that helps."""
    ours: bool = True
    """Whether we made what stands. Something with the right shape made by hand is used, and never deleted."""


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
    """The id of the step that its tags name; empty when it carries none."""
    copies: tuple[str, ...] = ()
    """The other regions into which it is replicated."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two reports speak of the same thing."""
        return (self.kind, self.name, self.region)


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One IAM action that a phase needs on one resource (an ARN or `*`) in one region (empty: global)."""

    action: str
    resource: str
    region: str
    phase: Phase


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


class Files(ABC):
    """The files of a definition: looked up beside it, for built-in workshops also at the project's root, nowhere else."""

    @abstractmethod
    def path(self, name: str) -> Path:
        """The file or folder `name`; raises `DefinitionError` when it is missing or outside."""

    @abstractmethod
    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """The Jinja2 template `name` filled in; raises `DefinitionError` naming file and line."""

    @property
    @abstractmethod
    def root(self) -> Path:
        """The folder of the definition itself."""


@dataclass(frozen=True)
class Context(Generic[P]):
    """Everything a step may use. One context is one node: a step in one account and one region."""

    aws: AwsClient
    account: str
    target: Target
    workshop: str
    step: str
    region: str
    """The node's region; for `global` steps the home region."""
    home: str
    regions: tuple[str, ...]
    run: str
    params: P
    variables: Mapping[str, Any]
    """What templates of this step are filled in with."""
    files: Files
    known: Outputs
    """The node's own latest outputs, from memory: enough to find what a resource left behind, never proof."""
    defaults: Mapping[str, Any]
    """The step's `with:` block as it would be with every parameter at its default."""
    others: Callable[[str], list[Mapping[str, Any]]]
    """The `with:` blocks of all steps of a kind, filled in as far as possible."""
    clock: Clock
    progress: Callable[[str], None]
    waiting: Callable[[str, float], None]
    record: Callable[[str, str], None]
    """Writes down, before the change, that a resource of `kind` called `name` is about to be made by this run."""
    forget: Callable[[str, str], None]
    """Takes a note back: AWS refused the change, so what may stand under that name is not ours."""
    made: Callable[[str, str, str], datetime | None]
    """When the journal says that we made the resource of `kind` called `name` in a region; None when it does not."""
    given: tuple[str, ...] = ()
    """The options that mean this workshop in this place, as they were given on the command line."""

    @property
    def tags(self) -> dict[str, str]:
        """What everything that we make carries. The run is the creating one; it is never updated."""
        return {"workshop": self.workshop, "workshop:step": self.step, "workshop:run": self.run}

    @property
    def tags_by_hand(self) -> dict[str, str]:
        """What a person types, so that teardown knows the resource for ours."""
        return {"workshop": self.workshop, "workshop:step": self.step}

    def again(self, *words: str) -> list[str]:
        """The words of a `workshop` command that means this workshop in this place: `again("setup")`."""
        return ["workshop", *words, *self.given]

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource with these tags was made by this workshop."""
        return tags.get("workshop") == self.workshop


class Step(ABC, Generic[P]):
    """A step kind. Subclasses hold no state; `kind` is its name in `workshop.yaml`."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    """One line for `workshop definition schema` and the author's documentation."""
    Params: ClassVar[type[Params]]
    estimate: ClassVar[Estimate]
    is_verification: ClassVar[bool] = False
    """True when the step proves something and makes nothing."""
    calls_addresses: ClassVar[bool] = False
    """True when even looking at the step calls an address that the definition names."""
    deleted_with_parent: ClassVar[bool] = False
    """True when what the step made goes with what it stands in, as items do with their table."""
    placements: ClassVar[frozenset[Placement]] = frozenset(Placement)
    """Where the kind may stand."""

    @abstractmethod
    async def observe(self, ctx: Context[P]) -> Observed:
        """What stands. Reads only."""

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
        """What is still there of this step, asked of AWS and not of our notes."""

    async def tagged(self, ctx: Context[P]) -> list[Resource]:  # noqa: ARG002
        """Everything of this kind in the region that carries the workshop's tags, whatever it is called."""
        return []

    async def data_at_risk(self, ctx: Context[P]) -> str:  # noqa: ARG002
        """What would be lost with this step that people may have put there, in a few words; empty when nothing."""
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
