"""What the use cases return, as values that this room renders as text or as JSON.

In: nothing. Out: the reports of a run, a plan and a status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workshop.drill.pending import FailedRegion
from workshop.engine.brings import Brings
from workshop.engine.observe import NodeState
from workshop.engine.results import NodeResult
from workshop.errors import ExitCode
from workshop.steps.base import Resource

__all__ = ["PlanReport", "RunReport", "SetupReport", "StatusReport", "TeardownReport"]


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """What a command would do in an account, before the first change."""

    command: str
    """`setup`, `teardown`, or `rehearsal`, which is a setup and a teardown."""
    workshop: str
    target: str
    account: str
    identity: str
    """The ARN of the caller."""
    regions: tuple[str, ...]
    points: Sequence[NodeState]
    brings: Sequence[Brings] = ()
    """What a setup brings of its author's; a teardown brings nothing."""
    adopts: bool = False
    """Whether a setup was asked to adopt what is in its way."""

    @property
    def removes(self) -> bool:
        """Whether the command only removes."""
        return self.command == "teardown"


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """What is deployed of a workshop in an account."""

    workshop: str
    target: str
    account: str
    regions: tuple[str, ...]
    module: str
    """The last module up to which everything is ready; empty when the first is not."""
    points: Sequence[NodeState]
    order: Sequence[str]
    """The ids of the steps as the definition lists them."""
    failed: Sequence[FailedRegion]
    """The regions that are failed on purpose."""
    apis: Mapping[str, Mapping[str, str]]
    """By region: `url` and `path_url`."""
    names: Mapping[str, Mapping[str, str]] | None
    """By name: `host` and `url`, as far as their records are there; None for a definition that lists no names."""
    signin: Mapping[str, str] | None = None
    """Where people sign in, by the names of JSON documents; None for a definition without it, empty while it is not deployed."""
    links: Mapping[str, str]
    setup: str
    """The command line that brings everything to ready."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """One run of a command in one account. `seconds` is wall time from the start of the command."""

    command: str
    workshop: str
    target: str
    account: str
    regions: tuple[str, ...]
    results: Sequence[NodeResult]
    code: ExitCode
    resume: str
    """The command line that goes on where this run ended."""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SetupReport(RunReport):
    """A setup, or a `step run`, which is one step of it."""

    apis: Mapping[str, Mapping[str, str]]
    """By region: `url` and `path_url`."""
    names: Mapping[str, Mapping[str, str]] | None
    """By name: `host` and `url`, as far as their records are there; None for a definition that lists no names."""
    signin: Mapping[str, str] | None = None
    """Where people sign in, by the names of JSON documents; None for a definition without it, empty while it is not deployed."""
    links: Mapping[str, str]
    next_commands: Mapping[str, str] = field(default_factory=dict)
    """By their last words (`open`, `status`, `teardown`): the command lines that are offered next."""


@dataclass(frozen=True, kw_only=True)
class TeardownReport(RunReport):
    """A teardown. `searched` are the regions that were asked what is left, `unsearched` those in which that was denied."""

    leftovers: Sequence[Resource] = ()
    receipt: Path | None = None
    unsearched: Sequence[str] = ()
    searched: Sequence[str] = ()
    notices: Sequence[str] = ()
    """What else is deployed elsewhere and costs money."""

    @property
    def exit_code(self) -> ExitCode:
        """The code of the process: something deployed elsewhere makes a complete teardown a partial one."""
        return ExitCode.PARTLY if self.notices and self.code == ExitCode.DONE else self.code
