"""`cloudformation.stack` over a CloudFormation in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import HOME, OURS, StepSandbox
from tests.unit.fakes.stack_step import LOGS, RENDERED, STEP, TEMPLATE, asked, maker, standing
from workshop.aws.errors import AwsError
from workshop.aws.resources.stacks import list_stacks
from workshop.errors import DefinitionError, WorkshopError
from workshop.steps.base import State


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


@pytest.fixture
def make(sandbox, tmp_path: Path):
    """Makes the step's context."""
    return maker(sandbox, tmp_path)


async def test_a_stack_is_created_from_its_template_and_waited_for(sandbox, make):
    assert (await STEP.observe(make())).state is State.ABSENT
    outputs = await STEP.create(make())
    stack = sandbox.aws.cloudformation.find(HOME, "films")
    assert stack.status == "CREATE_COMPLETE" and stack.template == RENDERED
    assert stack.tags == {"workshop": "films", "workshop:step": "step", "workshop:run": "run-2"}
    assert outputs == {"ApiId": "apiuswest2", "StackId": stack.id, "StackName": "films"}
    assert 60 <= asyncio.get_running_loop().time() < 75
    observed = await STEP.observe(make())
    assert observed.state is State.READY and observed.ours and observed.outputs == outputs


async def test_a_rerun_asks_for_no_change(sandbox, make):
    standing(sandbox)
    assert (await STEP.observe(make())).state is State.READY
    await STEP.create(make())
    assert asked(sandbox, "create_change_set") == asked(sandbox, "create_stack") == 0


async def test_a_template_in_json_is_compared_by_what_it_says(sandbox, make):
    template = '{"Resources": {\n  "A": {"Type": "AWS::SNS::Topic"}}}'
    await STEP.create(make(template=template))
    assert (await STEP.observe(make(template=template))).state is State.READY
    assert (await STEP.observe(make(template=template.replace("SNS", "SQS")))).state is State.PARTIAL


async def test_another_template_is_another_stack_by_change_set(sandbox, make):
    stack = standing(sandbox)
    ctx = make(template=TEMPLATE.replace("films-dev", "films-prod"))
    observed = await STEP.observe(ctx)
    assert observed.state is State.PARTIAL and "changed" in observed.detail and "ApiId" in observed.outputs
    await STEP.create(ctx)
    assert stack.status == "UPDATE_COMPLETE" and "films-prod" in stack.template
    assert stack.tags == OURS, "the creating run stays"
    assert (await STEP.observe(ctx)).state is State.READY


async def test_other_parameters_are_a_change(sandbox, make):
    standing(sandbox, parameters={"Table": "films", "FromTheTemplate": "x"})
    assert (await STEP.observe(make(parameters={"Table": "films"}))).state is State.READY
    assert (await STEP.observe(make(parameters={"Table": "other"}))).state is State.PARTIAL


async def test_a_change_that_aws_sees_none_in_is_success(sandbox, make):
    stack = standing(sandbox)
    await STEP.create(make(template="# a comment more\n" + TEMPLATE))
    assert asked(sandbox, "execute_change_set") == 0 and stack.change_sets == {}
    assert stack.status == "CREATE_COMPLETE"


async def test_a_change_that_is_refused_is_explained_and_cleared_away(sandbox, make):
    stack = standing(sandbox)
    sandbox.aws.cloudformation.change_set_refused = "Template error: no such attribute"
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make(template=TEMPLATE.replace("films-dev", "x")))
    assert caught.value.code == "ChangeSetFailed" and caught.value.why == "Template error: no such attribute"
    assert "api.yaml.j2" in caught.value.fix and stack.change_sets == {}


async def test_an_update_that_is_rolled_back_is_reported_with_its_cause(sandbox, make):
    standing(sandbox)
    sandbox.aws.cloudformation.update_fails = "The runtime is not supported"
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make(template=TEMPLATE.replace("films-dev", "x")))
    assert caught.value.code == "UPDATE_ROLLBACK_COMPLETE"
    assert caught.value.why == "Handler (AWS::Lambda::Function): The runtime is not supported"


