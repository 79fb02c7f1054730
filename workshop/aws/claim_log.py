"""The log of writes that the claim on a workshop is: one SSM parameter, read and written so that one writer at most counts.

SSM numbers writes without gaps and never refuses an overwrite, so each write names the version, and the digest of the text, that
it follows, and counts only when exactly those stand right before it. A write that came second therefore counts for nobody, its
own writer included, and what it covered still holds: whoever looks goes back to the last write that counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from workshop.aws.claim_holder import LIFE, Holder, age_of, bounded, parsed
from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.errors import WorkshopError
from workshop.shell import aws_line
from workshop.waiting import Clock

__all__ = ["ClaimLog", "Entry", "UnclearError", "parameter_name", "removal"]

SETTLE = 2.0
"""Seconds until the last writer is asked for, where a service tells no versions: longer than a call of another contender."""


def parameter_name(workshop: str) -> str:
    """The name of the parameter."""
    return f"/workshop/{workshop}/claim"


def removal(region: str, workshop: str) -> str:
    """The command that removes the parameter, ready to be pasted."""
    return aws_line("ssm delete-parameter", region=region, name=parameter_name(workshop))


@dataclass(frozen=True, slots=True)
class Entry:
    """One write: its version is 0 where the service tells none."""

    text: str
    version: int
    holder: Holder
    old: bool = False
    """Written so long ago that it lapsed, and with it everything that was written before."""


@dataclass(frozen=True, slots=True)
class ClaimLog:
    """The parameter of one workshop in one region, as a log of writes."""

    aws: AwsClient
    region: str
    workshop: str
    clock: Clock

    async def read(self, version: int = 0) -> Entry | None:
        """The last write, or the one of a version; None when it is not there, or that version cannot be seen (yet)."""
        name = parameter_name(self.workshop)
        try:
            wanted = f"{name}:{version}" if version else name
            answer = await self.aws.call("ssm", self.region, "get_parameter", Name=wanted)
        except AwsError as error:
            if error.code in ("ParameterNotFound", "ParameterVersionNotFound") or (version and error.denied):
                return None
            raise
        found = answer["Parameter"]
        age = age_of(answer, self.clock.now())
        return Entry(found["Value"], int(found.get("Version") or version), self._holder(found["Value"], age), age > LIFE)

    async def create(self, holder: Holder) -> Entry:
        """Make it; raises `AwsError` when it exists."""
        text = json.dumps(asdict(holder))
        about = "Somebody is setting this workshop up or taking it down."
        tags = [{"Key": "workshop", "Value": self.workshop}]
        return Entry(text, await self._put(text, Description=about, Tags=tags), holder)

    async def follow(self, top: Entry, holder: Holder) -> Entry | None:
        """Write over `top`; answers None when something else stood there by then, so that this write does not count.

        The tags stay as they are: an overwrite takes none.
        """
        written = replace(holder, after=top.version, over=_digest(top.text))
        text = json.dumps(asdict(written))
        try:
            version = await self._put(text, Overwrite=True)
        except AwsError as error:
            if error.code == "TooManyUpdates":
                return None
            raise
        if version and top.version:
            entry = Entry(text, version, written)
            return entry if await self._counts(entry) else None
        # Without versions the last writer wins. Every contender waits after its own write, so all others see a foreign one.
        await asyncio.sleep(SETTLE)
        last = await self.read()
        return last if last is not None and last.text == text else None

    async def standing(self, top: Entry) -> Entry | None:
        """The last write that counts, from `top` backwards; None when none does."""
        entry = top
        while not await self._counts(entry):
            if entry.version == 1 or entry.old:
                return None  # written over a claim that was removed in the same moment, or over one that lapsed
            before = await self.read(entry.version - 1)
            if before is None:
                raise UnclearError(self.workshop)
            entry = before
        return entry

    async def delete(self) -> None:
        try:
            await self.aws.call("ssm", self.region, "delete_parameter", Name=parameter_name(self.workshop))
        except AwsError as error:
            if error.code != "ParameterNotFound":
                raise

    async def _put(self, text: str, **more: Any) -> int:
        name = parameter_name(self.workshop)
        answer = await self.aws.call("ssm", self.region, "put_parameter", Name=name, Value=text, Type="String", **more)
        return int(answer.get("Version") or 0)

    async def _counts(self, entry: Entry) -> bool:
        after = entry.holder.after
        if not after or not entry.version:
            return True
        if entry.version != after + 1:
            return False
        # The numbers begin again when a parameter is made anew, so the text has to be the same, too.
        before = await self.read(entry.version - 1)
        return before is None or _digest(before.text) == entry.holder.over

    def _holder(self, text: str, age: float) -> Holder:
        try:
            return bounded(parsed(text), age, self.clock.now())
        except ValueError as error:
            raise WorkshopError(
                what=f"The SSM parameter {parameter_name(self.workshop)} in {self.region} is not a claim.",
                why="Another program or person wrote it, and it may be needed there.",
                fix=f"If it is not needed: {removal(self.region, self.workshop)}", code="ForeignClaim",
            ) from error  # fmt: skip


class UnclearError(WorkshopError):
    """What the last write covered cannot be seen, or others write at this moment: nobody knows who holds the claim."""

    def __init__(self, workshop: str) -> None:
        super().__init__(
            f"{workshop} is being claimed by others at this moment.", "", "Run the same command again in a minute.", code="Busy"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
