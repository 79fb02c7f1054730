"""What a run of setup or teardown came to, as values: made by the use cases, rendered as text or JSON by this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workshop.engine.results import NodeResult
from workshop.errors import ExitCode
from workshop.steps.base import Resource

__all__ = ["RunReport", "SetupReport", "TeardownReport"]


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
    links: Mapping[str, str]
    next_commands: Mapping[str, str] = field(default_factory=dict)
    """By their last words (`open`, `status`, `teardown`): the command lines that are offered next."""


@dataclass(frozen=True, kw_only=True)
class TeardownReport(RunReport):
    """A teardown. `unsearched` are the regions in which the search was denied."""

    leftovers: Sequence[Resource] = ()
    receipt: Path | None = None
    unsearched: Sequence[str] = ()
    notices: Sequence[str] = ()
    """What else is deployed elsewhere and costs money."""

    @property
    def exit_code(self) -> ExitCode:
        """The code of the process: something deployed elsewhere makes a complete teardown a partial one."""
        return ExitCode.PARTLY if self.notices and self.code == ExitCode.DONE else self.code
