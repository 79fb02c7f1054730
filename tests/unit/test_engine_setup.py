"""Bringing the built-in workshop up over a fake account: once, again, after failures and after Ctrl-C."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from tests.unit.fakes.aws import ACCOUNT, refusal
from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.rehearsal import rehearsal
from tests.unit.fakes.virtual_time import START
from workshop.aws.errors import CredentialsError
from workshop.engine.adoption import adoptions
from workshop.engine.events import NodeFinished, NodeWaits
from workshop.engine.plan import NodeKey
from workshop.engine.results import Outcome
from workshop.errors import UsageError


@pytest.fixture
def deployment(tmp_path):
    with rehearsal(tmp_path) as made:
        yield made


def outcomes(results) -> dict[str, str]:
    return {name: result.outcome.value for name, result in results.items()}


async def test_everything_is_created_in_an_order_that_overlaps(deployment):
    results = await deployment.setup()
    assert set(outcomes(results).values()) == {"created"} and len(results) == 12
    started = {(c.operation, c.region): c.at for c in reversed(deployment.aws.calls)}
    assert started["create_stack", HOME] < 1 and started["create_stack", EU] < 1
    assert started["batch_write_item", HOME] >= 26, "the items wait for the replica"
    assert asyncio.get_running_loop().time() < 90
    assert results[f"table {HOME}"].outputs["TableName"] == "global-serverless"
    config = json.loads((deployment.folder / "sites" / "global-serverless" / "config.json").read_text())
    assert set(config["apis"]) == {HOME, EU} and deployment.gateway in config["apis"][EU]["url"]


async def test_the_files_of_the_built_in_workshop_are_sound(deployment):
    await deployment.check()
    assert deployment.aws.calls == []


async def test_a_second_setup_finds_everything_unchanged_and_changes_nothing(deployment):
    await deployment.setup()
    deployment.aws.calls.clear()
    assert set(outcomes(await deployment.setup()).values()) == {"unchanged"}
    assert deployment.aws.changes() == []


async def test_through_a_module_leaves_the_rest_for_later(deployment):
    first = await deployment.setup(through="backend")
    assert not any(name.startswith(("web", "films")) for name in first)
    second = outcomes(await deployment.setup())
    assert second["web global"] == second[f"films {HOME}"] == "created" and second[f"table {HOME}"] == "unchanged"


async def test_the_intent_is_in_the_journal_before_the_change_and_the_result_before_the_news(deployment):
    table, unwritten = NodeKey(ACCOUNT, "table", HOME), []

    def seen(call) -> None:
        if call.operation == "create_table" and not deployment.journal.resumes(deployment.scope, table):
            unwritten.append(call)

    def heard(event) -> None:
        if (
            isinstance(event, NodeFinished)
            and event.result.node.key == table
            and deployment.journal.resumes(deployment.scope, table)
        ):
            unwritten.append(event)

    deployment.aws.watch, deployment.heard = seen, heard
    await deployment.setup(through="backend")
    assert deployment.aws.made("create_table") and unwritten == []


async def test_a_failed_stack_stops_only_what_needs_it_and_a_rerun_goes_on_there(deployment):
    deployment.aws.cloudformation.create_fails = [("Handler", "AWS::Lambda::Function", "no such runtime")]
    first = await deployment.setup()
    failed = [name for name, result in first.items() if result.outcome is Outcome.FAILED]
    assert len(failed) == 1 and failed[0].startswith("api")
    region = failed[0].removeprefix("api ")
    assert first[failed[0]].error.why == "Handler (AWS::Lambda::Function): no such runtime"
    assert first[f"data {HOME}"].outcome is Outcome.CREATED
    assert first[f"ping {region}"].outcome is first["web global"].outcome is Outcome.CANCELLED
    second = outcomes(await deployment.setup())
    assert second[failed[0]] == second["web global"] == "created" and second[f"table {HOME}"] == "unchanged"


async def test_a_foreign_table_fails_its_step_with_advice_and_is_not_touched(deployment):
    table = deployment.aws.dynamodb.put(HOME, "global-serverless", {"id": "S"})
    results = await deployment.setup()
    error = results[f"table {HOME}"].error
    assert error.code == "Foreign" and "id (S)" in error.why and "delete-table" in error.fix
    assert results[f"data {HOME}"].outcome is Outcome.CANCELLED and results[f"ping {EU}"].outcome is Outcome.CREATED
    assert table.tags == {} and not deployment.aws.made("update_table")


async def test_a_table_made_by_hand_stops_the_setup_and_is_ours_once_it_is_adopted(deployment):
    table = deployment.aws.dynamodb.put(HOME, "global-serverless", tags={"owner": "alice"})
    table.write({"PK": {"S": "theirs"}, "SK": {"S": "1"}})
    refused = await deployment.setup()
    assert refused[f"table {HOME}"].error.code == "Foreign" and len(table.items) == 1
    assert not {"update_table", "tag_resource", "batch_write_item"} & set(deployment.aws.changes())
    agreed = adoptions(list((await deployment.status()).values()))
    assert [each.resource.label for each in agreed] == [("table", "global-serverless", HOME)]
    results = await deployment.setup(agreed=agreed)
    assert all(result.outcome.good for result in results.values()) and len(table.items) == 14
    assert results[f"table {HOME}"].outcome is Outcome.UPDATED and "adopted" in results[f"table {HOME}"].detail
    assert "adopted" in (await deployment.status())[f"table {HOME}"].observed.detail
    _, left = await deployment.teardown()
    assert left == [] and deployment.aws.dynamodb.tables() == []
    assert [e.name for e in deployment.journal.inventory.of(deployment.scope) if e.adopted] == ["global-serverless"]


async def test_a_table_that_was_replaced_after_it_was_agreed_to_is_not_adopted(deployment):
    deployment.aws.dynamodb.put(HOME, "global-serverless", created=START)
    agreed = adoptions(list((await deployment.status()).values()))
    deployment.aws.dynamodb.remove(HOME, "global-serverless")
    other = deployment.aws.dynamodb.put(HOME, "global-serverless", created=START + timedelta(seconds=5))
    results = await deployment.setup(agreed=agreed)
    assert results[f"table {HOME}"].error.code == "Foreign" and other.tags == {}


async def test_after_ctrl_c_a_rerun_finishes_what_was_begun(deployment):
    def ctrl_c() -> None:
        deployment.stop.ask()

    asyncio.get_running_loop().call_later(15, ctrl_c)
    first = outcomes(await deployment.setup())
    assert first[f"table {HOME}"] == "created"
    assert first[f"replica {EU}"] == first[f"api {HOME}"] == first[f"data {HOME}"] == "cancelled"
    assert asyncio.get_running_loop().time() < 20
    second = outcomes(await deployment.setup())
    assert second[f"table {HOME}"] == "unchanged"
    assert second[f"replica {EU}"] == second[f"api {HOME}"] == second[f"data {HOME}"] == "created"
    assert len(deployment.aws.made("create_stack")) == 2 and len(deployment.aws.made("update_table")) == 1


async def test_expired_credentials_stop_the_run_and_a_rerun_goes_on(deployment):
    def expire(call) -> None:
        if call.at > 10:
            raise refusal("ExpiredTokenException", "The security token included in the request is expired")

    deployment.aws.watch = expire
    first = await deployment.setup()
    assert isinstance(deployment.stop.fatal, CredentialsError) and "fresh credentials" in deployment.stop.fatal.fix
    assert asyncio.get_running_loop().time() < 30
    assert {r.outcome for r in first.values()} == {Outcome.CREATED, Outcome.FAILED, Outcome.CANCELLED}
    deployment.aws.watch = lambda call: None
    assert {r.outcome for r in (await deployment.setup()).values()} == {Outcome.CREATED, Outcome.UNCHANGED}


async def test_a_changed_template_is_an_update(deployment):
    await deployment.setup()
    stack = deployment.aws.cloudformation.find(EU, "global-serverless-api")
    stack.template += "\n# an older version"
    assert outcomes(await deployment.setup())[f"api {EU}"] == "updated"


async def test_what_people_changed_survives_a_rerun(deployment):
    await deployment.setup()
    table = deployment.aws.dynamodb.find(HOME, "global-serverless")
    changed = next(item for item in table.items if item["PK"] == {"S": "user100"}) | {"Bookmark": {"N": "42"}}
    table.write(changed)
    table.lose("library", "07")
    assert outcomes(await deployment.setup())[f"data {HOME}"] == "updated"
    assert changed in table.items and len(table.items) == 13


async def test_waits_say_what_is_waited_for(deployment):
    await deployment.setup(through="backend")
    reasons = [e.reason for e in deployment.events if isinstance(e, NodeWaits)]
    assert "replica of global-serverless in eu-west-1 to become ACTIVE" in reasons
    assert any(reason.startswith("stack global-serverless-api in eu-west-1") for reason in reasons)


async def test_three_regions_get_their_replicas_one_after_the_other(deployment):
    results = await deployment.setup(HOME, EU, "ap-south-1", through="backend")
    assert results["replica ap-south-1"].outcome is Outcome.CREATED
    creates = [c.parameters["ReplicaUpdates"][0]["Create"]["RegionName"] for c in deployment.aws.made("update_table")]
    assert creates == [EU, "ap-south-1"]


OWN = """\
name: films
title: Films
regions: [us-west-2, eu-west-1]
parameters: {table: {default: films}}
modules:
  - name: backend
    title: The backend
    steps:
      - {id: table, kind: dynamodb.table, in: home, with: {name: '{{ table }}', keys: {PK: S}}}
      - {id: data, kind: dynamodb.items, in: home, needs: [table], with: {table: '{{ table }}', file: data.json}}
      - {id: first, kind: cloudformation.stack, in: home, with: {name: first, template: first.yaml.j2}}
      - {id: second, kind: cloudformation.stack, in: home, needs: [first], with: {name: second, template: second.yaml.j2}}
      - {id: web, kind: web.site, in: global, needs: [second], with: {source: web}}
