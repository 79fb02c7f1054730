"""`cognito.user`: a user of the local cloud, refused on AWS, and finished by the next run wherever it was killed."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import replace

import pytest
from pydantic import ValidationError

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import Notes, StepSandbox
from tests.unit.fakes.kills import Killed, KillingClient
from workshop.aws.errors import AwsError
from workshop.checks.read_only import ReadOnlyClient
from workshop.errors import UsageError, WorkshopError
from workshop.steps.base import Phase, State
from workshop.steps.cognito.user import PASSWORD, CognitoUser, UserParams

ASIDE = "eu-central-1"
STEP = CognitoUser()


class PoolSandbox(StepSandbox):
    """An account with a user pool in a region of its own, on the local cloud."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = self.aws.cognito.put_pool(ASIDE)
        self.aws.calls.clear()

    def here(self, **more):
        params = UserParams(pool=more.pop("pool", self.pool), name="ana", email="ana@example.com")
        return self.context(params, region=ASIDE, **{"target": self.target("local"), **more})

    @property
    def users(self):
        return self.aws.cognito.users(ASIDE, self.pool)


@pytest.fixture
def sandbox() -> PoolSandbox:
    return PoolSandbox()


async def test_a_user_is_made_whose_password_is_the_documented_one(sandbox):
    ctx = sandbox.here()
    assert (await STEP.observe(ctx)).state is State.ABSENT
    outputs = await STEP.create(ctx)
    assert outputs == {"Name": "ana", "Password": PASSWORD}
    user = sandbox.users["ana"]
    assert (user["UserStatus"], user["_password"]) == ("CONFIRMED", PASSWORD)
    assert {"Name": "email_verified", "Value": "true"} in user["Attributes"]
    observed = await STEP.observe(ctx)
    assert observed.state is State.READY and observed.ours and observed.outputs == outputs
    assert sandbox.aws.made("admin_create_user")[0].parameters["MessageAction"] == "SUPPRESS"


async def test_a_check_may_look_for_it(sandbox):
    await STEP.create(sandbox.here())
    ctx = replace(sandbox.here(), aws=ReadOnlyClient(sandbox.aws))
    assert (await STEP.observe(ctx)).state is State.READY and len(await STEP.leftovers(ctx)) == 1


async def test_a_pool_is_named_by_its_id_or_its_arn(sandbox):
    arn = f"arn:aws:cognito-idp:{ASIDE}:111122223333:userpool/{sandbox.pool}"
    await STEP.create(sandbox.here(pool=arn))
    assert (await STEP.observe(sandbox.here())).state is State.READY


async def test_a_rerun_changes_nothing_and_a_teardown_leaves_nothing(sandbox):
    ctx = sandbox.here()
    await STEP.create(ctx)
    assert [each.ours for each in await STEP.leftovers(ctx)] == [True]
    await STEP.create(ctx)
    assert list(sandbox.users) == ["ana"]
    await STEP.destroy(ctx)
    assert sandbox.users == {} and await STEP.leftovers(ctx) == []
    await STEP.destroy(ctx)


async def test_a_user_of_another_hand_stops_the_step_and_keeps_its_password(sandbox):
    sandbox.aws.cognito.call(ASIDE, "admin_create_user", UserPoolId=sandbox.pool, Username="ana")
    before = sandbox.users["ana"]["_password"]
    ctx = sandbox.here()
    observed = await STEP.observe(ctx)
    assert observed.state is State.FOREIGN and not observed.ours and "admin-delete-user" in observed.fix
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(ctx)
    assert caught.value.code == "Foreign"
    await STEP.destroy(ctx)
    assert sandbox.users["ana"]["_password"] == before and not (await STEP.leftovers(ctx))[0].ours


async def test_a_user_of_another_workshops_step_is_not_ours(sandbox):
    await STEP.create(replace(sandbox.here(), workshop="other"))
    assert (await STEP.observe(sandbox.here())).state is State.FOREIGN