async def test_the_old_state_after_an_accepted_update_is_not_taken_for_its_end(sandbox, make):
    stack = standing(sandbox, "UPDATE_COMPLETE")
    sandbox.aws.cloudformation.starts_late = 20
    ctx = make(template=TEMPLATE.replace("films-dev", "films-prod"))
    await STEP.create(ctx)
    assert "films-prod" in stack.template and asyncio.get_running_loop().time() >= 60


async def test_a_second_quick_update_is_not_waited_for_longer_than_it_takes(sandbox, make):
    standing(sandbox, "UPDATE_COMPLETE")
    sandbox.aws.cloudformation.seconds = 1
    await STEP.create(make(template=TEMPLATE.replace("films-dev", "films-prod")))
    assert asyncio.get_running_loop().time() < 15


async def test_a_creation_that_fails_is_reported_with_its_first_real_cause(sandbox, make):
    sandbox.aws.cloudformation.create_fails = [
        ("Logs", "AWS::Logs::LogGroup", "Resource creation cancelled"),
        ("Handler", "AWS::Lambda::Function", "/aws/lambda/films-dev already exists"),
        ("Api", "AWS::ApiGateway::RestApi", "Too many"),
    ]
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make())
    assert caught.value.code == "ROLLBACK_COMPLETE"
    assert caught.value.why == "Handler (AWS::Lambda::Function): /aws/lambda/films-dev already exists"
    assert any("CREATE_FAILED Handler" in line for line in sandbox.notes.lines)
    assert (await STEP.observe(make())).state is State.BROKEN


@pytest.mark.parametrize(("reason", "helps"), [("it takes no pool of another region", True), ("something else", False)])
async def test_a_failure_that_the_definition_knows_names_the_setup_that_helps(sandbox, make, reason, helps):
    sandbox.aws.cloudformation.create_fails = [("Api", "AWS::ApiGateway::RestApi", reason)]
    ctx = make(remedies={"no pool of another": {"identity_region": "us-east-2"}})
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(ctx)
    assert caught.value.fix.endswith("--param identity_region=us-east-2") == helps
    assert caught.value.fix.startswith("Run: workshop setup" if helps else "Correct that")


@pytest.mark.parametrize(
    "status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"]
)
async def test_a_stack_that_can_only_be_deleted_is_explained_deleted_and_created_again(sandbox, make, status):
    old = standing(sandbox, status)
    observed = await STEP.observe(make())
    assert observed.state is State.BROKEN and status in observed.detail
    await STEP.create(make())
    fresh = sandbox.aws.cloudformation.find(HOME, "films")
    assert old.status == "DELETE_COMPLETE" and fresh.id != old.id and fresh.status == "CREATE_COMPLETE"
    assert any("deleting it and creating it again" in line for line in sandbox.notes.lines)


async def test_an_old_failure_is_not_taken_for_the_cause_of_a_new_one(sandbox, make):
    sandbox.aws.cloudformation.create_fails = [("Handler", "AWS::Lambda::Function", "the old cause")]
    with pytest.raises(WorkshopError, match="the old cause"):
        await STEP.create(make())
    sandbox.aws.cloudformation.create_fails = [("Api", "AWS::ApiGateway::RestApi", "the new cause")]
    with pytest.raises(WorkshopError, match="the new cause"):
        await STEP.create(make())


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
async def test_an_operation_that_runs_already_is_waited_out(sandbox, make, status):
    stack = standing(sandbox, status)
    asyncio.get_running_loop().call_later(100, setattr, stack, "status", "UPDATE_COMPLETE")
    assert (await STEP.observe(make())).state is State.PARTIAL
    await STEP.create(make())
    assert asked(sandbox, "create_stack") == asked(sandbox, "create_change_set") == 0
    assert asyncio.get_running_loop().time() >= 100


async def test_a_rollback_that_got_stuck_is_continued(sandbox, make):
    standing(sandbox, "UPDATE_ROLLBACK_FAILED")
    assert (await STEP.observe(make())).state is State.PARTIAL
    await STEP.create(make())
    assert asked(sandbox, "continue_update_rollback") == 1
    assert sandbox.aws.cloudformation.find(HOME, "films").status == "UPDATE_ROLLBACK_COMPLETE"


async def test_a_rollback_that_stays_stuck_is_reported(sandbox, make):
    standing(sandbox, "UPDATE_ROLLBACK_FAILED")
    sandbox.aws.cloudformation.rollback_fails = 9
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make())
    assert caught.value.code == "UPDATE_ROLLBACK_FAILED"