"""


@pytest.fixture
def own(tmp_path):
    """A workshop of one's own, whose second template and pages read what the first stack made."""
    folder = tmp_path / "films"
    (folder / "web").mkdir(parents=True)
    (folder / "workshop.yaml").write_text(OWN)
    (folder / "data.json").write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}}}}]}')
    (folder / "first.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    (folder / "second.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}\n# {{ steps.first.ApiId }}")
    (folder / "web" / "config.json.j2").write_text('{"api": "{{ steps.first.ApiId }}"}')
    with rehearsal(tmp_path, str(folder)) as made:
        yield made


async def test_a_template_may_read_what_an_earlier_step_made(own):
    await own.check()
    results = await own.setup()
    assert set(outcomes(results).values()) == {"created"}
    assert "apiuswest2" in own.aws.cloudformation.find(HOME, "second").template


async def test_a_wrong_data_file_is_found_before_anything_is_made(own, tmp_path):
    (tmp_path / "films" / "data.json").write_text('{"films": [{"PutRequest": {"Item": {"SK": {"S": "a"}}}}]}')
    with pytest.raises(UsageError, match="Item 1"):
        await own.check()
    assert own.aws.calls == []


async def test_a_teardown_without_a_journal_needs_no_output_of_any_step(own):
    await own.setup()
    own.lose_the_journal()
    results, left = await own.teardown()
    assert left == [] and set(outcomes(results).values()) <= {"removed", "absent"}
    assert own.aws.cloudformation.find(HOME, "second") is None


async def test_a_data_file_that_is_gone_keeps_no_table_from_being_removed(own, tmp_path):
    await own.setup()
    (tmp_path / "films" / "data.json").unlink()
    results, left = await own.teardown()
    assert left == [] and results[f"table {HOME}"].outcome is Outcome.REMOVED
