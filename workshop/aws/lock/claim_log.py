"""The parameter of the lock as a log of writes, of which at most one at a time counts: see `workshop.aws.lock`.

In: a client, a region, a workshop. Out: the writes, as `ClaimWrite`. It decides nothing about who may take the lock.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.lock.claim_record import LIFE, ClaimRecord, age_of, parse_record, with_bounded_end
from workshop.errors import WorkshopError
from workshop.shell import aws_line
from workshop.waiting import Clock

__all__ = ["ClaimLog", "ClaimWrite", "ContestedError", "parameter_name", "removal"]

SETTLE = 2.0
"""Seconds until the last write is read again where a service reports no versions: longer than a call of another run takes."""


def parameter_name(workshop: str) -> str:
    """The name of the parameter."""
    return f"/workshop/{workshop}/claim"


def removal(region: str, workshop: str) -> str:
    """The command that removes the parameter, ready to be pasted."""
    return aws_line("ssm delete-parameter", region=region, name=parameter_name(workshop))


@dataclass(frozen=True, slots=True)
class ClaimWrite:
    """One write of the parameter; `version` is 0 where the service reports none."""

    text: str
    version: int
    record: ClaimRecord
    lapsed: bool = False
    """SSM stored it more than ten minutes ago, and so all writes before it."""


@dataclass(frozen=True, slots=True)
class ClaimLog:
    """The parameter of one workshop in one region, as a log of writes."""

    aws: AwsClient
    region: str
    workshop: str
    clock: Clock

    async def read(self, version: int = 0) -> ClaimWrite | None:
        """The last write, or the one of a version; None when it is not there, or that version cannot be seen (yet)."""
        name = parameter_name(self.workshop)
        try:
            wanted = f"{name}:{version}" if version else name
            response = await self.aws.call("ssm", self.region, "get_parameter", Name=wanted)
        except AwsError as error:
            if error.code in ("ParameterNotFound", "ParameterVersionNotFound") or (version and error.denied):
                return None
            raise
        found = response["Parameter"]
        age = age_of(response, self.clock.now())
        return ClaimWrite(found["Value"], int(found.get("Version") or version), self._record(found["Value"], age), age > LIFE)

    async def create(self, record: ClaimRecord) -> ClaimWrite:
        """Create the parameter; raises `AwsError` when it exists."""
        text = json.dumps(asdict(record))
        about = "A run of workshop is changing this workshop. It deletes this parameter at its end."
        tags = [{"Key": "workshop", "Value": self.workshop}]
        return ClaimWrite(text, await self._put(text, Description=about, Tags=tags), record)

    async def overwrite(self, top: ClaimWrite, record: ClaimRecord) -> ClaimWrite | None:
        """Write over `top`; None when another write came in between, so that this one does not count.

        The tags stay as they are: an overwrite takes none.
        """
        written = replace(record, after=top.version, over=_digest(top.text))
        text = json.dumps(asdict(written))
        try:
            version = await self._put(text, Overwrite=True)
        except AwsError as error:
            if error.code == "TooManyUpdates":
                return None
            raise
        if version and top.version:
            write = ClaimWrite(text, version, written)
            return write if await self._counts(write) else None
        # Without versions the last write counts. Every run waits after its own, so all but the last one read a foreign one.
        await self.clock.sleep(SETTLE)
        last = await self.read()
        return last if last is not None and last.text == text else None

    async def last_counting(self, top: ClaimWrite) -> ClaimWrite | None:
        """The last write that counts, from `top` backwards; None when none does."""
        write = top
        while not await self._counts(write):
            if write.version == 1 or write.lapsed:
                return None  # written over a claim that was removed in the same moment, or over one that lapsed
            before = await self.read(write.version - 1)
            if before is None:
                raise ContestedError(self.workshop)
            write = before
        return write

    async def delete(self) -> None:
        """Delete the parameter; one that is gone already is fine."""
        try:
            await self.aws.call("ssm", self.region, "delete_parameter", Name=parameter_name(self.workshop))
        except AwsError as error:
            if error.code != "ParameterNotFound":
                raise

    async def _put(self, text: str, **more: Any) -> int:
        name = parameter_name(self.workshop)
        response = await self.aws.call("ssm", self.region, "put_parameter", Name=name, Value=text, Type="String", **more)
        return int(response.get("Version") or 0)

    async def _counts(self, write: ClaimWrite) -> bool:
        after = write.record.after
        if not after or not write.version:
            return True
        if write.version != after + 1:
            return False
        # The numbers begin again when a parameter is made anew, so the text has to be the same, too.
        before = await self.read(write.version - 1)
        return before is None or _digest(before.text) == write.record.over

    def _record(self, text: str, age: float) -> ClaimRecord:
        try:
            return with_bounded_end(parse_record(text), age, self.clock.now())
        except ValueError as error:
            raise WorkshopError(
                what=f"The SSM parameter {parameter_name(self.workshop)} in {self.region} is not a claim.",
                why="Another program or person wrote it, and it may be needed there.",
                fix=f"If it is not needed: {removal(self.region, self.workshop)}",
                code="ForeignClaim",
            ) from error


class ContestedError(WorkshopError):
    """Other runs write at this moment, or older writes cannot be read: who holds the lock is unknown."""

    def __init__(self, workshop: str) -> None:
        super().__init__(
            what=f"{workshop} is being claimed by other runs at this moment.",
            why="Each waits until one of them holds the claim.",
            fix="Run the same command again in a minute.",
            code="Busy",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
