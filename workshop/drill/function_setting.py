"""What the faults have in common that set one setting of a region's functions to a value that fails them.

In: the functions of a place. Out: their values before, as memory, and after the undo the same values, read back. A value that
somebody else has set since is left as it is, and so is a function that is gone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel

from workshop.aws.errors import AwsError
from workshop.clock import WaitTimeout, wait_for
from workshop.drill.fault import Fault, Means
from workshop.drill.scene import Place
from workshop.errors import WorkshopError

__all__ = ["FunctionSetting", "Memory", "Value"]

Value = int | str | None
"""A setting; None where there is none."""
READ_BACK_SECONDS = 60.0


class Memory(BaseModel):
    """Each function's value before the drill."""

    functions: Mapping[str, Value]


class FunctionSetting(Fault):
    """One setting of each function."""

    failing: ClassVar[Value]
    """The value with which a function fails."""
    setting: ClassVar[str]
    """What people call it: `the reserved concurrency`."""

    @abstractmethod
    async def read(self, means: Means, region: str, function: str) -> Value:
        """The value that is in force."""

    @abstractmethod
    async def write(self, means: Means, region: str, function: str, value: Value) -> None:
        """Bring the value into force; None takes the setting away."""

    def said(self, value: Value) -> str:
        """A value, for people."""
        return str(value)

    def plan(self, place: Place, memory: str) -> str:
        before = Memory.model_validate_json(memory).functions
        parts = [f"{name} from {self.said(value)} to {self.said(self.failing)} and back" for name, value in before.items()]
        return f"In {place.region} {self.setting} of {', of '.join(parts)}."

    async def inject(self, means: Means, place: Place, memory: str) -> None:
        for function in Memory.model_validate_json(memory).functions:
            await self.write(means, place.region, function, self.failing)

    async def undo(self, means: Means, region: str, memory: str) -> str:
        said = []
        for function, before in Memory.model_validate_json(memory).functions.items():
            try:
                said.append(await self._restore(means, region, function, before))
            except AwsError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                said.append(f"{function} is gone")
        return f"{region}: {'; '.join(said)}."

    async def _restore(self, means: Means, region: str, function: str, before: Value) -> str:
        now = await self.read(means, region, function)
        if now not in (self.failing, before):
            return f"{self.setting} of {function} was set to {self.said(now)} by somebody else since, and stays so"
        if now != before:
            await self.write(means, region, function, before)

        async def restored() -> bool | None:
            return True if await self.read(means, region, function) == before else None

        try:
            await wait_for(
                restored, clock=means.clock, reason=f"{function} to be as it was", deadline=READ_BACK_SECONDS, interval=2.0,
                waiting=lambda _reason, _seconds: None,
            )  # fmt: skip
        except WaitTimeout as error:
            raise WorkshopError(
                f"{function} in {region} is not as it was.", f"Of it, {self.setting} should be {self.said(before)} again.",
                "Try again: workshop drill recover", code="NotRestored",
            ) from error  # fmt: skip
        return f"{self.setting} of {function} is {self.said(before)} again, read back"
