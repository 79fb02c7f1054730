"""Keeps two changes of one workshop apart: on this machine by a file lock, between machines by a claim in the account."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.aws.claim import Claim
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.steps.base import Resource

__all__ = ["claims_elsewhere", "guard"]


@contextlib.asynccontextmanager
async def guard(opened: Opened, command: str, shown: Progress) -> AsyncIterator[Claim]:
    """Hold both while the block runs; raises `WorkshopError` saying who is at work. The claim tells when it is lost."""
    from workshop.aws.claim import claimed
    from workshop.engine import lock

    workspace = opened.workspace
    with lock.hold(opened.folder / "locks", opened.scope, command):
        door = workspace.doors[opened.account]
        async with claimed(door, workspace.home, workspace.name, command, clock=workspace.clock, notice=shown.notice) as claim:
            yield claim


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
                show=f"aws ssm get-parameter --region {region} --name {name}",
            ))  # fmt: skip
    return found
