"""Looking before leaping, catching up module by module, and one step by itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, REGIONS, Shell

pytestmark = pytest.mark.cloud


def states(shell):
    return {(step["id"], step["region"]): step["state"] for step in shell.document("status")["steps"]}


def test_the_plan_of_a_setup_changes_nothing(shell):
    before = shell.inventory()
    plan = shell.document("setup", "--plan")
    assert {step["state"] for step in plan["steps"]} == {"absent"}
    assert {step["action"] for step in plan["steps"]} == {"create", "check"}
    assert 0 < plan["minutes"] < 10
    assert 0 < plan["usd"] < 1
    shown = shell.run("setup", "--plan").out
    assert "minutes on AWS" in shown
    assert "$" in shown
    assert shell.inventory() == before


def test_a_step_whose_needs_are_not_deployed_reports_which_to_run_first(shell):
    before = shell.inventory()
    done = shell.run("step", "run", "replica", code=1)
    assert "The step replica needs table (us-west-2) first." in done.err
    assert "workshop step run table" in done.err
    assert shell.inventory() == before


def test_steps_can_be_run_one_by_one(shell):
    made = shell.document("step", "run", "table")
    assert [(step["id"], step["outcome"]) for step in made["steps"]] == [("table", "created")]
    api = shell.document("step", "run", "api", "--in", OTHER_REGION)
    assert [(step["id"], step["region"]) for step in api["steps"]] == [("api", OTHER_REGION)]
    found = states(shell)
    assert found["table", HOME_REGION] == found["api", OTHER_REGION] == "ready"
    assert found["api", HOME_REGION] == found["replica", OTHER_REGION] == "absent"


def test_through_a_module_stops_after_it_and_the_next_setup_goes_on(shell):
    through = shell.document("setup", "--through", "backend")
    assert {step["module"] for step in through["steps"]} == {"backend"}
    outcomes = {(step["id"], step["region"]): step["outcome"] for step in through["steps"]}
    assert outcomes["table", HOME_REGION] == outcomes["api", OTHER_REGION] == "unchanged"
    assert outcomes["replica", OTHER_REGION] == "created"
    assert shell.document("status")["module"] == "backend"
    rest = shell.document("setup")
    assert {step["id"] for step in rest["steps"] if step["outcome"] == "created"} == {"web", "films"}
    assert shell.document("status")["module"] == "globalflix"


def test_the_plan_of_a_teardown_changes_nothing(shell):
    before = shell.inventory()
    plan = shell.document("teardown", "--plan")
    actions = {step["id"]: step["action"] for step in plan["steps"]}
    assert actions["table"] == actions["replica"] == actions["api"] == "remove"
    assert actions["ping"] == "nothing"
    assert shell.inventory() == before
    assert set(states(shell).values()) == {"ready"}


def test_steps_are_listed_module_by_module(shell):
    shown = shell.run("step", "list").out
    for word in ("backend", "explore", "globalflix", "dynamodb.replica", "cloudformation.stack"):
        assert word in shown
    listed = shell.document("step", "list")["steps"]
    assert [step["id"] for step in listed[:3]] == ["table", "replica", "data"]


def test_a_step_is_shown_with_its_settings_filled_in(shell):
    shown = shell.run("step", "show", "table").out
    assert "global-serverless" in shown
    assert "dynamodb.table" in shown
    assert shell.document("step", "show", "api")["with"]["name"] == "global-serverless-api"
    template = shell.run("step", "show", "api", "--template", "--in", HOME_REGION).out
    assert "AWS::ApiGateway::RestApi" in template
    assert "{{" not in template


def test_explain_shows_real_values_and_makes_no_change(shell):
    before = shell.inventory()
    lines = shell.run("explain").out
    assert lines.startswith("# global-serverless on local\n")
    assert "--table-name global-serverless" in lines
    assert f"curl -sS http://127.0.0.1:{shell.port}/_aws/execute-api/" in lines
    one = shell.document("explain", "api", "--in", OTHER_REGION)["steps"]
    assert [(step["id"], step["region"]) for step in one] == [("api", OTHER_REGION)]
    assert shell.inventory() == before


def test_open_prints_the_address_of_a_page(shell):
    for page in ("harness", "globalflix"):
        address = shell.run("open", page, "--print").out.strip()
        assert address.endswith(f"/{page}.html")
        assert b"<html" in shell.get(address)


def test_a_copy_of_the_site_that_was_edited_is_rendered_again(shell):
    page = shell.state / "sites" / "local" / "global-serverless" / "harness.html"
    page.write_text("mine")
    assert states(shell)["web", "global"] == "partial"
    outcomes = {step["id"]: step["outcome"] for step in shell.document("setup")["steps"]}
    assert outcomes["web"] == "updated"
    assert "<html" in page.read_text()


def test_a_stack_that_was_deleted_by_hand_is_created_again(shell):
    shell.client("cloudformation", OTHER_REGION).delete_stack(StackName="global-serverless-api")
    assert states(shell)["api", OTHER_REGION] in ("absent", "partial")
    document = shell.document("setup")
    assert shell.get(document["apis"][OTHER_REGION]["path_url"])
    assert set(states(shell).values()) == {"ready"}


def test_independent_nodes_overlap_and_the_data_waits_for_the_replica(tmp_path):
    """Stacks deploy while table and replica are being made; the journal knows when each began and ended."""
    shell = Shell(tmp_path).cloud("realistic", 0.025)
    try:
        shell.run("setup", "--through", "backend")
    finally:
        shell.leave()
    with closing(sqlite3.connect(shell.state / "runs.db")) as journal:
        rows = journal.execute("SELECT step, region, started, finished FROM results WHERE outcome = 'created'").fetchall()
    when = {(step, region): (datetime.fromisoformat(a), datetime.fromisoformat(b)) for step, region, a, b in rows}
    replica = when["replica", OTHER_REGION]
    for region in REGIONS:
        stack = when["api", region]
        assert stack[0] < replica[1]
        assert replica[0] < stack[1]
    assert when["api", HOME_REGION][0] < when["api", OTHER_REGION][1]
    assert when["api", OTHER_REGION][0] < when["api", HOME_REGION][1]
    assert when["table", HOME_REGION][1] <= replica[0]
    assert replica[1] <= when["data", HOME_REGION][0]
