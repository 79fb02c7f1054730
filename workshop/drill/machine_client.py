"""The app client by which a load gets tokens: made in the user pool when a drill begins, removed at its end, whatever happens.

In: the user pool, the scopes of the load. Out: tokens while the block runs. The undo log has the client's name before it is made,
so that the next command removes what a killed drill left; a teardown finds it in the pool without the journal. Its secret
is in memory alone. What such a client costs on AWS: docs/aws-behaviours.md, section 7.1.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from pydantic import BaseModel

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.pool_clients import (
    MachineCredentials,
    PoolClient,
    delete_client,
    is_machine_client,
    make_machine_client,
    pool_clients,
)
from workshop.drill.api_client import ApiClient
from workshop.drill.base import FaultContext, Undoable
from workshop.drill.registry import MACHINE_CLIENT
from workshop.drill.shielding import shielded
from workshop.drill.tokens import MachineTokens, TokenEndpoint
from workshop.drill.undo_log import UndoLog
from workshop.engine.undos import BY_DRILL, Undo
from workshop.errors import WorkshopError
from workshop.shell import aws_line
from workshop.waiting import monotonic, wait_for

__all__ = ["PRICE", "UNDO", "MachineAccess", "MachineClient", "MachineClientSnapshot", "clients_of_drills", "machine_tokens"]

PREFIX = "workshop-drill-"
"""What the names of our clients begin with."""
RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}(-\d{12})?")
"""The id of a run, with which they end; with the account where there are several."""
PRICE = "$6 a month for the client, by the second, and $0.00225 for each token"
"""What AWS charges (docs/aws-behaviours.md, section 7.1)."""
KNOWN_SECONDS = 60.0
"""Until the token endpoint has to know a client that was just made."""
IN_FLIGHT_SECONDS = 3.0
"""For how long a request may still make a client whose process was killed, or that got no response."""
REMOVE_SECONDS = 60.0
"""Until the removal is given up."""
GONE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class MachineAccess:
    """How a load gets tokens: the region and the id of the user pool, its token endpoint, the scopes of the load."""

    region: str
    pool: str
    endpoint: TokenEndpoint
    scopes: tuple[str, ...]


class MachineClientSnapshot(BaseModel):
    """Where the client is, and what it is called. Neither its id nor its secret is known before it is made."""

    region: str
    pool: str
    name: str


class MachineClient(Undoable):
    """Removes the client of one run."""

    name = MACHINE_CLIENT

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:  # noqa: ARG002 - the snapshot has the pool's
        known = MachineClientSnapshot.model_validate_json(snapshot)
        removed: set[str] = set()
        began = monotonic()

        async def stays_away() -> bool | None:
            nonlocal began
            found = [each for each in await _ours(context.aws, known.region, known.pool) if each.name == known.name]
            for each in found:
                await delete_client(context.aws, known.region, known.pool, each.id)
                removed.add(each.id)
            if found:
                began = monotonic()
            quiet = IN_FLIGHT_SECONDS if context.abandoned or not removed else 0.0
            return None if found or monotonic() - began < quiet else True

        try:
            await wait_for(
                stays_away,
                reason=f"the removal of {known.name}",
                deadline=REMOVE_SECONDS,
                interval=1.0,
                waiting=lambda _reason, _seconds: None,
            )
        except AwsError as error:
            if error.code != GONE:
                raise
            return f"The user pool {known.pool} no longer exists, and neither does the drill's app client."
        count = f"{len(removed)} app client{'' if len(removed) == 1 else 's'} of this drill"
        return f"{count} removed from the user pool {known.pool} in {known.region}, read back."


@asynccontextmanager
async def machine_tokens(
    access: MachineAccess | None, workshop: str, client: ApiClient, context: FaultContext, undo_log: UndoLog
) -> AsyncIterator[MachineTokens | None]:
    """The tokens of a client that exists while the block runs; None where nothing needs one.

    Raises `WorkshopError` when the pool makes no client or its endpoint no token; the client is removed then, too.
    """
    if access is None:
        yield None
        return
    name = f"{PREFIX}{workshop}-{undo_log.run}"
    snapshot = MachineClientSnapshot(region=access.region, pool=access.pool, name=name)
    undo = undo_log.record(MACHINE_CLIENT, access.region, snapshot.model_dump_json(), BY_DRILL)
    try:
        made = await shielded(_made(context, access, name))
        tokens = MachineTokens(client, access.endpoint, made, access.scopes)
        await _until_known(tokens)
        yield tokens
    except BaseException:
        with suppress(WorkshopError):  # it stays in the undo log, of which every command warns; what went wrong first is raised
            await _removed(context, undo_log, undo)
        raise
    await _removed(context, undo_log, undo)


async def clients_of_drills(aws: AwsClient, region: str, pool: str, workshop: str) -> list[PoolClient]:
    """The clients that drills of the workshop left in a pool; raises `AwsError`. No drill of it may be running in the account."""
    prefix = f"{PREFIX}{workshop}-"
    return [each for each in await _ours(aws, region, pool) if RUN.fullmatch(each.name.removeprefix(prefix))]


async def _ours(aws: AwsClient, region: str, pool: str) -> list[PoolClient]:
    """The machine clients with a name of ours: a client of the same name that signs people in is not ours."""
    named = [each for each in await pool_clients(aws, region, pool) if each.name.startswith(PREFIX)]
    return [each for each in named if await is_machine_client(aws, region, pool, each.id)]


async def _made(context: FaultContext, access: MachineAccess, name: str) -> MachineCredentials:
    try:
        return await make_machine_client(context.aws, access.region, access.pool, name, access.scopes)
    except AwsError as error:
        fix = {
            "ScopeDoesNotExistException": "Add these scopes to a resource server of the pool, and see which there are: "
            + aws_line("cognito-idp list-resource-servers", region=access.region, user_pool_id=access.pool, max_results="50"),
            GONE: f"Bring the workshop to ready: {context.commands.setup}",
        }.get(error.code, error.fix)
        raise WorkshopError(
            what=f"The drill could not make its app client in the user pool {access.pool} in {access.region}.",
            why=f"{error.what} {error.why} The client needs the scopes {_listed(access.scopes)}.",
            fix=fix,
            code=error.code,
        ) from error


async def _until_known(tokens: MachineTokens) -> None:
    """Until the token endpoint takes the client: whether it knows a new one at once is not documented (section 7.1)."""
    last: WorkshopError | None = None

    async def first() -> bool | None:
        nonlocal last
        try:
            await tokens.token()
        except WorkshopError as error:
            last = error
            return None
        return True

    try:
        await wait_for(
            first,
            reason="the token endpoint to know the drill's app client",
            deadline=KNOWN_SECONDS,
            interval=3.0,
            waiting=lambda _reason, _seconds: None,
        )
    except WorkshopError as timeout:
        raise (last or timeout) from timeout


async def _removed(context: FaultContext, undo_log: UndoLog, undo: Undo) -> None:
    """Remove the client, unless the drill has done it with everything else."""
    if any(each.id == undo.id for each in undo_log.pending()):
        await shielded(undo_log.undo(context, undo))


def _listed(scopes: Sequence[str]) -> str:
    return ", ".join(scopes)


UNDO = MachineClient()
