"""A claim on a workshop that other machines can see: one SSM parameter in the home region, made without overwriting.

Whoever holds it renews it; one that was not renewed for ten minutes, or whose process on this machine is dead, is taken
over, and its holder, should it wake up, is told to stop. It is removed at the end of every run.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import hashlib
import json
import os
import secrets
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from workshop.aws.door import Door
from workshop.aws.errors import AwsError
from workshop.clock import Clock
from workshop.errors import WorkshopError

__all__ = ["ACTIONS", "Claim", "Holder", "claimed", "clear_lapsed", "parameter_name"]

LIFE = 600.0
RENEWAL = 120.0
ATTEMPTS = 4
ACTIONS = ("PutParameter", "GetParameter", "DeleteParameter", "AddTagsToResource")
"""The SSM actions that a claim takes, in the home region."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work: `machine` tells machines apart, `until` is when the claim lapses (ISO 8601, UTC)."""

    token: str
    machine: str
    host: str
    user: str
    pid: int
    command: str
    since: str
    until: str

    def lapsed(self, now: datetime) -> bool:
        """Not renewed in time, or its process on this machine is dead."""
        dead = self.machine == _machine() and not _alive(self.pid)
        return dead or now > datetime.fromisoformat(self.until)


@dataclass
class Claim:
    """A claim that is held; or, without the permission for it, one that nobody can see."""

    lost: WorkshopError | None = None
    """Who took it over."""
    _listeners: list[Callable[[WorkshopError], None]] = field(default_factory=list)

    def listen(self, listener: Callable[[WorkshopError], None]) -> None:
        """Call `listener` when somebody takes the claim over, or at once when somebody did."""
        self._listeners.append(listener)
        if self.lost is not None:
            listener(self.lost)

    def lose(self, error: WorkshopError) -> None:
        """Somebody took it over: whoever works under it has to stop."""
        self.lost = error
        for listener in self._listeners:
            listener(error)


def parameter_name(workshop: str) -> str:
    """The name of the parameter."""
    return f"/workshop/{workshop}/claim"


@contextlib.asynccontextmanager
async def claimed(
    aws: Door, region: str, workshop: str, command: str, *, clock: Clock, notice: Callable[[str], None]
) -> AsyncIterator[Claim]:
    """Hold the claim while the block runs; raises `WorkshopError` naming the holder when somebody else does.

    Without the permission for it the run goes on unclaimed, with a notice.
    """
    holder, claim = _holder(command, clock), Claim()
    try:
        await _take(aws, region, workshop, holder, clock, notice)
    except AwsError as error:
        if not error.denied:
            raise
        notice(f"Not guarded against another machine: {error.message or error.code} (permission ssm:PutParameter).")
        yield claim
        return
    renewing = asyncio.create_task(_renew(aws, region, workshop, holder, clock, notice, claim))
    try:
        yield claim
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await _release(aws, region, workshop, holder, notice)


async def clear_lapsed(aws: Door, region: str, workshop: str, *, clock: Clock) -> Holder | None:
    """Remove a claim in a region where nobody works any more; answers the holder of one that is still held."""
    found = await _read(aws, region, workshop)
    if found is None or not found.lapsed(clock.now()):
        return found
    await _remove(aws, region, workshop)
    return None


async def _take(aws: Door, region: str, workshop: str, holder: Holder, clock: Clock, notice: Callable[[str], None]) -> None:
    for _ in range(ATTEMPTS):
        try:
            await aws.call(
                "ssm", region, "put_parameter", Name=parameter_name(workshop), Value=json.dumps(asdict(holder)), Type="String",
                Description="Somebody is setting this workshop up or taking it down.",
                Tags=[{"Key": "workshop", "Value": workshop}],
            )  # fmt: skip
            return
        except AwsError as error:
            if error.code != "ParameterAlreadyExists":
                raise
        # Somebody else's, or our own whose answer was lost (docs/aws-behaviours.md, section 10.2).
        found = await _read(aws, region, workshop)
        if found is None:
            continue  # released in between
        if found.token == holder.token:
            return
        if not found.lapsed(clock.now()):
            raise _busy(workshop, found)
        notice(f"Taking over from {found.user}@{found.host} (process {found.pid}), whose {found.command} ended without a word.")
        again = await _read(aws, region, workshop)  # somebody else may be taking over at the same moment
        if again is not None and again.token == found.token:
            await _remove(aws, region, workshop)
    raise WorkshopError(f"{workshop} is being claimed by others again and again.", "", "Try again in a minute.", code="Busy")


