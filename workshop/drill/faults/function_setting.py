"""The base of the faults that set one setting of a region's functions to a value with which they fail.

In: the functions of a region. Out: their values before, as a snapshot, and after the undo the same values, read back. A value
that was changed by others since is left as it is, and so is a function that no longer exists.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel

from workshop.aws.errors import AwsError
from workshop.drill.base import FaultContext, RegionFault
from workshop.drill.deployment import RegionDeployment
from workshop.errors import WorkshopError
from workshop.waiting import WaitTimeout, wait_for

__all__ = ["FunctionSetting", "FunctionSnapshot", "Value"]

Value = int | str | None
"""A setting; None where there is none."""
READ_BACK_SECONDS = 60.0


class FunctionSnapshot(BaseModel):
    """Each function's value before the drill."""

    functions: Mapping[str, Value]


class FunctionSetting(RegionFault):
    """One setting of each function."""

    failing: ClassVar[Value]
    """The value with which a function fails."""
    setting: ClassVar[str]
    """What people call it: `the reserved concurrency`."""

    @abstractmethod
    async def read(self, context: FaultContext, region: str, function: str) -> Value:
        """Return the value that is in force."""

    @abstractmethod
    async def write(self, context: FaultContext, region: str, function: str, value: Value) -> None:
        """Bring the value into force; None removes the setting."""

    def for_people(self, value: Value) -> str:
        """The value as messages show it."""
        return str(value)

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        before = FunctionSnapshot.model_validate_json(snapshot).functions
        failing = self.for_people(self.failing)
        parts = [f"{name} from {self.for_people(value)} to {failing} and back" for name, value in before.items()]
        return f"In {regional.region} {self.setting} of {', of '.join(parts)}."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:
        for function in FunctionSnapshot.model_validate_json(snapshot).functions:
            await self.write(context, regional.region, function, self.failing)

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        outcomes = []
        for function, before in FunctionSnapshot.model_validate_json(snapshot).functions.items():
            try:
                outcomes.append(await self._restore(context, region, function, before))
            except AwsError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                outcomes.append(f"{function} no longer exists")
        return f"{region}: {'; '.join(outcomes)}."

    async def _restore(self, context: FaultContext, region: str, function: str, before: Value) -> str:
        now = await self.read(context, region, function)
        if now not in (self.failing, before):
            return f"{self.setting} of {function} was changed to {self.for_people(now)} meanwhile and is left as it is"
        if now != before:
            await self.write(context, region, function, before)
        await self._read_back(context, region, function, before)
        return f"{self.setting} of {function} is {self.for_people(before)} again, read back"

    async def _read_back(self, context: FaultContext, region: str, function: str, before: Value) -> None:
        async def restored() -> bool | None:
            return True if await self.read(context, region, function) == before else None

        try:
            await wait_for(
                restored,
                reason=f"{function} to be restored",
                deadline=READ_BACK_SECONDS,
                interval=2.0,
                waiting=lambda _reason, _seconds: None,
            )
        except WaitTimeout as error:
            raise WorkshopError(
                what=f"{function} in {region} is not restored.",
                why=f"Expected {self.setting} to be {self.for_people(before)} again.",
                fix=f"Try again: {context.commands.recover}",
                code="NotRestored",
            ) from error
