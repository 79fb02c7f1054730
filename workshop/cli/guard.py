"""Keeps two changes of one workshop apart: on this machine by a file lock, between machines by a claim in the account.

The claim stands in the home region. Two runs can have different ideas of home, so each looks at the other regions before it
claims and once more afterwards: both have written before their second look, so at least one of them sees the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from workshop.shell import aws_line

if TYPE_CHECKING:
    from workshop.aws.claim import Claim
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.steps.base import Resource

__all__ = ["claim_left", "claims_elsewhere", "guard"]


@contextlib.asynccontextmanager
async def guard(opened: Opened, command: str, shown: Progress) -> AsyncIterator[Claim]:
    """Hold both while the block runs; raises `WorkshopError` saying who is at work. The claim tells when it is lost."""
    from workshop.aws.claim import claimed
    from workshop.engine import lock

    workspace = opened.workspace
    with lock.hold(opened.folder / "locks", opened.scope, command):
        door = workspace.doors[opened.account]
        await _nobody_elsewhere(opened)
        async with claimed(door, workspace.home, workspace.name, command, clock=workspace.clock, notice=shown.notice) as claim:
            await _nobody_elsewhere(opened)
            yield claim


async def claim_left(opened: Opened, claim: Claim) -> list[Resource]:
    """Give the claim up, and answer it when it could not be removed. For the end of the work, before the verdict."""
    from workshop.aws.claim import parameter_name, removal
    from workshop.steps.base import Resource

    if await claim.release():
        return []
    name, region = parameter_name(opened.workspace.name), opened.workspace.home
    return [Resource(
        "parameter", name, region,
        why="this run's claim on the workshop could not be removed; it keeps nobody out for longer than ten minutes",
        fix=removal(region, opened.workspace.name),
        show=aws_line("ssm get-parameter", region=region, name=name),
    )]  # fmt: skip


async def _nobody_elsewhere(opened: Opened) -> None:
    """Raises `WorkshopError` naming who is at work in a region that is home to them; what cannot be asked is passed over."""
    from workshop.aws.claim import busy, holder_of
    from workshop.errors import WorkshopError

    workspace, door = opened.workspace, opened.workspace.doors[opened.account]

    async def look(region: str) -> WorkshopError | None:
        try:
            holder = await holder_of(door, region, workspace.name, clock=workspace.clock)
        except WorkshopError as error:
            return error if error.code == "Busy" else None
        if holder is None or holder.lapsed(workspace.clock.now()):
            return None
        return busy(workspace.name, holder, region)

    others = [region for region in workspace.settings.regions if region != workspace.home]
    for found in await asyncio.gather(*(look(region) for region in others)):
        if found is not None:
            raise found


async def claims_elsewhere(opened: Opened, regions: Sequence[str], shown: Progress) -> list[Resource]:
    """The claims that others hold in other regions than home; those of runs that ended without a word are removed.

    A setup that was ended before it made anything leaves nothing but its claim, in the region that was its home.
    """
    from workshop.aws.claim import clear_lapsed, parameter_name
    from workshop.errors import WorkshopError
    from workshop.steps.base import Resource

    workspace, found = opened.workspace, []
    name = parameter_name(workspace.name)
    for region in (region for region in regions if region != workspace.home):
        try:
            holder = await clear_lapsed(workspace.doors[opened.account], region, workspace.name, clock=workspace.clock)
        except WorkshopError as error:
            shown.notice(f"{region} was not searched for claims: {error.code}.")
            continue
        if holder is not None:
            found.append(Resource(
                "parameter", name, region, ours=False,
                why=f"{holder.user}@{holder.host} is running workshop {holder.command} there, or did until {holder.until}",
                fix=f"workshop teardown --region {region}, when that has ended",
                show=aws_line("ssm get-parameter", region=region, name=name),
            ))  # fmt: skip
    return found
