"""What other runs hold: the claim on a workshop in a region, read, and removed when it lapsed.

In: a client, a region, a workshop. Out: a `ClaimRecord`, or the error that names the run that holds the lock.
"""

from __future__ import annotations

from workshop.aws.client import AwsClient
from workshop.aws.lock.claim_log import ClaimLog, parameter_name, removal
from workshop.aws.lock.claim_record import ClaimRecord, new_record
from workshop.errors import WorkshopError
from workshop.waiting import Clock

__all__ = ["ACTIONS", "busy", "clear_lapsed", "parameter_name", "read_claim", "removal"]

ACTIONS = ("PutParameter", "GetParameter", "DeleteParameter", "AddTagsToResource")
"""The SSM actions that the lock takes, in the home region."""


async def read_claim(aws: AwsClient, region: str, workshop: str, *, clock: Clock) -> ClaimRecord | None:
    """The claim that counts in a region, lapsed or not; nothing is changed."""
    log = ClaimLog(aws, region, workshop, clock)
    top = await log.read()
    found = None if top is None else await log.last_counting(top)
    return None if found is None else found.record


async def clear_lapsed(aws: AwsClient, region: str, workshop: str, *, clock: Clock) -> ClaimRecord | None:
    """Remove the claim in a region when it lapsed, and return it when it did not."""
    log = ClaimLog(aws, region, workshop, clock)
    top = await log.read()
    if top is None:
        return None
    found = await log.last_counting(top)
    if found is not None and not found.record.lapsed(clock.now()):
        return found.record
    if await log.overwrite(top, new_record("teardown", clock)) is None:  # only the holder may delete
        return await read_claim(aws, region, workshop, clock=clock)
    await log.delete()
    return None


def busy(workshop: str, claim: ClaimRecord, region: str) -> WorkshopError:
    """The error that names the run that holds the lock."""
    return WorkshopError(
        what=f"{workshop} is being changed already.",
        why=f"{claim.user}@{claim.host} is running workshop {claim.command} (process {claim.pid}, since {claim.since},"
        f" claimed in {region} by the SSM parameter {parameter_name(workshop)}).",
        fix="Wait for it to end, then run the same command again. A run that died is taken over ten minutes after its last"
        f" sign of life. If you know that it is dead and cannot wait: {removal(region, workshop)}",
        code="Busy",
    )
