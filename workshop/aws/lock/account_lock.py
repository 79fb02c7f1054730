"""The lock on a workshop that a run holds while it works: taken, renewed, given up; the protocol is in `workshop.aws.lock`.

In: a client, the home region, a workshop, the command that runs. Out: a context in which no other run holds the lock, and a
report (`listen`) when another one took it over, as after a sleep of this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.lock.claim_log import ClaimLog, ClaimWrite, ContestedError, parameter_name, removal
from workshop.aws.lock.claim_record import LIFE, ClaimRecord, new_record, renewed
from workshop.aws.lock.claims import busy
from workshop.errors import WorkshopError
from workshop.waiting import Clock, monotonic, wait_for

__all__ = ["AccountLock"]

RENEWAL = 120.0
"""Seconds between two renewals."""
TICK = 5.0
"""Seconds between two looks at the wall clock, which alone shows that the machine slept: the monotonic one does not move then."""
JUMP = 30.0
"""Seconds by which the wall clock may differ from a tick before the claim is read again."""
PATIENCE = 45.0
"""Seconds for which a name that was deleted moments ago is waited for (docs/aws-behaviours.md, section 13)."""
SILENCE = 3.0
"""Seconds of waiting before the reason is reported."""
NOT_YET = ("ParameterAlreadyExists", "TooManyUpdates")
"""What a creation meets: a claim, or the name of one that was deleted moments ago (docs/aws-behaviours.md, section 13)."""


class AccountLock:
    """The lock of one run, held while the block of `async with` runs. `command` is shown to the users of other runs.

    Entering raises `WorkshopError` naming the run that holds it. Without the permission for it the block runs unprotected,
    after a notice.
    """

    def __init__(
        self, aws: AwsClient, region: str, workshop: str, command: str, *, clock: Clock, notice: Callable[[str], None]
    ) -> None:
        self._log, self._clock, self._notice = ClaimLog(aws, region, workshop, clock), clock, notice
        self._record, self._text = new_record(command, clock), ""
        self._held = self._left = False
        self._renewing: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[WorkshopError], None]] = []
        self._noticed: set[str] = set()
        self.lost: WorkshopError | None = None
        """Which run took the lock over."""

    async def __aenter__(self) -> AccountLock:
        try:
            self._text = (await self._take()).text
        except asyncio.CancelledError:
            await self._remove()  # what was in flight has ended, and may have made it
            raise
        except AwsError as error:
            if not error.denied:
                raise
            reason = f"{error.message or error.code} (permission ssm:{error.operation})"
            self._notice(f"Not guarded against another machine: {reason}.")
            return self
        self._held = True
        self._renewing = asyncio.create_task(self._keep_renewed())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.release()

    def listen(self, listener: Callable[[WorkshopError], None]) -> None:
        """Call `listener` when another run takes the lock over, or at once when one did."""
        self._listeners.append(listener)
        if self.lost is not None:
            listener(self.lost)

    async def release(self) -> bool:
        """Give the lock up; whether nothing of it is left in the account. The end of the block does it in any case."""
        if self._held:
            if self._renewing is not None:
                self._renewing.cancel()
                await asyncio.gather(self._renewing, return_exceptions=True)
            self._left = not await self._remove()
            self._held = False
        return not self._left

    async def _take(self) -> ClaimWrite:
        """Create the claim, or take over one that lapsed; raises `WorkshopError` when another run holds it."""
        name = parameter_name(self._log.workshop)

        def waiting(reason: str, elapsed: float) -> None:
            if elapsed >= SILENCE:
                self._notice_once(reason, f"Waiting for {reason} (up to {PATIENCE:.0f} s).")

        return await wait_for(
            self._try_to_take,
            deadline=PATIENCE,
            interval=8.0,
            first=0.5,
            waiting=waiting,
            reason=f"SSM to let go of the name {name}, which it does about 30 s after a deletion",
            fix="No run was seen that holds it. Run the same command again in a minute.",
        )

    async def _try_to_take(self) -> ClaimWrite | None:
        self._record = renewed(self._record, self._clock)
        try:
            return await self._log.create(self._record)
        except AwsError as error:
            if error.code not in NOT_YET:
                raise
        with contextlib.suppress(ContestedError):
            for _ in range(2):  # a run that was quicker is seen at the second look
                top = await self._log.read()
                if top is None:
                    return None
                found = await self._log.last_counting(top)
                if found is not None:
                    if self._is_own(found):
                        return found  # its response was lost (docs/aws-behaviours.md, section 10.2)
                    self._require_lapsed(found.record)
                written = await self._log.overwrite(top, self._record)
                if written is not None:
                    return written
        return None

    def _require_lapsed(self, claim: ClaimRecord) -> None:
        if not claim.lapsed(self._clock.now()):
            raise busy(self._log.workshop, claim, self._log.region)
        who = f"{claim.user}@{claim.host} (process {claim.pid})"
        self._notice_once(claim.token, f"Taking over from {who}, whose {claim.command} was interrupted.")

    async def _keep_renewed(self) -> None:
        """Renew the claim until another run holds it. After a sleep of the machine that is found out before anything else."""
        clock, failing = self._clock, False
        due, last = monotonic() + RENEWAL, clock.now()
        while self.lost is None:
            await asyncio.sleep(TICK)
            now, before = clock.now(), last
            last = now
            jumped = abs((now - before).total_seconds() - TICK) > JUMP
            late = now > datetime.fromisoformat(self._record.until) - timedelta(seconds=LIFE - RENEWAL)
            if not (jumped or late or monotonic() >= due):
                continue
            due = 0.0  # each tick tries until one succeeds
            try:
                await self._renew()
            except WorkshopError as error:
                # Other runs need the same service to take the lock over, so the work goes on.
                if not failing:
                    self._notice(f"The claim on {self._log.workshop} could not be renewed: {error.what}")
                failing = True
            else:
                failing, due = False, monotonic() + RENEWAL

    async def _renew(self) -> None:
        """Write a later end, or lose the lock to the run that holds it by now."""
        for _ in range(2):  # a write that came in between is seen at the second look
            top = await self._log.read()
            found = None if top is None else await self._last_counting(top)
            if top is None or found is None or not self._is_own(found):
                return self._lose(_taken_over(self._log.workshop, found.record if found else None))
            self._record = renewed(self._record, self._clock)
            written = await self._log.overwrite(top, self._record)
            if written is not None:
                self._text = written.text
                return None
        raise ContestedError(self._log.workshop)

    def _lose(self, error: WorkshopError) -> None:
        self.lost = error
        for listener in self._listeners:
            listener(error)
        self._notice(f"! {error}")

    async def _remove(self) -> bool:
        """Delete the claim if it is this run's; whether nothing of this run is left."""
        log = self._log
        try:
            top = await log.read()
            found = None if top is None else await self._last_counting(top)
            if top is not None and found is None and self._is_own(top):
                # A renewal that was overtaken by a deletion created it anew. Only the holder may delete it.
                found = await log.overwrite(top, self._record)
            if found is not None and self._is_own(found):
                await log.delete()
        except WorkshopError as error:
            self._notice(
                f"The claim on {log.workshop} could not be removed ({error.code}). It lapses in ten minutes, and stays:"
                f" {removal(log.region, log.workshop)}"
            )
            return False
        return True

    async def _last_counting(self, top: ClaimWrite) -> ClaimWrite | None:
        return top if top.text == self._text else await self._log.last_counting(top)

    def _is_own(self, write: ClaimWrite) -> bool:
        return write.record.token == self._record.token

    def _notice_once(self, key: str, text: str) -> None:
        if key not in self._noticed:
            self._noticed.add(key)
            self._notice(text)


def _taken_over(workshop: str, claim: ClaimRecord | None) -> WorkshopError:
    who = f"{claim.user}@{claim.host}" if claim else "Another run"
    since = f" with workshop {claim.command}" if claim else " and has ended since"
    return WorkshopError(
        what=f"{who} took {workshop} over{since}, so this run stops.",
        why="This machine did not renew its claim for ten minutes, as when it slept.",
        fix="See what is deployed: workshop status. Run the same command again when the other one has ended.",
        code="TakenOver",
    )
