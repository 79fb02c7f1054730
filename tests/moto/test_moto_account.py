"""Who we are and what is left behind, through the real client, as moto's STS, IAM, Lambda, logs and CloudFormation see it."""

from __future__ import annotations

import json

import botocore.session
import pytest
from moto.core import set_initial_no_auth_action_count

from tests.moto.conftest import ACCOUNT
from tests.unit.fakes.botocore_session import Inline
from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.virtual_time import run
from workshop.aws.boto_client import BotoClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.listing import delete_log_group, functions, log_groups, rest_apis, roles
from workshop.aws.resources.stacks import describe_stack, events_since, list_stacks, stack_resources, template_of
from workshop.aws.sessions import aws_account, override
from workshop.errors import UsageError

TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}})
SERVICES = ("dynamodb", "lambda")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


async def test_the_account_is_the_one_that_sts_names(moto):
    aws, identity = await aws_account(None, HOME, executor=Inline())
    assert aws.account == identity.account == ACCOUNT
    assert identity.arn.startswith(f"arn:aws:sts::{ACCOUNT}:")


async def test_an_unknown_profile_is_named_with_those_that_there_are(moto, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[profile event]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(UsageError) as caught:
        await aws_account("evnt", HOME, executor=Inline())
    assert "'evnt'" in caught.value.what and "event" in caught.value.why


def test_an_endpoint_of_the_environment_is_announced(moto, monkeypatch):
    assert override(None, HOME, SERVICES) == ""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert override(None, HOME, SERVICES) == "http://127.0.0.1:4566"


@pytest.mark.parametrize("service", ["DYNAMODB", "STS"])
def test_an_endpoint_for_some_services_alone_is_refused(moto, monkeypatch, service):
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:4566")
    with pytest.raises(UsageError, match=service.lower()):
        override(None, HOME, SERVICES)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert override(None, HOME, SERVICES) == "http://127.0.0.1:4566"


async def make_stack(moto, name: str = "films", region: str = HOME) -> str:
    tags = [{"Key": "workshop", "Value": "films"}]
    answer = await moto.ask("cloudformation", "create_stack", region, StackName=name, TemplateBody=TEMPLATE, Tags=tags)
    return answer["StackId"]


async def test_a_stack_is_described_by_name_and_by_id(moto):
    identity = await make_stack(moto)
    for name in ("films", identity):
        stack = await describe_stack(moto.aws, HOME, name)
        assert (stack.id, stack.name, stack.status) == (identity, "films", "CREATE_COMPLETE")
    assert stack.tags == {"workshop": "films"} and "Arn" in stack.outputs and stack.settled and not stack.protected
    assert await describe_stack(moto.aws, HOME, "missing") is None
    assert await describe_stack(moto.aws, EU, "films") is None


async def test_events_template_and_resources_of_a_stack_are_read(moto):
    identity = await make_stack(moto)
    events = await events_since(moto.aws, HOME, identity, "")
    assert events[-1].status == "CREATE_COMPLETE" and await events_since(moto.aws, HOME, identity, events[-1].id) == []
    assert json.loads(await template_of(moto.aws, HOME, identity)) == json.loads(TEMPLATE)
    assert [kind for kind, _, _ in await stack_resources(moto.aws, HOME, identity)] == ["AWS::SNS::Topic"]


async def test_the_stacks_of_a_region_are_listed_without_the_deleted_ones(moto):
    for name in ("films", "other", "gone"):
        await make_stack(moto, name)
    await moto.ask("cloudformation", "delete_stack", StackName="gone")
    assert {stack.name for stack in await list_stacks(moto.aws, HOME)} == {"films", "other"}
    assert await list_stacks(moto.aws, EU) == []


async def test_roles_are_found_by_prefix_with_their_tags(moto):
    for name in ("films-Role-ABC", "films-Role-DEF", "unrelated"):
        await moto.ask("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=TRUST)
    await moto.ask("iam", "tag_role", RoleName="films-Role-ABC", Tags=[{"Key": "workshop", "Value": "films"}])
    found = {role.name: dict(role.tags) for role in await roles(moto.aws, HOME, "films-Role-")}
    assert found == {"films-Role-ABC": {"workshop": "films"}, "films-Role-DEF": {}}


async def test_log_groups_are_found_by_prefix_and_deleted_twice_without_harm(moto):
    for name in ("/aws/lambda/films", "/aws/lambda/films-dev", "/aws/lambda/other"):
        await moto.ask("logs", "create_log_group", logGroupName=name)
    found = await log_groups(moto.aws, HOME, "/aws/lambda/films")
    assert [group.name for group in found] == ["/aws/lambda/films", "/aws/lambda/films-dev"]
    assert all(group.tags is None and "delete-log-group --region us-west-2" in group.fix for group in found)
    await delete_log_group(moto.aws, HOME, "/aws/lambda/films")
    await delete_log_group(moto.aws, HOME, "/aws/lambda/films")
    assert [group.name for group in await log_groups(moto.aws, HOME, "/aws/lambda/films")] == ["/aws/lambda/films-dev"]


async def test_rest_apis_are_found_with_their_tags(moto):
    await moto.ask("apigateway", "create_rest_api", name="films", tags={"workshop": "films"})
    (api,) = await rest_apis(moto.aws, HOME)
    assert api.name == "films" and dict(api.tags) == {"workshop": "films"} and api.id in api.fix
    assert await rest_apis(moto.aws, EU) == []


async def test_a_function_that_is_not_there_is_no_error(moto):
    assert await functions(moto.aws, HOME, "films-dev") == []


def test_a_user_who_may_do_nothing_is_denied_with_advice(moto):
    async def attendee() -> dict[str, str]:
        await moto.ask("iam", "create_user", UserName="attendee")
        return (await moto.ask("iam", "create_access_key", UserName="attendee"))["AccessKey"]

    async def denied() -> AwsError:
        with pytest.raises(AwsError) as caught:
            await aws.call("cloudformation", EU, "describe_stacks", StackName="films")
        return caught.value

    key = run(attendee())
    session = botocore.session.Session()
    session.set_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    aws = BotoClient(session, ACCOUNT, executor=Inline())
    error = set_initial_no_auth_action_count(0)(run)(denied())
    assert error.denied and "DescribeStacks in eu-west-1" in error.fix and "attendee" in error.message
