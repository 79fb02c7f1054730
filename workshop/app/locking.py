"""Keeps two changes of one workshop apart: on this machine by a file lock, between machines by a claim in the account.

The claim is kept in the home region. Two runs can have different ideas of home, so each looks at the other regions before it
claims and once more afterwards: both have written before their second look, so at least one of them sees the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from workshop.app.connections import Notice
from workshop.app.session import Session
from workshop.aws.lock.account_lock import AccountLock
from workshop.aws.lock.claims import busy, clear_lapsed, parameter_name, read_claim, removal
from workshop.engine import lock
from workshop.errors import WorkshopError
from workshop.shell import aws_line
from workshop.steps.base import Resource

__all__ = ["claim_left", "claims_elsewhere", "locked", "locked_here"]


def locked_here(session: Session, command: str) -> contextlib.AbstractContextManager[None]:
    """Hold the file lock alone, for what changes nothing that another machine could be changing."""
    return lock.hold(session.folder / "locks", session.scope, command)


@contextlib.asynccontextmanager
async def locked(session: Session, command: str, notice: Notice) -> AsyncIterator[AccountLock]:
    """Hold both while the block runs; raises `WorkshopError` naming the other run. It reports when the account's is lost."""
    workspace = session.workspace
    with locked_here(session, command):
        aws = workspace.clients[session.account]
        await _require_none_elsewhere(session)
        async with AccountLock(aws, workspace.home, workspace.name, command, clock=workspace.clock, notice=notice) as held:
            await _require_none_elsewhere(session)
            yield held


async def claim_left(session: Session, held: AccountLock) -> list[Resource]:
    """Give the lock up, and return its claim when that could not be removed. For the end of the work, before the verdict."""
    if await held.release():
        return []
    name, region = parameter_name(session.workspace.name), session.workspace.home
    return [
        Resource(
            "parameter",
            name,
            region,
            why="this run's claim on the workshop could not be removed; it locks out other runs for at most ten minutes",
            fix=removal(region, session.workspace.name),
            show=aws_line("ssm get-parameter", region=region, name=name),
        )
    ]


async def claims_elsewhere(session: Session, regions: Sequence[str], notice: Notice) -> list[Resource]:
    """The claims that other runs hold in other regions than home; those of runs that were killed are removed.

    A setup that was killed before it made anything leaves nothing but its claim, in the region that was its home.
    """
    workspace, found = session.workspace, []
    name = parameter_name(workspace.name)
    for region in (region for region in regions if region != workspace.home):
        try:
            holder = await clear_lapsed(workspace.clients[session.account], region, workspace.name, clock=workspace.clock)
        except WorkshopError as error:
            notice(f"{region} was not searched for claims: {error.code}.")
            continue
        if holder is not None:
            there = replace(session.invocation.recorded(), regions=(region,))
            again = there.command_line("teardown", workspace.target.name)
            found.append(
                Resource(
                    "parameter",
                    name,
                    region,
                    ours=False,
                    why=f"{holder.user}@{holder.host} is running workshop {holder.command} there, or did until {holder.until}",
                    fix=f"{again}, when that has ended",
                    show=aws_line("ssm get-parameter", region=region, name=name),
                )
            )
    return found


async def _require_none_elsewhere(session: Session) -> None:
    """Raises `WorkshopError` naming a run that has another region for its home; regions that cannot be asked are passed over."""
    workspace, aws = session.workspace, session.workspace.clients[session.account]

    async def look(region: str) -> WorkshopError | None:
        try:
            holder = await read_claim(aws, region, workspace.name, clock=workspace.clock)
        except WorkshopError as error:
            return error if error.code == "Busy" else None
        if holder is None or holder.lapsed(workspace.clock.now()):
            return None
        return busy(workspace.name, holder, region)

    others = [region for region in workspace.settings.regions if region != workspace.home]
    for found in await asyncio.gather(*(look(region) for region in others)):
        if found is not None:
            raise found
