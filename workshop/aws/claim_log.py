"""The log of writes that the claim on a workshop is: one SSM parameter, read and written so that one writer at most counts.

SSM numbers writes without gaps and never refuses an overwrite, so each write names the version, and the digest of the text, that
it follows, and counts only when exactly those stand right before it. A write that came second therefore counts for nobody, its
own writer included, and what it covered still holds: whoever looks goes back to the last write that counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from workshop.aws.door import Door
from workshop.aws.errors import AwsError
from workshop.clock import Clock
from workshop.errors import WorkshopError
from workshop.shell import aws_line

__all__ = ["ClaimLog", "Entry", "Holder", "UnclearError", "parameter_name", "this_machine"]

SETTLE = 2.0
"""Seconds until the last writer is asked for, where a service tells no versions: longer than a call of another contender."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work: `machine` tells machines apart, `until` is when the claim lapses (ISO 8601, UTC).

    `after` and `over` are the version and the digest of what this was written over; 0 and empty when it was created.
    """

    token: str
    machine: str
    host: str
    user: str
    pid: int
    command: str
    since: str
    until: str
    after: int = 0
    over: str = ""

    def lapsed(self, now: datetime) -> bool:
        """Not renewed in time, or its process on this machine is dead."""
        dead = self.machine == this_machine() and not _alive(self.pid)
        return dead or now > datetime.fromisoformat(self.until)


def parameter_name(workshop: str) -> str:
    """The name of the parameter."""
    return f"/workshop/{workshop}/claim"


@dataclass(frozen=True, slots=True)
class Entry:
    """One write: its version is 0 where the service tells none."""

    text: str
    version: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class ClaimLog:
    """The parameter of one workshop in one region, as a log of writes."""

    aws: Door
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
        return Entry(found["Value"], int(found.get("Version") or version), self._parsed(found["Value"]))

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
        await self.clock.sleep(SETTLE)
        last = await self.read()
        return last if last is not None and last.text == text else None

    async def standing(self, top: Entry) -> Entry | None:
        """The last write that counts, from `top` backwards; None when none does."""
        entry = top
        while not await self._counts(entry):
            if entry.version == 1:
                return None  # written over a claim that was removed in the same moment
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

    def _parsed(self, text: str) -> Holder:
        try:
            given = json.loads(text)
            holder = Holder(**{key.name: given[key.name] for key in fields(Holder) if key.name in given})
            if datetime.fromisoformat(holder.until).tzinfo is None:
                raise ValueError(holder.until)
        except (ValueError, TypeError) as error:
            name = parameter_name(self.workshop)
            raise WorkshopError(
                f"The SSM parameter {name} in {self.region} is not a claim.", "Somebody else wrote it.",
                f"If nobody needs it: {aws_line('ssm delete-parameter', region=self.region, name=name)}", code="ForeignClaim",
            ) from error  # fmt: skip
        return holder


class UnclearError(WorkshopError):
    """What the last write covered cannot be seen, or others write at this moment: nobody knows who holds the claim."""

    def __init__(self, workshop: str) -> None:
        super().__init__(
            f"{workshop} is being claimed by others at this moment.", "", "Run the same command again in a minute.", code="Busy"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def this_machine() -> str:
    """A name for this machine that two machines called "localhost" do not share."""
    identity = Path("/etc/machine-id")
    unique = identity.read_text() if identity.is_file() else str(uuid.getnode())
    return hashlib.sha256(f"{unique}{socket.gethostname()}".encode()).hexdigest()[:16]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
