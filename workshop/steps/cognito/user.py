"""`cognito.user`: a user who can sign in, on the local cloud alone.

In: a user pool and a name. Out: the user, with a password that is the same for everyone and in the documentation. That is why AWS
is refused: there, people make users themselves, or sign in with a provider of theirs. A user has no tags; it is ours by a text in
its attribute `profile`, which it is made with, so that one whose creation was interrupted is found again.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workshop.aws.errors import AwsError
from workshop.aws.resources.user_pools import PoolUser, create_user, delete_user, find_user, set_password
from workshop.errors import UsageError
from workshop.shell import aws_line
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.cognito.service import COGNITO, USER
from workshop.steps.ownership import LEFT_ALONE, foreign_error, observed_foreign

__all__ = ["PASSWORD", "STEP", "CognitoUser", "UserParams"]

PASSWORD = "Local-cloud-1"  # noqa: S105 - no secret: it is the documented one of the local cloud
"""Has what every policy of a pool may ask for: small and capital letters, a digit, a symbol, twelve characters."""
MARK = "profile"
"""The attribute that shows whose a user is: one that every pool has."""
READY_STATUS = "CONFIRMED"


class UserParams(Params):
    """`pool` is the id of the user pool, or its ARN; empty while there is none."""

    pool: str = Field(max_length=200)
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$")]
    email: Annotated[str, Field(pattern=r"^([^@\s]{1,64}@[^@\s]{1,190})?$")] = ""

    @property
    def pool_id(self) -> str:
        """The id of the pool."""
        return self.pool.rpartition("/")[2]


class CognitoUser(Step[UserParams]):
    """One user of a pool."""

    kind = "cognito.user"
    summary = "a user who can sign in, on the local cloud"
    Params = UserParams
    estimate = Estimate(minutes=0.1)
    deleted_with_parent = True
    makes_users = True
    placements = frozenset({Placement.HOME, Placement.NAMED})
    services = (COGNITO,)
    resource_types = (USER,)

    def check_files(self, ctx: Context[UserParams]) -> None:
        _require_local(ctx)

    async def observe(self, ctx: Context[UserParams]) -> Observed:
        user = await _user(ctx)
        if user is None:
            return Observed(State.ABSENT)
        if not _is_ours(ctx, user):
            return observed_foreign(ctx, [_resource(ctx, ours=False)])
        outputs = _outputs(ctx)
        if user.status != READY_STATUS:
            return Observed(State.PARTIAL, f"has no password yet: {user.status}", outputs)
        return Observed(State.READY, outputs=outputs)

    async def create(self, ctx: Context[UserParams]) -> Outputs:
        _require_local(ctx)
        pool, name = ctx.params.pool_id, ctx.params.name
        try:
            await create_user(ctx.aws, ctx.region, pool, name, _attributes(ctx))
        except AwsError as error:
            if error.code != "UsernameExistsException":
                raise
            # The response to an earlier attempt was lost, or another hand was quicker: its attribute decides.
            user = await _user(ctx)
            if user is not None and not _is_ours(ctx, user):
                raise foreign_error(observed_foreign(ctx, [_resource(ctx, ours=False)])) from error
        await set_password(ctx.aws, ctx.region, pool, name, PASSWORD)
        return _outputs(ctx)

    async def destroy(self, ctx: Context[UserParams]) -> None:
        user = await _user(ctx)
        if user is not None and _is_ours(ctx, user):
            await delete_user(ctx.aws, ctx.region, ctx.params.pool_id, ctx.params.name)

    async def leftovers(self, ctx: Context[UserParams]) -> list[Resource]:
        user = await _user(ctx)
        return [] if user is None else [_resource(ctx, ours=_is_ours(ctx, user))]

    def commands(self, ctx: Context[UserParams]) -> list[str]:
        pool, name = ctx.params.pool_id, ctx.params.name
        attributes = [f"Name={key},Value={value}" for key, value in _attributes(ctx).items()]
        where = {"region": ctx.region, "user_pool_id": pool, "username": name}
        return [
            aws_line("cognito-idp admin-create-user", **where, message_action="SUPPRESS", user_attributes=attributes),
            aws_line("cognito-idp admin-set-user-password", **where, password=PASSWORD, permanent=True),
        ]

    def permissions(self, ctx: Context[UserParams]) -> list[Permission]:
        if ctx.target.name != "local":
            return []
        arn = f"arn:aws:cognito-idp:{ctx.region}:{ctx.account}:userpool/{ctx.params.pool_id or '*'}"
        actions = {
            Phase.SETUP: ("AdminGetUser", "AdminCreateUser", "AdminSetUserPassword"),
            Phase.TEARDOWN: ("AdminGetUser", "AdminDeleteUser"),
            Phase.CHECK: ("AdminGetUser",),
        }
        return [Permission(f"cognito-idp:{name}", arn, ctx.region, phase) for phase, names in actions.items() for name in names]


STEP = CognitoUser()


def _require_local(ctx: Context[UserParams]) -> None:
    if ctx.target.name != "local":
        raise UsageError(
            what=f"The step {ctx.step} makes a user whose password is known to everyone.",
            why="That is for the local cloud alone; on AWS people make their users themselves, or sign in with a provider.",
            fix="Let the definition switch it off there: when: '{{ target == \"local\" }}'",
            code="LocalOnly",
        )


async def _user(ctx: Context[UserParams]) -> PoolUser | None:
    """The user, where there is a pool; on AWS none is looked for, because none is made."""
    if not ctx.params.pool_id or ctx.target.name != "local":
        return None
    return await find_user(ctx.aws, ctx.region, ctx.params.pool_id, ctx.params.name)


def _mark(ctx: Context[UserParams]) -> str:
    return f"workshop:{ctx.workshop}:{ctx.step}"


def _is_ours(ctx: Context[UserParams], user: PoolUser) -> bool:
    return user.attributes.get(MARK) == _mark(ctx)


def _attributes(ctx: Context[UserParams]) -> dict[str, str]:
    email = {"email": ctx.params.email, "email_verified": "true"} if ctx.params.email else {}
    return {**email, MARK: _mark(ctx)}


def _outputs(ctx: Context[UserParams]) -> Outputs:
    return {"Name": ctx.params.name, "Password": PASSWORD}


def _resource(ctx: Context[UserParams], *, ours: bool) -> Resource:
    where = {"region": ctx.region, "user_pool_id": ctx.params.pool_id, "username": ctx.params.name}
    return Resource(
        USER.name,
        ctx.params.name,
        ctx.region,
        why="" if ours else LEFT_ALONE,
        fix=aws_line("cognito-idp admin-delete-user", **where),
        show=aws_line("cognito-idp admin-get-user", **where),
        ours=ours,
    )
