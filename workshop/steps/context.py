"""What a step is given to work with.

In: one node of a plan (a step in one account and one region), built by the engine. Out: a `Context` with the step's settings and
files, the client of its account, its notes in the journal, its reports to people, and its waiting.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from workshop.aws.client import AwsClient
from workshop.aws.target import Target
from workshop.waiting import Clock, Waiting, wait_for, wait_until

__all__ = ["ADOPTED_TAG", "Context", "Files", "Notes", "Outputs", "Params", "Reporter"]

ADOPTED_TAG = "workshop:adopted"
"""The tag of what another hand made and `setup --adopt` made ours; its value is the time (ISO 8601, UTC)."""
Outputs = Mapping[str, str]
"""What a step made, by name, for the steps after it: `{{ steps.api['us-west-2'].ApiId }}`."""


class Params(BaseModel):
    """The base of every kind's `with:` block: unknown fields are errors, so that a typing mistake is found by lint."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Params)
T = TypeVar("T")


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


class Notes(Protocol):
    """A node's notes in the journal about what it made. They are memory, never proof."""

    def record(self, kind: str, name: str, identity: str = "") -> None:
        """Note that this run makes a resource of `kind` called `name` in the node's region: before the request without, after
        its response with the `identity` that AWS gave it (a TableId, a stack's id), which no other resource will ever have.
        """
        ...

    def forget(self, kind: str, name: str) -> None:
        """Delete a note: AWS refused the change or the resource is gone, so what has this name later is not ours."""
        ...

    def made(self, kind: str, name: str, region: str) -> datetime | None:
        """When we noted that we make the resource of `kind` called `name` in a region; None when there is no note."""
        ...

    def identity(self, kind: str, name: str, region: str) -> str:
        """The identity that was noted of it; empty when there is none. Unlike a name, it shows that a resource is ours."""
        ...


class Reporter(Protocol):
    """Shows people what a node does."""

    def progress(self, text: str) -> None:
        """One line about what has been done."""
        ...

    def waiting(self, reason: str, seconds: float) -> None:
        """What the node waits for, and for how many seconds already."""
        ...


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
    regions: tuple[str, ...]
    """All regions of the workshop, home first."""
    run: str
    params: P
    variables: Mapping[str, Any]
    """What templates of this step are filled in with."""
    files: Files
    known: Outputs
    """The node's own latest outputs, from memory: enough to find what a resource left behind, never proof."""
    defaults: Callable[[], Mapping[str, Any]]
    """The step's `with:` block as it would be with every parameter at its default."""
    others: Callable[[str], list[Mapping[str, Any]]]
    """The `with:` blocks of all steps of a kind, filled in as far as possible."""
    clock: Clock
    notes: Notes
    report: Reporter
    given: tuple[str, ...] = ()
    """The options that mean this workshop in this place, as they were given on the command line."""
    allow_dangling: bool = False
    """Whether a zone may be deleted while its parent still delegates to it: `teardown --yes-dangling`."""

    @property
    def home(self) -> str:
        """The workshop's home region."""
        return self.regions[0]

    @property
    def tags(self) -> dict[str, str]:
        """What everything that we make carries. The run is the creating one; it is never updated."""
        return {"workshop": self.workshop, "workshop:step": self.step, "workshop:run": self.run}

    @property
    def adoption_tags(self) -> dict[str, str]:
        """What makes a resource of another hand ours."""
        return {**self.tags, ADOPTED_TAG: self.clock.now().isoformat(timespec="seconds")}

    @property
    def tags_by_hand(self) -> dict[str, str]:
        """What a person types, so that teardown takes the resource for ours."""
        return {"workshop": self.workshop, "workshop:step": self.step}

    def again(self, *words: str) -> list[str]:
        """The words of a `workshop` command that means this workshop in this place: `again("setup")`."""
        return ["workshop", *words, *self.given]

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource with these tags was made by this workshop."""
        return tags.get("workshop") == self.workshop

    async def wait_for(
        self,
        probe: Callable[[], Awaitable[T | None]],
        *,
        reason: str,
        deadline: float,
        interval: float,
        waiting: Waiting | None = None,
        fix: str = "",
    ) -> T:
        """`workshop.waiting.wait_for`; `waiting` is called instead of this node's reporter."""
        return await wait_for(
            probe,
            reason=reason,
            deadline=deadline,
            interval=interval,
            waiting=waiting or self.report.waiting,
            fix=fix,
        )

    async def wait_until(
        self, condition: Callable[[], Awaitable[bool]], *, reason: str, deadline: float, interval: float, fix: str = ""
    ) -> None:
        """`workshop.waiting.wait_until` with this node's reporter."""
        await wait_until(
            condition,
            reason=reason,
            deadline=deadline,
            interval=interval,
            waiting=self.report.waiting,
            fix=fix,
        )
