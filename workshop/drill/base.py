"""The interface of the faults: what each declares, and what it may use.

The order is fixed: `snapshot` reads the settings as they are, its text goes into the journal, then `inject` changes them. `undo`
works from the region and that text alone, in another process if need be, and returns only after it has read the settings back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from workshop.aws.client import AwsClient
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.errors import UsageError, WorkshopError

__all__ = ["FaultContext", "GatewayControl", "RegionFault", "ReplicationControl", "Undoable", "already_failing", "not_possible"]


class ReplicationControl(Protocol):
    """Pauses replication of a table, on targets that can. Only the local cloud can."""

    async def is_paused(self, region: str, table: str) -> bool:
        """Whether replication of the table from or to a region is paused."""
        ...

    async def pause(self, region: str, table: str) -> None:
        """Pause it in both directions."""
        ...

    async def resume(self, region: str, table: str) -> None:
        """Resume it and deliver what was held back. Does nothing when it is not paused."""
        ...


class GatewayControl(Protocol):
    """Takes all APIs of a region off the network, on targets that can. Only the local cloud can."""

    async def is_down(self, region: str) -> bool:
        """Whether they are off."""
        ...

    async def take_down(self, region: str) -> None:
        """Every call is responded to with 503 from now on."""
        ...

    async def bring_up(self, region: str) -> None:
        """The end of that. Does nothing when they are on."""
        ...


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What faults may use. `replication` and `gateway` are None on targets that cannot do that, `commands` are those to offer.

    `abandoned` is True for the undo of a run that ended without it: requests of its process may still be in flight.
    """

    aws: AwsClient
    replication: ReplicationControl | None
    commands: Commands = field(default_factory=Commands)
    abandoned: bool = False
    gateway: GatewayControl | None = None


class Undoable(ABC):
    """A change that can be taken back from its snapshot alone."""

    name: ClassVar[str]
    """The kind under which the journal has it."""

    @abstractmethod
    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        """Restore what `snapshot` contains, read it back, and return one sentence about what is in force now.

        Safe to repeat. What no longer exists is no error; what was changed by others since is left as it is.
        """


class RegionFault(Undoable):
    """One way to fail a region. Subclasses have no state; `name` is the value of `--fault`."""

    summary: ClassVar[str]
    """What the fault does, in half a sentence, for the report."""
    stops_writes: ClassVar[bool] = True
    """Whether requests of the region's clients fail."""
    withdraws: ClassVar[bool] = False
    """Whether DNS is told to leave the region, while its requests succeed."""
    permissions: ClassVar[tuple[str, ...]] = ()
    """The IAM actions of `snapshot`, `inject` and `undo`, as IAM names them."""

    @abstractmethod
    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:
        """Return the settings as they are now, as text. Raises `UsageError` with the reason when the fault is not possible."""

    @abstractmethod
    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        """Return one sentence for people: what is changed, and to what it is restored."""

    @abstractmethod
    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:
        """Change the settings. May be interrupted at any point; `undo` copes with every state in between."""


def not_possible(fault: str, region: str, *, why: str, fix: str) -> UsageError:
    """The error for a fault that has nothing to act on in a region."""
    return UsageError(what=f"The fault {fault} is not possible in {region}.", why=why, fix=fix, code="DrillRefused")


def already_failing(region: str, *, why: str, fix: str) -> WorkshopError:
    """The error for a region that fails before the drill has begun."""
    return WorkshopError(what=f"{region} is failing already.", why=why, fix=fix, code="AlreadyFailing")