async def test_a_lost_answer_finds_its_own_stack(sandbox, make):
    sandbox.aws.lose_answer("create_stack")
    outputs = await STEP.create(make())
    assert outputs["StackId"] == sandbox.aws.cloudformation.find(HOME, "films").id
    assert len(sandbox.aws.cloudformation.stacks) == 1


async def test_a_name_that_was_taken_meanwhile_is_refused(sandbox, make):
    taken = refusal("AlreadyExistsException", "Stack [films] already exists")
    sandbox.aws.refuse("create_stack", HOME, taken)
    ctx = make()
    assert (await STEP.observe(ctx)).state is State.ABSENT
    with pytest.raises(AwsError, match="AlreadyExists"):
        await STEP.create(ctx)


async def test_a_foreign_stack_is_never_changed(sandbox, make):
    standing(sandbox, tags={"workshop": "another"})
    observed = await STEP.observe(make())
    assert observed.state is State.FOREIGN and not observed.ours and "delete-stack" in observed.fix
    assert "CREATE_COMPLETE" in observed.detail and "workshop setup --adopt" in observed.fix
    with pytest.raises(WorkshopError, match="in the way"):
        await STEP.create(make())
    assert asked(sandbox, "create_change_set") == 0
    sandbox.aws.remains.log_groups.add(LOGS)
    await STEP.destroy(make())
    assert asked(sandbox, "delete_stack") == 0 and LOGS in sandbox.aws.remains.log_groups
    left = await STEP.leftovers(make())
    assert [r.why for r in left if r.kind == "stack"] == ["not made by this workshop: left alone"]


async def test_an_adopted_stack_has_our_template_and_keeps_the_tags_that_it_had(sandbox, make):
    standing(sandbox, tags={"owner": "alice"})
    (foreign,) = (await STEP.observe(make())).foreign
    assert "the template of this workshop" in foreign.adoption
    await STEP.adopt(make(), foreign)
    observed = await STEP.observe(make())
    assert (
        observed.state is State.READY
        and observed.ours
        and observed.adopted
        and f"adopted {observed.adopted[:10]}" in observed.detail
    )
    (stack,) = sandbox.aws.cloudformation.stacks
    assert stack.tags["owner"] == "alice" and stack.tags["workshop"] == "films"
    await STEP.destroy(make())
    assert (await STEP.observe(make())).state is State.ABSENT


async def test_a_stack_that_cannot_be_updated_cannot_be_adopted(sandbox, make):
    standing(sandbox, tags={}, status="ROLLBACK_COMPLETE")
    observed = await STEP.observe(make())
    assert observed.state is State.FOREIGN and "--adopt" not in observed.fix
    assert [resource.adoption for resource in observed.foreign] == [""]


async def test_a_foreign_function_is_named_before_anything_is_made_and_is_not_changed(sandbox, make):
    sandbox.aws.remains.functions[HOME, "films-dev"] = {"owner": "alice"}
    observed = await STEP.observe(make())
    assert observed.state is State.FOREIGN and not observed.ours
    assert "function films-dev exists in us-west-2 (created 2026-02-01 09:00:00 UTC, 1,234 bytes of code)" in observed.detail
    with pytest.raises(WorkshopError, match="in the way"):
        await STEP.create(make())
    await STEP.destroy(make())
    assert sandbox.aws.changes() == [] and sandbox.aws.remains.functions[HOME, "films-dev"] == {"owner": "alice"}


async def test_an_adopted_function_and_its_log_group_are_replaced_by_those_of_the_stack(sandbox, make):
    sandbox.aws.remains.functions[HOME, "films-dev"] = {}
    sandbox.aws.remains.log_groups.add(LOGS)
    found = (await STEP.observe(make())).foreign
    assert [resource.kind for resource in found] == ["function", "log-group"]
    for resource in found:
        await STEP.adopt(make(), resource)
    assert (await STEP.observe(make())).state is State.ABSENT
    await STEP.create(make())
    assert asked(sandbox, "delete_function") == asked(sandbox, "delete_log_group") == 1
    assert (await STEP.observe(make())).state is State.READY