async def test_without_a_pool_there_is_no_user_and_none_is_looked_for(sandbox):
    for pool in ("", "eu-central-1_Gone12345"):
        ctx = sandbox.here(pool=pool)
        assert (await STEP.observe(ctx)).state is State.ABSENT
        assert await STEP.leftovers(ctx) == []
        await STEP.destroy(ctx)
    assert sandbox.aws.changes() == []


async def test_on_aws_it_is_refused_before_anything_is_changed_and_nothing_is_looked_for(sandbox):
    ctx = sandbox.here(target=sandbox.target("aws"))
    with pytest.raises(UsageError, match="known to everyone") as caught:
        STEP.check_files(ctx)
    assert caught.value.code == "LocalOnly" and "target ==" in caught.value.fix
    with pytest.raises(UsageError):
        await STEP.create(ctx)
    assert (await STEP.observe(ctx)).state is State.ABSENT and await STEP.leftovers(ctx) == []
    await STEP.destroy(ctx)
    assert sandbox.aws.calls == [] and STEP.permissions(ctx) == []
    STEP.check_files(sandbox.here())


async def test_a_refusal_is_raised_and_no_password_is_set(sandbox):
    sandbox.aws.refuse("admin_create_user", ASIDE, refusal("InvalidParameterException", "no"))
    with pytest.raises(AwsError):
        await STEP.create(sandbox.here())
    assert sandbox.aws.made("admin_set_user_password") == []


async def test_a_lost_response_is_not_taken_for_a_user_of_another_hand(sandbox):
    sandbox.aws.lose_answer("admin_create_user")
    await STEP.create(sandbox.here())
    assert (await STEP.observe(sandbox.here())).state is State.READY


# Killed anywhere.


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
async def test_a_creation_killed_at_any_call_is_finished_by_a_machine_that_knows_nothing(sandbox, number, after):
    with pytest.raises(Killed):
        await STEP.create(replace(sandbox.here(), aws=KillingClient(sandbox.aws, number, after)))
    sandbox.notes = Notes(sandbox.clock)
    ctx = sandbox.here(run="run-3")
    observed = await STEP.observe(ctx)
    assert observed.ours and observed.state is not State.FOREIGN
    if (number, after) == (2, False):
        assert observed.state is State.PARTIAL and "has no password yet" in observed.detail
    await STEP.create(ctx)
    assert (await STEP.observe(ctx)).state is State.READY and sandbox.users["ana"]["_password"] == PASSWORD


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
async def test_a_removal_killed_at_any_call_is_finished_by_the_next_run(sandbox, number, after):
    await STEP.create(sandbox.here())
    with contextlib.suppress(Killed):
        await STEP.destroy(replace(sandbox.here(), aws=KillingClient(sandbox.aws, number, after)))
    await STEP.destroy(sandbox.here(run="run-3"))
    assert sandbox.users == {}


async def test_every_call_of_a_creation_and_a_removal_is_among_the_places_that_are_tried(sandbox):
    await STEP.create(sandbox.here())
    assert len(sandbox.aws.calls) == 2
    await STEP.destroy(sandbox.here())
    assert [call.operation for call in sandbox.aws.calls[2:]] == ["admin_get_user", "admin_delete_user"]


def test_its_lines_make_the_same_user(sandbox):
    create, password = (shlex.split(line) for line in STEP.commands(sandbox.here()))
    assert "Name=profile,Value=workshop:films:step" in create and "SUPPRESS" in create
    assert password[password.index("--password") + 1] == PASSWORD and "--permanent" in password


def test_its_permissions_are_of_its_pool(sandbox):
    needed = STEP.permissions(sandbox.here())
    assert {p.resource for p in needed} == {f"arn:aws:cognito-idp:{ASIDE}:111122223333:userpool/{sandbox.pool}"}
    assert {p.action for p in needed if p.phase is Phase.TEARDOWN} == {"cognito-idp:AdminGetUser", "cognito-idp:AdminDeleteUser"}


@pytest.mark.parametrize("wrong", [{"name": "-x"}, {"name": "a b"}, {"name": "ana", "email": "x"}, {"name": "ana", "age": 3}])
def test_what_cognito_would_refuse_is_refused_beforehand(wrong):
    with pytest.raises(ValidationError):
        UserParams(pool="p", **wrong)