async def _renew(
    aws: Door, region: str, workshop: str, holder: Holder, clock: Clock, notice: Callable[[str], None], claim: Claim
) -> None:
    while True:
        await clock.sleep(RENEWAL)
        renewed = {**asdict(holder), "until": _later(clock)}
        try:
            found = await _read(aws, region, workshop)
            if found is not None and found.token != holder.token:
                # This machine slept past the claim's life. Two runs at work undo each other's work, so the older one ends.
                claim.lose(_taken_over(workshop, found))
                notice(f"! {claim.lost}")
                return
            await aws.call(
                "ssm", region, "put_parameter", Name=parameter_name(workshop), Value=json.dumps(renewed), Type="String",
                Overwrite=True,
            )  # fmt: skip
        except WorkshopError as error:
            notice(f"The claim on {workshop} could not be renewed: {error.what}")


async def _release(aws: Door, region: str, workshop: str, holder: Holder, notice: Callable[[str], None]) -> None:
    try:
        found = await _read(aws, region, workshop)
        if found is not None and found.token == holder.token:
            await _remove(aws, region, workshop)
    except WorkshopError as error:
        notice(f"The claim on {workshop} could not be removed ({error.code}); it lapses by itself.")


async def _read(aws: Door, region: str, workshop: str) -> Holder | None:
    try:
        answer = await aws.call("ssm", region, "get_parameter", Name=parameter_name(workshop))
    except AwsError as error:
        if error.code == "ParameterNotFound":
            return None
        raise
    try:
        return Holder(**json.loads(answer["Parameter"]["Value"]))
    except (ValueError, TypeError) as error:
        name = parameter_name(workshop)
        raise WorkshopError(
            f"The SSM parameter {name} in {region} is not a claim.", "Somebody else wrote it.",
            f"If nobody needs it: aws ssm delete-parameter --region {region} --name {name}", code="ForeignClaim",
        ) from error  # fmt: skip


async def _remove(aws: Door, region: str, workshop: str) -> None:
    try:
        await aws.call("ssm", region, "delete_parameter", Name=parameter_name(workshop))
    except AwsError as error:
        if error.code != "ParameterNotFound":
            raise


def _busy(workshop: str, holder: Holder) -> WorkshopError:
    return WorkshopError(
        f"{workshop} is being changed already.",
        f"{holder.user}@{holder.host} is running workshop {holder.command} (process {holder.pid}, since {holder.since}).",
        "Wait for it to end, then run the same command again. A run that died is taken over after ten minutes.",
        code="Busy",
    )


def _taken_over(workshop: str, holder: Holder) -> WorkshopError:
    return WorkshopError(
        f"{holder.user}@{holder.host} took {workshop} over with workshop {holder.command}, so this run stops.",
        "This machine did not renew its claim for ten minutes, as when it slept.",
        "See what stands: workshop status. Run the same command again when the other one has ended.",
        code="TakenOver",
    )


def _holder(command: str, clock: Clock) -> Holder:
    now = clock.now().isoformat(timespec="seconds")
    host = socket.gethostname()
    return Holder(secrets.token_hex(8), _machine(), host, _user(), os.getpid(), command, now, _later(clock))


def _later(clock: Clock) -> str:
    return (clock.now() + timedelta(seconds=LIFE)).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.geteuid())


def _machine() -> str:
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