async def test_a_stack_that_lost_its_tags_is_ours_by_its_id_and_one_made_after_it_is_not(sandbox, make):
    await STEP.create(make())
    (stack,) = sandbox.aws.cloudformation.stacks
    stack.tags.clear()
    assert (await STEP.observe(make())).ours
    sandbox.aws.cloudformation.stacks.clear()
    standing(sandbox, tags={})
    assert (await STEP.observe(make())).state is State.FOREIGN


async def test_a_stack_that_vanishes_while_it_is_created_is_reported(sandbox, make):
    asyncio.get_running_loop().call_later(10, sandbox.aws.cloudformation.stacks.clear)
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make())
    assert caught.value.code == "StackGone" and "films in us-west-2" in caught.value.what


async def test_deleting_waits_by_id_and_may_be_repeated(sandbox, make):
    stack = standing(sandbox)
    await STEP.destroy(make())
    assert stack.status == "DELETE_COMPLETE" and await STEP.leftovers(make()) == []
    assert {c.parameters["StackName"] for c in sandbox.aws.made("delete_stack")} == {stack.id}
    await STEP.destroy(make())
    assert asked(sandbox, "delete_stack") == 1


async def test_a_stack_that_exists_again_under_its_name_is_not_waited_for(sandbox, make):
    old = standing(sandbox)
    deleting = asyncio.ensure_future(STEP.destroy(make()))
    await asyncio.sleep(61)
    new = standing(sandbox, "CREATE_IN_PROGRESS", tags={})
    await deleting
    assert old.status == "DELETE_COMPLETE" and new.status == "CREATE_IN_PROGRESS"


async def test_a_deletion_that_fails_is_asked_for_again(sandbox, make):
    stack = standing(sandbox)
    sandbox.aws.cloudformation.deletes_fail = 2
    await STEP.destroy(make())
    assert stack.status == "DELETE_COMPLETE" and asked(sandbox, "delete_stack") == 3


async def test_a_deletion_that_keeps_failing_is_reported_with_what_blocks_it(sandbox, make):
    standing(sandbox)
    sandbox.aws.cloudformation.deletes_fail = 99
    with pytest.raises(WorkshopError) as caught:
        await STEP.destroy(make())
    assert caught.value.code == "DELETE_FAILED" and caught.value.why == "Api (AWS::ApiGateway::RestApi): Too Many Requests"
    assert asked(sandbox, "delete_stack") == 4
    (left,) = await STEP.leftovers(make())
    assert left.why == "DELETE_FAILED" and "delete-stack --region us-west-2" in left.fix


async def test_a_stack_at_work_is_deleted_after_that(sandbox, make):
    stack = standing(sandbox, "UPDATE_IN_PROGRESS")
    asyncio.get_running_loop().call_later(50, setattr, stack, "status", "UPDATE_COMPLETE")
    await STEP.destroy(make())
    assert sandbox.aws.made("delete_stack")[0].at >= 50 and stack.status == "DELETE_COMPLETE"


async def test_termination_protection_is_reported_with_the_command_and_not_undone(sandbox, make):
    stack = standing(sandbox, protected=True)
    with pytest.raises(WorkshopError) as caught:
        await STEP.destroy(make())
    assert caught.value.code == "TerminationProtection" and "--no-enable-termination-protection" in caught.value.fix
    assert asked(sandbox, "delete_stack") == 0 and stack.protected


async def test_log_groups_that_came_back_are_deleted_after_their_stack(sandbox, make):
    standing(sandbox)
    sandbox.aws.remains.log_groups |= {LOGS, (HOME, "/aws/lambda/films-dev-other"), ("eu-west-1", "/aws/lambda/films-dev")}
    sandbox.aws.remains.log_groups.add((HOME, "API-Gateway-Execution-Logs_api1/api"))
    await STEP.destroy(make(known={"ApiId": "api1"}))
    assert sandbox.aws.remains.log_groups == {(HOME, "/aws/lambda/films-dev-other"), ("eu-west-1", "/aws/lambda/films-dev")}


async def test_a_log_group_that_comes_back_after_the_stack_is_gone_is_still_ours(sandbox, make):
    await STEP.create(make())
    await STEP.destroy(make())
    sandbox.aws.remains.log_groups.add(LOGS)
    assert [r.why for r in await STEP.leftovers(make())] == [""]
    await STEP.destroy(make())
    assert sandbox.aws.remains.log_groups == set()


