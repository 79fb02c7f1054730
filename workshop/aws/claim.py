"""A claim on a workshop that other machines can see: one SSM parameter in the home region, made without overwriting.

Whoever holds it renews it; one that was not renewed for ten minutes, or whose process on this machine is dead, is taken
over, and its holder, should it wake up, is told to stop. It is removed at the end of every run.

How at most one writer counts is told in `claim_log`. Only its holder deletes it: a takeover overwrites.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workshop.aws.claim_holder import LIFE, Holder, this_machine
from workshop.aws.claim_log import ClaimLog, Entry, UnclearError, parameter_name, removal
from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.errors import WorkshopError
from workshop.waiting import Clock, monotonic, wait_for

__all__ = ["ACTIONS", "Claim", "Holder", "busy", "claimed", "clear_lapsed", "holder_of", "parameter_name", "removal"]

RENEWAL = 120.0
TICK = 5.0
"""Seconds between two looks at the wall clock, which alone shows that the machine slept: the monotonic one stood still."""
JUMP = 30.0
"""Seconds by which the wall clock may differ from a tick before the claim is looked at."""
PATIENCE, SILENCE = 45.0, 3.0
"""Seconds for a name to become free (docs/aws-behaviours.md, section 13), and until somebody is told why nothing happens."""
ACTIONS = ("PutParameter", "GetParameter", "DeleteParameter", "AddTagsToResource")
"""The SSM actions that a claim takes, in the home region."""
NOT_YET = ("ParameterAlreadyExists", "TooManyUpdates")
"""What a creation meets: a claim, or the name of one that was deleted moments ago (docs/aws-behaviours.md, section 13)."""


@dataclass
class Claim:
    """A claim that is held; or, without the permission for it, one that nobody can see."""

    lost: WorkshopError | None = None
    """Who took it over."""
    _listeners: list[Callable[[WorkshopError], None]] = field(default_factory=list)
    _release: Callable[[], Awaitable[bool]] | None = None
    _gone: bool | None = None

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

    async def release(self) -> bool:
        """Give it up, once; answers whether nothing of it is left. It is called at the end of the block in any case."""
        if self._gone is None:
            self._gone = await self._release() if self._release is not None else True
        return self._gone


@contextlib.asynccontextmanager
async def claimed(
    aws: AwsClient, region: str, workshop: str, command: str, *, clock: Clock, notice: Callable[[str], None]
) -> AsyncIterator[Claim]:
    """Hold the claim while the block runs; raises `WorkshopError` naming the holder when somebody else does.

    Without the permission for it the run goes on unclaimed, with a notice.
    """
    claim = Claim()
    run = _Run(ClaimLog(aws, region, workshop, clock), _holder(command, clock), notice, claim)
    try:
        await run.take()
    except AwsError as error:
        if not error.denied:
            raise
        notice(f"Not guarded against another machine: {error.message or error.code} (permission ssm:{error.operation}).")
        yield claim
        return
    renewing = asyncio.create_task(run.keep())

    async def release() -> bool:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        return await run.release()

    claim._release = release
    try:
        yield claim
    finally:
        await claim.release()


async def holder_of(aws: AwsClient, region: str, workshop: str, *, clock: Clock) -> Holder | None:
    """Who holds the claim in a region, lapsed or not; nothing is changed."""
    parameter = ClaimLog(aws, region, workshop, clock)
    top = await parameter.read()
    found = None if top is None else await parameter.standing(top)
    return None if found is None else found.holder


async def clear_lapsed(aws: AwsClient, region: str, workshop: str, *, clock: Clock) -> Holder | None:
    """Remove a claim in a region where nobody works any more; answers the holder of one that is still held."""
    parameter = ClaimLog(aws, region, workshop, clock)
    top = await parameter.read()
    if top is None:
        return None
    found = await parameter.standing(top)
    if found is not None and not found.holder.lapsed(clock.now()):
        return found.holder
    if await parameter.follow(top, _holder("teardown", clock)) is None:
        return await holder_of(aws, region, workshop, clock=clock)
    await parameter.delete()
    return None


def busy(workshop: str, holder: Holder, region: str) -> WorkshopError:
    """The error that names who is at work."""
    return WorkshopError(
        what=f"{workshop} is being changed already.",
        why=f"{holder.user}@{holder.host} is running workshop {holder.command} (process {holder.pid}, since {holder.since},"
        f" claimed in {region} by the SSM parameter {parameter_name(workshop)}).",
        fix="Wait for it to end, then run the same command again. A run that died is taken over ten minutes after its last"
        f" sign of life. If you know that it is dead and cannot wait: {removal(region, workshop)}",
        code="Busy",
    )


@dataclass
class _Run:
    """One run's hold on the parameter."""

    parameter: ClaimLog
    holder: Holder
    notice: Callable[[str], None]
    claim: Claim
    text: str = ""
    """What this run wrote last and knows to count."""

    async def take(self) -> None:
        """Hold it, by creation or by following a claim that lapsed; raises `WorkshopError` when somebody else holds it."""
        told: set[str] = set()
        name = parameter_name(self.parameter.workshop)

        def waiting(reason: str, elapsed: float) -> None:
            if elapsed >= SILENCE and reason not in told:
                told.add(reason)
                self.notice(f"Waiting for {reason} (up to {PATIENCE:.0f} s).")

        entry = await wait_for(
            lambda: self._attempt(told), deadline=PATIENCE, interval=8.0, first=0.5, waiting=waiting,
            reason=f"SSM to let go of the name {name}, which it does about 30 s after a deletion",
            fix="Nobody was seen who holds it. Run the same command again in a minute.",
        )  # fmt: skip
        self.text = entry.text

    async def _attempt(self, told: set[str]) -> Entry | None:
        parameter = self.parameter
        self._extend()
        try:
            return await parameter.create(self.holder)
        except AwsError as error:
            if error.code not in NOT_YET:
                raise
        with contextlib.suppress(UnclearError):
            for _ in range(2):  # who was quicker shows at the second look
                top = await parameter.read()
                if top is None:
                    return None
                found = await parameter.standing(top)
                if found is not None:
                    holder = found.holder
                    if holder.token == self.holder.token:
                        return found  # its answer was lost (docs/aws-behaviours.md, section 10.2)
                    if not holder.lapsed(parameter.clock.now()):
                        raise busy(parameter.workshop, holder, parameter.region)
                    if holder.token not in told:
                        told.add(holder.token)
                        who = f"{holder.user}@{holder.host} (process {holder.pid})"
                        self.notice(f"Taking over from {who}, whose {holder.command} ended without a word.")
                entry = await parameter.follow(top, self.holder)
                if entry is not None:
                    return entry
        return None

    async def keep(self) -> None:
        """Renew it in time; end when somebody else holds it. After a sleep that is found out before anything else."""
        clock, complained = self.parameter.clock, False
        due, last = monotonic() + RENEWAL, clock.now()
        while True:
            await asyncio.sleep(TICK)
            now, before = clock.now(), last
            last = now
            jumped = abs((now - before).total_seconds() - TICK) > JUMP
            late = now > datetime.fromisoformat(self.holder.until) - timedelta(seconds=LIFE - RENEWAL)
            if not (jumped or late or monotonic() >= due):
                continue
            due = 0.0  # each tick tries until it succeeded
            try:
                lost = await self._renew()
            except WorkshopError as error:
                # Whoever wants to take it over needs the same service, so the work goes on.
                if not complained:
                    self.notice(f"The claim on {self.parameter.workshop} could not be renewed: {error.what}")
                complained = True
                continue
            if lost is not None:
                self.claim.lose(lost)
                self.notice(f"! {lost}")
                return
            complained, due = False, monotonic() + RENEWAL

    async def _renew(self) -> WorkshopError | None:
        """Write a later end; answers why that is not this run's to do any more."""
        for _ in range(2):  # what came in between shows at the second look
            top = await self.parameter.read()
            found = None if top is None else await self._standing(top)
            if top is None or found is None or found.holder.token != self.holder.token:
                return _taken_over(self.parameter.workshop, found.holder if found else None)
            self._extend()
            entry = await self.parameter.follow(top, self.holder)
            if entry is not None:
                self.text = entry.text
                return None
        raise UnclearError(self.parameter.workshop)

    async def release(self) -> bool:
        """Remove it if it is this run's; answers whether nothing of this run is left."""
        parameter = self.parameter
        try:
            top = await parameter.read()
            found = None if top is None else await self._standing(top)
            if top is not None and found is None and top.holder.token == self.holder.token:
                # A renewal that was overtaken by a removal made it anew. Only who holds it may remove it.
                found = await parameter.follow(top, self.holder)
            if found is not None and found.holder.token == self.holder.token:
                await parameter.delete()
        except WorkshopError as error:
            self.notice(
                f"The claim on {parameter.workshop} could not be removed ({error.code}). It lapses in ten minutes, and stays:"
                f" {removal(parameter.region, parameter.workshop)}"
            )
            return False
        return True

    async def _standing(self, top: Entry) -> Entry | None:
        return top if top.text == self.text else await self.parameter.standing(top)

    def _extend(self) -> None:
        self.holder = replace(self.holder, until=_later(self.parameter.clock))


def _taken_over(workshop: str, holder: Holder | None) -> WorkshopError:
    who = f"{holder.user}@{holder.host}" if holder else "Somebody"
    since = f" with workshop {holder.command}" if holder else " and has ended since"
    return WorkshopError(
        f"{who} took {workshop} over{since}, so this run stops.",
        "This machine did not renew its claim for ten minutes, as when it slept.",
        "See what stands: workshop status. Run the same command again when the other one has ended.",
        code="TakenOver",
    )


def _holder(command: str, clock: Clock) -> Holder:
    now = clock.now().isoformat(timespec="seconds")
    host = socket.gethostname()
    return Holder(secrets.token_hex(8), this_machine(), host, _user(), os.getpid(), command, now, _later(clock))


def _later(clock: Clock) -> str:
    return (clock.now() + timedelta(seconds=LIFE)).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.geteuid())
