"""Sign-in in a stack: what it takes in IAM, and the user pools that are named when one stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME, OURS, StepSandbox
from tests.unit.fakes.stack_step import STEP, maker, standing
from workshop.aws.errors import AwsError
from workshop.aws.resources.user_pools import user_pool_count, user_pools
from workshop.steps.base import Phase
from workshop.steps.cloudformation.permissions import stack_permissions
from workshop.steps.cloudformation.template import Declared

IDENTITY = """\
Resources:
  Pool: {Type: AWS::Cognito::UserPool, Properties: {UserPoolName: tickets}}
  Client: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Pool}}
"""
UNNAMED = IDENTITY.replace("{UserPoolName: tickets}", "{}")


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


@pytest.fixture
def make(sandbox, tmp_path: Path):
    """Makes the step's context."""
    return maker(sandbox, tmp_path)


@pytest.mark.parametrize("template", [IDENTITY, UNNAMED])
async def test_a_pool_of_ours_that_is_left_is_named_and_one_of_others_is_not(sandbox, make, template):
    mine = sandbox.aws.cognito.put_pool(HOME, tags=dict(OURS))
    sandbox.aws.cognito.put_pool(HOME, tags={"workshop": "another"})
    sandbox.aws.cognito.put_pool(EU, tags=dict(OURS))
    (left,) = await STEP.leftovers(make(template=template))
    assert (left.kind, left.name, left.id, left.region, left.ours, left.why) == ("user-pool", "tickets", mine, HOME, True, "")
    assert left.fix == f"aws cognito-idp delete-user-pool --region {HOME} --user-pool-id {mine}"
    for pool in await user_pools(sandbox.aws, HOME):
        sandbox.aws.cognito.call(HOME, "delete_user_pool", UserPoolId=pool.id)
    assert await STEP.leftovers(make(template=template)) == []


async def test_a_pool_that_is_protected_is_named_with_why_and_with_the_lines_that_remove_it(sandbox, make):
    pool = sandbox.aws.cognito.put_pool(HOME, tags=dict(OURS), protected=True)
    sandbox.aws.cognito.call(HOME, "create_user_pool_domain", UserPoolId=pool, Domain="tickets-1")
    (left,) = await STEP.leftovers(make(template=IDENTITY))
    assert left.why == "deletion protection is on"
    unprotect, domain, delete = left.fix.split(" && ")
    assert "--deletion-protection INACTIVE" in unprotect and "--domain tickets-1" in domain and "delete-user-pool " in delete


async def test_a_pool_that_a_deleted_stack_kept_is_named_until_it_is_gone(sandbox, make):
    pool = sandbox.aws.cognito.put_pool(HOME)
    stack = standing(sandbox, retains=[("AWS::Cognito::UserPool", pool)])
    ctx = make(known={"StackId": stack.id})
    await STEP.destroy(ctx)
    (left,) = await STEP.leftovers(ctx)
    assert left.id == pool and left.ours and "left it behind" in left.why
    sandbox.aws.cognito.call(HOME, "delete_user_pool", UserPoolId=pool)
    assert await STEP.leftovers(ctx) == []


async def test_a_pool_of_a_former_name_is_found_by_its_tags(sandbox, make):
    pool = sandbox.aws.cognito.put_pool(HOME, "an-older-name", tags=dict(OURS))
    sandbox.aws.cognito.put_pool(HOME, "theirs")
    assert [(each.kind, each.id) for each in await STEP.tagged(make())] == [("user-pool", pool)]
    assert [(each.kind, each.id) for each in await STEP.leftovers(make(template=IDENTITY))] == [("user-pool", pool)]
    assert await STEP.leftovers(make()) == [], "a stack without sign-in looks for none"


async def test_without_permission_to_look_for_pools_by_their_tags_none_is_found_and_nothing_fails(sandbox, make):
    sandbox.aws.refuse("list_user_pools", HOME, refusal("AccessDeniedException"))
    assert await STEP.tagged(make()) == []
    sandbox.aws.refuse("list_user_pools", HOME, refusal("InternalErrorException", status=500))
    with pytest.raises(AwsError):
        await STEP.tagged(make())


async def test_a_denied_look_for_pools_is_an_error_where_a_template_of_the_workshop_declares_one(sandbox, make):
    sandbox.aws.refuse("list_user_pools", HOME, refusal("AccessDeniedException"), refusal("AccessDeniedException"))
    stacks = [{"name": "a-stack", "template": "missing.yaml.j2"}, {"name": "films", "template": "api.yaml.j2"}]
    assert await STEP.tagged(make(others={"cloudformation.stack": stacks})) == []
    with pytest.raises(AwsError) as caught:
        await STEP.tagged(make(template=IDENTITY, others={"cloudformation.stack": stacks}))
    assert caught.value.denied


async def test_a_pool_that_goes_while_it_is_listed_is_none(sandbox, make):
    sandbox.aws.cognito.put_pool(HOME, tags=dict(OURS))
    sandbox.aws.refuse("describe_user_pool", HOME, refusal("ResourceNotFoundException"))
    assert await STEP.tagged(make()) == []


async def test_every_page_of_pools_is_read(sandbox):
    for number in range(61):
        sandbox.aws.cognito.put_pool(HOME, f"pool-{number}")
    assert await user_pool_count(sandbox.aws, HOME) == 61
    assert len(sandbox.aws.made("list_user_pools")) == 2


def test_what_iam_checks_on_no_pool_is_asked_for_everywhere_and_the_rest_on_pools():
    kinds = ("UserPool", "UserPoolClient", "UserPoolResourceServer", "UserPoolDomain", "UserPoolIdentityProvider")
    resources = [Declared(f"R{number}", f"AWS::Cognito::{kind}", "") for number, kind in enumerate(kinds)]
    needed = [p for p in stack_permissions("111122223333", EU, "s", resources) if p.action.startswith("cognito-idp:")]
    anywhere = {p.action.partition(":")[2] for p in needed if p.resource == "*"}
    assert anywhere == {"CreateUserPool", "ListUserPools", "DescribeUserPoolDomain"}
    assert {p.resource for p in needed} - {"*"} == {f"arn:aws:cognito-idp:{EU}:111122223333:userpool/*"}
    assert {p.region for p in needed} == {EU}
    assert not [
        p for p in needed if p.phase in (Phase.CHECK, Phase.DRILL) and "Describe" not in p.action and "List" not in p.action
    ]
