"""How the load of a workshop gets its tokens, and the app clients that drills left in a user pool that is not the workshop's.

In: a session. Out: a `MachineAccess` for a drill, resources for a teardown.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from workshop.app.connections import Notice
from workshop.app.session import Session
from workshop.aws.errors import AwsError
from workshop.aws.resources.pool_clients import delete_client
from workshop.aws.target import Target
from workshop.definition.signin import PoolArn, given_pool, pool_arn
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment
from workshop.drill.load_requests import LoadRequests
from workshop.drill.machine_client import PRICE, MachineAccess, clients_of_drills
from workshop.drill.tokens import TokenEndpoint
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError, WorkshopError
from workshop.shell import aws_line
from workshop.steps.base import Resource

__all__ = ["APP_CLIENT", "access_by", "left_clients", "machine_access", "machine_change", "remove_left_clients"]

APP_CLIENT = "app-client"
"""The kind of such a resource."""


def machine_access(session: Session, deployment: Deployment, requests: LoadRequests, commands: Commands) -> MachineAccess | None:
    """Where the load gets its tokens; None for a load without any. Raises as `access_by` does."""
    if not requests.needs_tokens:
        return None
    workspace = session.workspace
    contexts = Contexts(workspace, lambda _: None)
    contexts.remember(workspace.plan())
    signin = contexts.made(session.account)["signin"]
    return access_by(signin, deployment, workspace.target, session.account, commands)


def access_by(
    signin: Mapping[str, str], deployment: Deployment, target: Target, account: str, commands: Commands
) -> MachineAccess:
    """The same from the variable `signin` of templates.

    Raises `UsageError` for a user pool of another account and a load without scopes, `WorkshopError` while there is no pool.
    """
    pool = pool_arn(signin.get("pool", ""))
    if pool is None:
        raise WorkshopError(
            what="The user pool, which gives the load its tokens, is not known.",
            why="The steps that make what `signin:` reads have not run here.",
            fix=f"Bring the workshop to ready: {commands.setup}",
            code="NoPool",
        )
    _require_own(pool, account, commands)
    scopes = tuple(dict.fromkeys(scope for each in deployment.regional for scope in each.scopes)) or tuple(
        scope for scope in signin["scope"].split() if "/" in scope
    )
    if not scopes:
        raise UsageError(
            what="The load has no scope that a client of its own could be given.",
            why="Neither the routes of the API nor `scope` of `signin:` name one of a resource server (tickets/read).",
            fix="Name it in `scope` of the definition's `signin:`; see docs/drills.md.",
            code="DrillRefused",
        )
    return MachineAccess(pool.region, pool.pool, _endpoint(target, signin["token_url"]), scopes)


def machine_change(session: Session, access: MachineAccess | None) -> str:
    """One sentence about the app client that a drill makes, with its price on AWS; empty without one."""
    if access is None:
        return ""
    price = f" ({PRICE}: about a cent)" if session.on_aws else ""
    return (
        f" For its tokens ({', '.join(access.scopes)}) an app client is made in the user pool {access.pool} in {access.region}"
        f" and removed at the end{price}."
    )


async def remove_left_clients(session: Session, notice: Notice) -> None:
    """Remove what drills left in a user pool that outlives the workshop, also where the journal does not know of it.

    A failure is a notice. To be called under the lock of the account: no drill is running then.
    """
    pool = _lasting_pool(session)
    if pool is None:
        return
    aws = session.workspace.clients[session.account]
    try:
        for each in await clients_of_drills(aws, pool.region, pool.pool, session.workspace.name):
            await delete_client(aws, pool.region, pool.pool, each.id)
            notice(f"Removed an app client that a drill left in the user pool {pool.pool}: {each.name}")
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            notice(f"! App clients that drills left in the user pool {pool.pool} were not removed: {error.what} {error.why}")


async def left_clients(session: Session) -> list[Resource]:
    """The app clients of drills that are still in such a pool; none where it cannot be read, of which there was a notice."""
    pool = _lasting_pool(session)
    if pool is None:
        return []
    try:
        aws = session.workspace.clients[session.account]
        found = await clients_of_drills(aws, pool.region, pool.pool, session.workspace.name)
    except AwsError:
        return []
    place = {"region": pool.region, "user_pool_id": pool.pool}
    return [
        Resource(
            APP_CLIENT,
            each.name,
            pool.region,
            why=f"a drill left it in the user pool {pool.pool}",
            fix=aws_line("cognito-idp delete-user-pool-client", **place, client_id=each.id),
            show=aws_line("cognito-idp describe-user-pool-client", **place, client_id=each.id),
            id=each.id,
        )
        for each in found
    ]


def _lasting_pool(session: Session) -> PoolArn | None:
    """The user pool that a teardown leaves, where drills make clients in one: the clients of the workshop's own go with it."""
    workspace, definition = session.workspace, session.workspace.workshop.definition
    load = definition.drill
    if load is None or definition.signin is None or not (load.write.token or load.read.token):
        return None
    pool = given_pool(definition.signin, workspace.plan_variables(session.account))
    return pool if pool is not None and pool.account == session.account else None


def _require_own(pool: PoolArn, account: str, commands: Commands) -> None:
    if pool.account != account:
        raise UsageError(
            what=f"The user pool {pool.pool} belongs to another account ({pool.account}).",
            why=f"The load needs tokens, and account {account} can make no app client for them there.",
            fix="Set the workshop up with a user pool of its own for drills (without pool_arn, client_id and signin_host), or"
            f" fail the region by hand, which needs no token: {commands.line('drill fail')}",
            code="DrillRefused",
        )


def _endpoint(target: Target, url: str) -> TokenEndpoint:
    """The token endpoint; on the local cloud by its own address, since only browsers resolve names below `.localhost`."""
    parts = urlsplit(url)
    if target.gateway and (parts.hostname or "").endswith("localhost"):
        return TokenEndpoint(f"http://{target.gateway}{parts.path}", parts.netloc)
    return TokenEndpoint(url)
