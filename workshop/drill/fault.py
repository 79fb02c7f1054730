"""What every fault of a drill says about itself: what it remembers, how it strikes, how it is taken back.

The order is fixed: `remember` reads the settings as they are, its text goes into the journal, then `inject` changes them. `undo`
works from the region and that text alone, in another process if need be, and answers only after it has read the settings back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from workshop.aws.door import Door
from workshop.clock import Clock
from workshop.drill.scene import Place, Scene
from workshop.errors import UsageError, WorkshopError

__all__ = ["Cuts", "Fault", "Means", "Undoable", "already", "refusal"]


class Cuts(Protocol):
    """Interrupts replication, where the target can. Only the local cloud does."""

    async def held(self, region: str, table: str) -> bool:
        """Whether replication of the table from or to a region is interrupted."""
        ...

    async def cut(self, region: str, table: str) -> None:
        """Interrupt it, both ways."""
        ...

    async def join(self, region: str, table: str) -> None:
        """Let it go on; what was held back is delivered. Nothing happens when it is not interrupted."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What faults may use. `cuts` is None on targets that cannot interrupt replication; `notice` hears a sentence."""

    aws: Door
    clock: Clock
    cuts: Cuts | None
    notice: Callable[[str], None]


class Undoable(ABC):
    """Something that can be put back from its memory alone."""

    name: ClassVar[str]

    @abstractmethod
    async def undo(self, means: Means, region: str, memory: str) -> str:
        """Put back what `memory` says, read it back, and say in one sentence what is in force now.

        Safe to repeat. What is gone is fine; what somebody else has changed since is left as it is.
        """


class Fault(Undoable):
    """One way to fail a region. Subclasses hold no state."""

    summary: ClassVar[str]
    """One line for the help."""
    stops_writes: ClassVar[bool] = True
    """Whether clients of the region see their requests fail."""

    @abstractmethod
    async def remember(self, means: Means, scene: Scene, place: Place) -> str:
        """The settings as they are now, as text. Raises `UsageError` with the reason when the fault cannot strike here."""

    @abstractmethod
    def plan(self, place: Place, memory: str) -> str:
        """One sentence for people: what is changed, and to what it is put back."""

    @abstractmethod
    async def inject(self, means: Means, place: Place, memory: str) -> None:
        """Strike. May be interrupted at any point; `undo` copes with every state in between."""


def refusal(fault: str, region: str, why: str, fix: str) -> UsageError:
    """A fault that cannot strike in a region."""
    return UsageError(f"The fault {fault} is not possible in {region}.", why, fix, code="DrillRefused")


def already(region: str, why: str, fix: str) -> WorkshopError:
    """A region that fails already cannot be failed."""
    return WorkshopError(f"{region} is failing already.", why, fix, code="AlreadyFailing")