async def test_a_log_group_of_a_function_that_we_never_made_is_left_alone(sandbox, make):
    sandbox.aws.remains.log_groups.add(LOGS)
    sandbox.aws.remains.functions[HOME, "films-dev"] = {"owner": "somebody"}
    await STEP.destroy(make())
    assert LOGS in sandbox.aws.remains.log_groups
    assert {r.why for r in await STEP.leftovers(make())} == {"not made by this workshop: left alone"}


async def test_a_strangers_log_group_in_the_way_is_named_before_anything_is_made_and_survives_teardown(sandbox, make):
    sandbox.aws.remains.log_groups.add(LOGS)
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make())
    assert LOGS[1] in caught.value.why and "delete-log-group" in caught.value.fix
    assert asked(sandbox, "create_stack") == 0
    await STEP.destroy(make())
    assert LOGS in sandbox.aws.remains.log_groups


async def test_a_log_group_of_ours_that_came_back_does_not_block_the_next_setup(sandbox, make):
    await STEP.create(make())
    await STEP.destroy(make())
    sandbox.aws.remains.log_groups.add(LOGS)
    await STEP.create(make())
    assert asked(sandbox, "create_stack") == 2


async def test_leftovers_are_found_by_the_names_of_the_template(sandbox, make):
    remains = sandbox.aws.remains
    remains.functions[HOME, "films-dev"] = dict(OURS)
    remains.apis = {(HOME, "a1"): ("films", dict(OURS)), (HOME, "a2"): ("films", {}), (HOME, "a3"): ("other", {})}
    remains.apis["eu-west-1", "a4"] = ("films", {})
    remains.roles = {"films-Role-ABC": dict(OURS), "films-Role-DEF": {}, "unrelated": {}}
    found = {(r.kind, r.name, r.why) for r in await STEP.leftovers(make())}
    foreign = "not made by this workshop: left alone"
    assert ("function", "films-dev", "") in found
    assert {(k, w) for k, n, w in found if k == "rest-api"} == {("rest-api", ""), ("rest-api", foreign)}
    assert ("role", "films-Role-ABC", "") in found and ("role", "films-Role-DEF", foreign) in found
    assert not any(name in ("other", "unrelated") for _, name, _ in found)


async def test_all_stacks_of_a_region_are_listed_over_several_pages(sandbox):
    for name in ("one", "two", "three"):
        sandbox.aws.cloudformation.put(HOME, name, "CREATE_COMPLETE")
    sandbox.aws.cloudformation.put(HOME, "gone", "DELETE_COMPLETE")
    assert [stack.name for stack in await list_stacks(sandbox.aws, HOME)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Resources: {", "does not render to YAML"),
        ("Description: none", "without Resources"),
        ("Resources: {A: {Properties: {}}}", "no Type"),
        ("Resources: {A: {Type: 'AWS::X'}}\n# " + "x" * 51_200, "51,200 at most"),
        ("Resources: {{ nothing }}", "nothing"),
    ],
)
def test_a_template_that_is_none_is_found_before_anything_is_made(make, template, says):
    with pytest.raises(DefinitionError, match=says) as caught:
        STEP.check_files(make(template=template))
    assert "api.yaml.j2" in str(caught.value)


def test_a_template_in_json_is_one_too(make):
    STEP.check_files(make(template='{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}'))


def test_the_commands_deploy_the_rendered_template(make):
    show, deploy, outputs = STEP.commands(make(parameters={"Table": "my films"}))
    assert "workshop step show step" in show and "--template" in show
    assert "aws cloudformation deploy --region us-west-2 --stack-name films" in deploy
    assert "'Table=my films'" in deploy and "Outputs" in outputs


def test_the_permissions_follow_from_the_resources_of_the_template(make):
    actions = {p.action for p in STEP.permissions(make())}
    assert {"cloudformation:CreateStack", "lambda:CreateFunction", "iam:CreateRole", "logs:CreateLogGroup"} <= actions
    assert any(action.startswith("apigateway:") for action in actions)
    assert not any(action.startswith("s3:") for action in actions)
