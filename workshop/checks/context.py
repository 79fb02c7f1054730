"""What the checks look at: one workshop that is about to be set up in one account.

In: what could be opened. Out: values for checks. What failed on the way (no credentials, an unknown profile, a broken
definition, a cloud that did not start) is kept as an error, so that the report is complete without it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.identity import CredentialExpiry, Identity
from workshop.definition.problem import Problem
from workshop.definition.signin import PoolArn
from workshop.errors import UsageError, WorkshopError
from workshop.shell import command_line
from workshop.steps.base import Context, Permission, Phase, Step
from workshop.waiting import Clock

__all__ = ["CheckContext", "EventPlan", "GivenClient", "Machine", "PlannedStep"]


@dataclass(frozen=True)
class PlannedStep:
    """One step in one place, with everything it may use. `region` is empty for a step that belongs to none."""

    step: Step[Any]
    ctx: Context[Any]
    region: str
    complete: bool
    """Whether its settings are known in full; False when they depend on resources that earlier steps will make."""

    @functools.cached_property
    def permissions(self) -> tuple[Permission, ...]:
        """What the step needs in all phases; empty when its template is broken, which is a finding of its own."""
        try:
            return tuple(self.step.permissions(self.ctx))
        except UsageError:
            return ()


@dataclass(frozen=True, slots=True)
class EventPlan:
    """What is planned: participants, the length of the event, and what setup takes on AWS, per participant account."""

    participants: int = 1
    minutes: float = 120.0
    setup_minutes: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine: the state folder, and for the local target whether its cloud runs and on which port."""

    folder: Path
    folder_error: WorkshopError | None = None
    cloud_error: WorkshopError | None = None
    cloud_port: int | None = None
    cloud_unsaved: str = ""
    """Why the local cloud cannot save its state, and so refuses changes; empty when it can."""


@dataclass(frozen=True, slots=True)
class GivenClient:
    """The app client of a user pool that exists already, and what the pages want of it. `redirect` and `signed_out` are empty
    while the address of the pages is not known."""

    pool: PoolArn
    client: str
    scope: str
    redirect: str
    signed_out: str


@dataclass(frozen=True)
class CheckContext:
    """Everything a check may use."""

    workshop: str
    source: str
    target: str
    regions: tuple[str, ...]
    known_regions: frozenset[str]
    account: str
    """The caller's account, or a placeholder without a caller."""
    aws: AwsClient
    address: Callable[[str, str], str]
    """The endpoint of a service in a region."""
    override: str
    """The endpoint that the user's settings send every call to; empty when there is none."""
    caller: Identity | None
    caller_error: WorkshopError | None
    life: CredentialExpiry | None
    expected_account: str
    planned_steps: tuple[PlannedStep, ...]
    problems: tuple[Problem, ...]
    event: EventPlan
    machine: Machine
    since: str
    """Since when the workshop is deployed, by the journal; empty when it is not known to be."""
    clock: Clock
    secrets: Mapping[str, WorkshopError | None] = field(default_factory=dict)
    """The secrets of the definition, each with the error that a setup would end with; None for one that is no obstacle."""
    required: Mapping[str, WorkshopError | None] = field(default_factory=dict)
    """The parameters that others ask for, each with the error that a setup would end with; None for one that is given."""
    machine_pool: str | None = None
    """The ARN of the user pool in which drills make an app client; empty for one that a step makes, None for drills without."""
    given_pool: str = ""
    """The ARN of the user pool in which people sign in, where it exists already and no step makes it."""
    given_client: GivenClient | None = None
    """The client of such a pool; None where it is not given."""
    options: tuple[str, ...] = ()
    """The options that name this context on the command line, where they are not the defaults."""

    @property
    def home(self) -> str:
        return self.regions[0]

    @property
    def on_aws(self) -> bool:
        return self.target == "aws"

    def flags(self) -> str:
        """What to type after a `workshop` command so that it is about this context: `" --target aws --profile NAME"`."""
        return f" {command_line(self.options)}" if self.options else ""

    def permissions(self, *phases: Phase) -> list[Permission]:
        """What the steps need in these phases (none: in all), each once."""
        found = {p for planned in self.planned_steps for p in planned.permissions if not phases or p.phase in phases}
        return sorted(found)

    def services(self, region: str) -> list[str]:
        """The services that the steps use in a region (empty: the global ones), by botocore's names."""
        return sorted({p.action.partition(":")[0] for p in self.permissions() if p.region == region})

    def needed(self, action: str, region: str) -> list[str]:
        """The resources on which the steps need an action in a region, as often as steps need it: what they will make."""
        return sorted(
            resource
            for planned in self.planned_steps
            for resource in {p.resource for p in planned.permissions if (p.action, p.region) == (action, region)}
        )
