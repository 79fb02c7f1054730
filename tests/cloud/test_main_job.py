"""The main job, as a facilitator does it: nothing, everything, everything again, nothing; with strangers' things beside it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, REGIONS, TABLE, Shell

pytestmark = pytest.mark.cloud
ITEMS = 13


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """An account in which others have things already; the cloud takes its time."""
    shell = Shell(tmp_path_factory.mktemp("shell")).cloud("fast")
    shell.table("someone-elses", keys=("id",))
    shell.client("logs", OTHER_REGION).create_log_group(logGroupName="/aws/lambda/someone-elses")
    shell.client("iam").create_role(RoleName="someone-elses", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    yield SimpleNamespace(shell=shell, before=shell.inventory())
    shell.leave()


@pytest.fixture(scope="module")
def deployed(stage):
    """After the first setup, the second, and a status."""
    first = stage.shell.run("setup", "--json")
    return SimpleNamespace(
        **vars(stage), progress=first.err, first=first.document, second=stage.shell.document("setup"),
        status=stage.shell.document("status"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def gone(deployed):
    """After the teardown."""
    done = deployed.shell.run("teardown", "--yes", "--json")
    return SimpleNamespace(**vars(deployed), teardown=done.document, farewell=done.err)


def test_a_setup_makes_every_step_and_reports_each(deployed):
    assert deployed.first["ok"] is True
    assert deployed.first["regions"] == list(REGIONS)
    assert {step["outcome"] for step in deployed.first["steps"]} == {"created"}
    assert {(step["id"], step["region"]) for step in deployed.first["steps"]} == {
        ("table", HOME_REGION), ("replica", OTHER_REGION), ("data", HOME_REGION), ("web", "global"),
        *((step, region) for step in ("api", "ping", "library", "films") for region in REGIONS),
    }  # fmt: skip
    assert all(step["error"] is None for step in deployed.first["steps"])
    assert len(deployed.shell.inventory()) >= len(deployed.before) + 10


def test_the_progress_names_every_step_on_stderr(deployed):
    for step in deployed.first["steps"]:
        assert f"✓ {step['id']} ({step['region']})" in deployed.progress


@pytest.mark.parametrize("region", REGIONS)
def test_the_api_answers_by_both_addresses(deployed, region):
    for address in deployed.first["apis"][region].values():
        assert json.loads(deployed.shell.get(address)) == {"ping": "ok"}
    assert f".execute-api.{region}.localhost:{deployed.shell.port}/api/" in deployed.first["apis"][region]["url"]
    item = json.loads(deployed.shell.get(deployed.first["apis"][region]["path_url"] + "get/library/01"))["Item"]
    assert (item["PK"], item["SK"]) == ({"S": "library"}, {"S": "01"})


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_holds_the_sample_data(deployed, region):
    assert deployed.shell.count(region) == ITEMS
    stored = deployed.shell.client("dynamodb", region).get_item(
        TableName=TABLE, Key={"PK": {"S": "user100"}, "SK": {"S": "AshlandValley"}}, ConsistentRead=True
    )["Item"]
    assert stored["Bookmark"] == {"N": "0"}


def test_table_and_replica_carry_their_tags_in_their_own_regions(deployed):
    home, other = (deployed.shell.tags(region) for region in REGIONS)
    assert home["workshop"] == other["workshop"] == TABLE
    assert (home["workshop:step"], other["workshop:step"]) == ("table", "replica")
    assert home["workshop:run"] == other["workshop:run"] != ""


def test_the_pages_are_served_with_both_regions_in_their_configuration(deployed):
    for page in deployed.first["web"].values():
        assert b"<html" in deployed.shell.get(page)
    beside = deployed.first["web"]["harness"].rpartition("/")[0]
    configuration = json.loads(deployed.shell.get(f"{beside}/config.json"))
    script = deployed.shell.get(f"{beside}/config.js").decode()
    for region in REGIONS:
        assert deployed.first["apis"][region]["url"] in json.dumps(configuration)
        assert deployed.first["apis"][region]["url"] in script


def test_a_second_setup_changes_nothing_and_reports_unchanged(deployed):
    assert {step["outcome"] for step in deployed.second["steps"]} == {"unchanged"}
    assert deployed.second["apis"] == deployed.first["apis"]
    assert deployed.second["web"] == deployed.first["web"]


def test_status_reports_ready_up_to_the_last_module(deployed):
    assert {step["state"] for step in deployed.status["steps"]} == {"ready"}
    assert deployed.status["module"] == "globalflix"
    assert deployed.status["apis"] == deployed.first["apis"]


def test_an_attendees_bookmark_survives_a_rerun(deployed):
    key = {"PK": {"S": "user100"}, "SK": {"S": "AshlandValley"}}
    dynamodb = deployed.shell.client("dynamodb")
    dynamodb.update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET Bookmark = :b", ExpressionAttributeValues={":b": {"N": "42"}}
    )
    dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "library"}, "SK": {"S": "07"}})
    outcomes = {step["id"]: step["outcome"] for step in deployed.shell.document("setup")["steps"]}
    assert outcomes["data"] == "updated"
    assert dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]["Bookmark"] == {"N": "42"}
    assert deployed.shell.count(HOME_REGION) == ITEMS


def test_a_teardown_leaves_nothing_of_ours_and_everything_of_others(gone):
    assert gone.teardown["ok"] is True
    assert gone.teardown["leftovers"] == []
    assert {step["outcome"] for step in gone.teardown["steps"]} == {"removed", "absent"}
    assert gone.shell.inventory() == gone.before
    assert gone.shell.client("ssm").describe_parameters()["Parameters"] == []


def test_a_teardown_names_its_target_in_its_first_line(gone):
    assert gone.farewell.splitlines()[0] == "Target: local, account 000000000000"


def test_a_teardown_writes_a_receipt(gone):
    receipt = Path(gone.teardown["receipt"])
    assert receipt.stat().st_mode & 0o777 == 0o600
    written = json.loads(receipt.read_text())
    assert written["steps"] == gone.teardown["steps"]
    assert written["leftovers"] == []
    assert written["set_up"]


def test_a_teardown_of_nothing_is_fine_and_leaves_the_cloud_running(gone):
    again = gone.shell.document("teardown")
    assert {step["outcome"] for step in again["steps"]} == {"absent"}
    assert gone.shell.document("cloud", "status")["running"] is True
    assert {step["state"] for step in gone.shell.document("status")["steps"]} == {"absent"}
