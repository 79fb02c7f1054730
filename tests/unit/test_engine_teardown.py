"""Taking the built-in workshop down over a fake account: everything of ours, nothing else, and the truth about what is left."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.rehearsal import rehearsal
from workshop.aws.errors import CredentialsError
from workshop.engine.discover import RegionSearch, find_orphans, with_discovered_regions, with_replicated_regions
from workshop.engine.events import Noticed, RunStarted
from workshop.engine.results import Outcome
from workshop.errors import PartlyDoneError
from workshop.steps.base import Resource
from workshop.steps.registry import noted_resources

TABLE, STACK = "global-serverless", "global-serverless-api"
LOGS = "/aws/lambda/global-serverless-dev"


@pytest.fixture
def deployment(tmp_path):
    with rehearsal(tmp_path) as made:
        yield made


def outcomes(results) -> dict[str, str]:
    return {name: result.outcome.value for name, result in results.items()}


async def test_everything_goes_and_nothing_is_left(deployment):
    await deployment.setup()
    results, left = await deployment.teardown()
    assert not deployment.journal.remembers_made(deployment.scope, noted_resources())
    assert left == [] and deployment.aws.dynamodb.tables() == []
    assert {s.status for s in deployment.aws.cloudformation.stacks} == {"DELETE_COMPLETE"}
    assert not (deployment.folder / "sites" / TABLE).exists()
    assert outcomes(results) == {
        f"table {HOME}": "removed", f"replica {EU}": "removed", f"data {HOME}": "removed", "web global": "removed",
        f"api {HOME}": "removed", f"api {EU}": "removed", f"ping {HOME}": "absent", f"ping {EU}": "absent",
        f"library {HOME}": "absent", f"library {EU}": "absent", f"films {HOME}": "absent", f"films {EU}": "absent",
    }  # fmt: skip


async def test_replicas_go_before_the_home_table_and_the_last_one_added_first(deployment):
    regions = (HOME, EU, "ap-south-1")
    await deployment.setup(*regions, through="backend")
    _, left = await deployment.teardown(*regions)
    removed = [c.parameters["ReplicaUpdates"][0]["Delete"]["RegionName"]
               for c in deployment.aws.made("update_table") if "Delete" in c.parameters["ReplicaUpdates"][0]]  # fmt: skip
    assert removed == ["ap-south-1", EU] and left == []
    assert {c.region for c in deployment.aws.made("delete_table")} == {HOME}
    ended = deployment.finished()
    assert ended.index(f"replica {EU}") < len(ended) - 1 == len(ended) - 1 - ended[::-1].index(f"table {HOME}")


async def test_a_second_teardown_finds_nothing_and_changes_nothing(deployment):
    await deployment.setup()
    await deployment.teardown()
    deployment.aws.calls.clear()
    results, left = await deployment.teardown()
    assert set(outcomes(results).values()) == {"absent"} and left == []
    assert deployment.aws.changes() == []


async def test_without_a_setup_there_is_nothing_to_take_down(deployment):
    results, left = await deployment.teardown()
    assert set(outcomes(results).values()) == {"absent"} and left == [] and deployment.aws.changes() == []


async def test_a_lost_journal_costs_nothing_but_memory(deployment):
    await deployment.setup()
    deployment.lose_the_journal()
    results, left = await deployment.teardown()
    assert left == [] and results[f"table {HOME}"].outcome is Outcome.REMOVED
    assert deployment.aws.dynamodb.tables() == []


async def test_a_foreign_resource_is_left_alone_and_named(deployment):
    table = deployment.aws.dynamodb.put(HOME, TABLE)
    stack = deployment.aws.cloudformation.put(EU, STACK, "CREATE_COMPLETE")
    deployment.aws.remains.log_groups.add((EU, LOGS))
    results, left = await deployment.teardown()
    assert results[f"table {HOME}"].outcome is results[f"api {EU}"].outcome is Outcome.SKIPPED
    assert {(r.kind, r.region) for r in left} == {("table", HOME), ("stack", EU), ("log-group", EU)}
    assert all("not made by this workshop" in r.why and r.fix for r in left)
    assert table.status == "ACTIVE" and stack.status == "CREATE_COMPLETE" and (EU, LOGS) in deployment.aws.remains.log_groups
    assert deployment.aws.changes() == []


async def test_items_in_a_foreign_table_are_not_reported_as_removed(deployment):
    await deployment.setup(through="backend")
    deployment.lose_the_journal()
    deployment.aws.dynamodb.find(HOME, TABLE).untag()
    results, left = await deployment.teardown()
    assert results[f"table {HOME}"].outcome is results[f"data {HOME}"].outcome is Outcome.SKIPPED
    assert len(deployment.aws.dynamodb.items(HOME, TABLE)) == 13
    assert any(r.kind == "table" and r.region == HOME for r in left)


async def test_a_stack_that_cannot_be_deleted_keeps_nothing_else(deployment):
    await deployment.setup()
    deployment.aws.cloudformation.find(EU, STACK).protected = True
    results, left = await deployment.teardown()
    assert results[f"api {EU}"].error.code == "TerminationProtection"
    assert results[f"api {HOME}"].outcome is results[f"table {HOME}"].outcome is Outcome.REMOVED
    assert [(r.kind, r.name, r.region) for r in left] == [("stack", STACK, EU)]


async def test_a_protected_replica_keeps_the_home_table_from_being_asked(deployment):
    await deployment.setup(through="backend")
    deployment.aws.dynamodb.find(EU, TABLE).protect()
    results, left = await deployment.teardown()
    assert results[f"replica {EU}"].error.code == "DeletionProtection"
    assert results[f"table {HOME}"].outcome is Outcome.CANCELLED
    assert {(r.kind, r.region) for r in left} == {("table", HOME), ("table", EU)}
    assert deployment.aws.made("delete_table") == []


async def test_the_source_region_rule_leaves_the_home_table_as_a_leftover_with_a_time(deployment):
    await deployment.setup(through="backend")
    deployment.aws.refuse_by_source_rule(until=10**6)
    results, left = await deployment.teardown()
    error = results[f"table {HOME}"].error
    assert isinstance(error, PartlyDoneError) and error.exit_code == 5 and "UTC" in error.why
    assert [(r.kind, r.region) for r in left] == [("table", HOME)]


async def test_a_log_group_that_comes_back_after_its_function_is_removed_too(deployment):
    await deployment.setup()
    deleted = []

    def late_logs(call) -> None:
        if call.operation == "delete_log_group":
            deleted.append(call)
        if call.operation == "describe_log_groups" and not deleted and not deployment.aws.cloudformation.find(EU, STACK):
            deployment.aws.remains.log_groups.add((EU, LOGS))

    deployment.aws.watch = late_logs
    _, left = await deployment.teardown()
    assert deleted and left == [] and deployment.aws.remains.log_groups == set()


async def test_what_cannot_be_observed_counts_as_left(deployment):
    await deployment.setup()
    deployment.aws.refuse("list_roles", EU, *[refusal("AccessDenied", "not authorized to perform iam:ListRoles")] * 99)
    results, left = await deployment.teardown()
    assert results[f"api {EU}"].outcome is Outcome.REMOVED
    assert [(r.kind, r.region) for r in left] == [("unknown", EU)] and "ListRoles" in left[0].why


async def test_after_ctrl_c_nothing_new_is_removed_and_a_rerun_goes_on(deployment):
    await deployment.setup()

    def ctrl_c() -> None:
        deployment.stop.ask()

    asyncio.get_running_loop().call_later(30, ctrl_c)
    results, left = await deployment.teardown()
    assert results[f"replica {EU}"].outcome is results[f"table {HOME}"].outcome is Outcome.CANCELLED
    _, left = await deployment.teardown()
    assert left == [] and deployment.aws.dynamodb.tables() == []


async def test_after_a_teardown_a_setup_creates_everything_again(deployment):
    await deployment.setup()
    await deployment.teardown()
    assert set(outcomes(await deployment.setup()).values()) == {"created"}


async def test_a_setup_that_failed_halfway_is_taken_down_as_well(deployment):
    deployment.aws.cloudformation.create_fails = [("Handler", "AWS::Lambda::Function", "no")]
    deployment.aws.dynamodb.replica_fails = "REGION_DISABLED"
    await deployment.setup()
    deployment.aws.dynamodb.replica_fails = ""
    _, left = await deployment.teardown()
    assert left == [] and deployment.aws.dynamodb.tables() == []


async def test_the_console_is_notified_of_the_run_and_of_the_sweep(deployment):
    await deployment.setup()
    deployment.events.clear()
    deployment.aws.dynamodb.put("eu-west-1", "unrelated")
    await deployment.teardown()
    assert [e.verb for e in deployment.events if isinstance(e, RunStarted)] == ["teardown"]
    assert any("leftovers" in e.text for e in deployment.events if isinstance(e, Noticed))


async def test_without_a_journal_regions_in_which_something_of_ours_exists_are_found(deployment):
    await deployment.setup(HOME, "ap-south-1", through="backend")
    deployment.lose_the_journal()
    workspace = await with_discovered_regions(deployment.workspace(), RegionSearch(["ap-south-1", "sa-east-1"]), deployment.heard)
    assert workspace.settings.regions == (HOME, EU, "ap-south-1")
    assert any("ap-south-1" in e.text for e in deployment.events if isinstance(e, Noticed))


async def test_without_a_journal_home_is_where_the_steps_that_belong_home_left_their_tags(deployment):
    await deployment.setup("sa-east-1", "ap-south-1", through="backend")
    deployment.lose_the_journal()
    workspace = await with_discovered_regions(
        deployment.workspace(), RegionSearch(["ap-south-1", EU, HOME, "sa-east-1"]), deployment.heard
    )
    assert workspace.settings.regions[0] == "sa-east-1" and set(workspace.settings.regions) >= {"sa-east-1", "ap-south-1"}
    assert any("home region is sa-east-1" in e.text for e in deployment.events if isinstance(e, Noticed))


async def test_regions_into_which_our_table_was_replicated_by_hand_are_found_with_a_journal_and_without(deployment):
    await deployment.setup(through="backend")
    deployment.aws.dynamodb.link(HOME, "sa-east-1", TABLE)
    workspace = await with_replicated_regions(deployment.workspace(), deployment.heard)
    assert workspace.settings.regions == (HOME, EU, "sa-east-1")
    deployment.lose_the_journal()
    workspace = await with_discovered_regions(deployment.workspace(), RegionSearch([HOME, EU]), deployment.heard)
    assert workspace.settings.regions == (HOME, EU, "sa-east-1")
    results, left = await deployment.teardown(*workspace.settings.regions)
    assert results["replica sa-east-1"].outcome is Outcome.REMOVED and left == [] and deployment.aws.dynamodb.tables() == []


async def test_the_copies_of_a_table_made_by_hand_are_none_of_our_business(deployment):
    deployment.aws.dynamodb.put(HOME, TABLE)
    deployment.aws.dynamodb.link(HOME, "sa-east-1", TABLE)
    assert (await with_replicated_regions(deployment.workspace(), deployment.heard)).settings.regions == (HOME, EU)


async def test_a_foreign_table_does_not_draw_its_region_in(deployment):
    deployment.aws.dynamodb.put("sa-east-1", TABLE)
    workspace = await with_discovered_regions(deployment.workspace(), RegionSearch(["sa-east-1"]), deployment.heard)
    assert workspace.settings.regions == (HOME, EU)


async def test_a_region_where_it_is_denied_to_look_is_named_and_left_out(deployment):
    deployment.aws.refuse("describe_table", "sa-east-1", refusal("AccessDeniedException"))
    search = RegionSearch(["sa-east-1"])
    workspace = await with_discovered_regions(deployment.workspace(), search, deployment.heard)
    assert workspace.settings.regions == (HOME, EU)
    assert any("sa-east-1 was not searched" in e.text for e in deployment.events if isinstance(e, Noticed))
    assert search.denied == ["sa-east-1"] and search.unreadable == {}


async def test_a_region_that_does_not_answer_counts_as_something_left(deployment):
    deployment.aws.refuse("describe_table", "sa-east-1", refusal("ServiceUnavailable"))
    search = RegionSearch(["sa-east-1"])
    await with_discovered_regions(deployment.workspace(), search, deployment.heard)
    await find_orphans(deployment.workspace(), search, [], deployment.heard)
    (left,) = search.unreadable.values()
    assert (left.kind, left.region) == ("unknown", "sa-east-1") and "ServiceUnavailable" in left.why and left.fix


async def test_credentials_that_no_region_takes_end_a_search_and_a_region_that_is_not_enabled_does_not(deployment):
    deployment.aws.refuse("describe_table", "sa-east-1", refusal("UnrecognizedClientException"))
    search = RegionSearch(["sa-east-1"])
    await with_discovered_regions(deployment.workspace(), search, deployment.heard)
    assert search.disabled == ["sa-east-1"] and search.denied == [] and search.unreadable == {}
    deployment.aws.refuse("describe_table", "sa-east-1", refusal("ExpiredToken"))
    with pytest.raises(CredentialsError):
        await with_discovered_regions(deployment.workspace(), RegionSearch(["sa-east-1"]), deployment.heard)


async def test_a_home_region_that_was_named_wrongly_is_corrected_by_what_is_deployed(deployment):
    await deployment.setup(through="backend")
    deployment.lose_the_journal()
    workspace = await with_replicated_regions(deployment.workspace(EU, HOME), deployment.heard)
    assert workspace.settings.regions == (HOME, EU)


async def test_what_the_definition_does_not_make_any_more_is_found_by_its_tags(deployment):
    await deployment.setup()
    assert deployment.journal.remembers_made(deployment.scope, noted_resources())
    known = [Resource("stack", STACK, HOME)]
    found = await find_orphans(deployment.workspace(), RegionSearch([HOME]), known, deployment.heard)
    assert [(r.kind, r.name) for r in found] == [("table", TABLE)] and "does not use now" in found[0].why


async def test_what_belongs_to_no_region_is_looked_for_once_and_found_wherever_it_was_made(deployment):
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "films.example.org"}
    made = deployment.aws.route53.call("us-east-1", "create_health_check", CallerReference="r", HealthCheckConfig=config)
    tags = [{"Key": "workshop", "Value": deployment.workspace().name}, {"Key": "workshop:region", "Value": "sa-east-1"}]
    check = made["HealthCheck"]["Id"]
    deployment.aws.route53.call(
        "us-east-1", "change_tags_for_resource", ResourceType="healthcheck", ResourceId=check, AddTags=tags
    )
    found = await find_orphans(deployment.workspace(), RegionSearch([HOME, EU]), [], deployment.heard)
    assert [(r.kind, r.id, r.region) for r in found] == [("health-check", check, "sa-east-1")]
    assert len(deployment.aws.made("list_health_checks")) == 1


async def test_items_that_may_not_be_read_do_not_keep_their_table(deployment):
    await deployment.setup(through="backend")
    deployment.aws.refuse("batch_get_item", HOME, refusal("AccessDeniedException"))
    results, left = await deployment.teardown()
    assert results[f"data {HOME}"].outcome is Outcome.SKIPPED and results[f"table {HOME}"].outcome is Outcome.REMOVED
    assert left == []


async def test_what_an_api_logged_goes_with_it_on_a_machine_that_did_not_make_it(deployment):
    await deployment.setup()
    logs = f"API-Gateway-Execution-Logs_api{EU.replace('-', '')}/api"
    deployment.aws.remains.log_groups.add((EU, logs))
    deployment.lose_the_journal()
    _, left = await deployment.teardown()
    assert left == [] and (EU, logs) not in deployment.aws.remains.log_groups
