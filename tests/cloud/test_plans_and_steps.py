"""Looking before leaping, catching up module by module, and one step by itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime

import pytest

from tests.cloud.desk import HOME_REGION, OTHER_REGION, REGIONS, Desk

pytestmark = pytest.mark.cloud


def states(desk):
    return {(step["id"], step["region"]): step["state"] for step in desk.document("status")["steps"]}


def test_the_plan_of_a_setup_changes_nothing(desk):
    before = desk.inventory()
    plan = desk.document("setup", "--plan")
    assert {step["state"] for step in plan["steps"]} == {"absent"}
    assert {step["action"] for step in plan["steps"]} == {"create", "check"}
    assert 0 < plan["minutes"] < 10
    assert 0 < plan["usd"] < 1
    shown = desk.run("setup", "--plan").out
    assert "minutes on AWS" in shown
    assert "$" in shown
    assert desk.inventory() == before


def test_a_step_whose_needs_do_not_stand_says_which_to_run_first(desk):
    before = desk.inventory()
    done = desk.run("step", "run", "replica", code=1)
    assert "The step replica needs table (us-west-2) first." in done.err
    assert "workshop step run table" in done.err
    assert desk.inventory() == before


def test_steps_can_be_run_one_by_one(desk):
    made = desk.document("step", "run", "table")
    assert [(step["id"], step["outcome"]) for step in made["steps"]] == [("table", "created")]
    api = desk.document("step", "run", "api", "--in", OTHER_REGION)
    assert [(step["id"], step["region"]) for step in api["steps"]] == [("api", OTHER_REGION)]
    found = states(desk)
    assert found["table", HOME_REGION] == found["api", OTHER_REGION] == "ready"
    assert found["api", HOME_REGION] == found["replica", OTHER_REGION] == "absent"


def test_through_a_module_stops_after_it_and_the_next_setup_goes_on(desk):
    through = desk.document("setup", "--through", "backend")
    assert {step["module"] for step in through["steps"]} == {"backend"}
    outcomes = {(step["id"], step["region"]): step["outcome"] for step in through["steps"]}
    assert outcomes["table", HOME_REGION] == outcomes["api", OTHER_REGION] == "unchanged"
    assert outcomes["replica", OTHER_REGION] == "created"
    assert desk.document("status")["module"] == "backend"
    rest = desk.document("setup")
    assert {step["id"] for step in rest["steps"] if step["outcome"] == "created"} == {"web", "films"}
    assert desk.document("status")["module"] == "globalflix"


def test_the_plan_of_a_teardown_changes_nothing(desk):
    before = desk.inventory()
    plan = desk.document("teardown", "--plan")
    actions = {step["id"]: step["action"] for step in plan["steps"]}
    assert actions["table"] == actions["replica"] == actions["api"] == "remove"
    assert actions["ping"] == "nothing"
    assert desk.inventory() == before
    assert set(states(desk).values()) == {"ready"}


def test_steps_are_listed_module_by_module(desk):
    shown = desk.run("step", "list").out
    for word in ("backend", "explore", "globalflix", "dynamodb.replica", "cloudformation.stack"):
        assert word in shown
    listed = desk.document("step", "list")["steps"]
    assert [step["id"] for step in listed[:3]] == ["table", "replica", "data"]


def test_a_step_is_shown_with_its_settings_filled_in(desk):
    shown = desk.run("step", "show", "table").out
    assert "global-serverless" in shown
    assert "dynamodb.table" in shown
    assert desk.document("step", "show", "api")["with"]["name"] == "global-serverless-api"
    template = desk.run("step", "show", "api", "--template", "--in", HOME_REGION).out
    assert "AWS::ApiGateway::RestApi" in template
    assert "{{" not in template


def test_explain_shows_real_values_and_makes_no_change(desk):
    before = desk.inventory()
    lines = desk.run("explain").out
    assert lines.startswith("# global-serverless on local\n")
    assert "--table-name global-serverless" in lines
    assert f"curl -sS http://127.0.0.1:{desk.port}/_aws/execute-api/" in lines
    one = desk.document("explain", "api", "--in", OTHER_REGION)["steps"]
    assert [(step["id"], step["region"]) for step in one] == [("api", OTHER_REGION)]
    assert desk.inventory() == before


def test_open_prints_the_address_of_a_page(desk):
    for page in ("harness", "globalflix"):
        address = desk.run("open", page, "--print").out.strip()
        assert address.endswith(f"/{page}.html")
        assert b"<html" in desk.get(address)


def test_a_copy_of_the_site_that_was_edited_is_rendered_again(desk):
    page = desk.state / "sites" / "local" / "global-serverless" / "harness.html"
    page.write_text("mine")
    assert states(desk)["web", "global"] == "partial"
    outcomes = {step["id"]: step["outcome"] for step in desk.document("setup")["steps"]}
    assert outcomes["web"] == "updated"
    assert "<html" in page.read_text()


def test_a_stack_that_somebody_deleted_is_made_again(desk):
    desk.client("cloudformation", OTHER_REGION).delete_stack(StackName="global-serverless-api")
    assert states(desk)["api", OTHER_REGION] in ("absent", "partial")
    document = desk.document("setup")
    assert desk.get(document["apis"][OTHER_REGION]["path_url"])
    assert set(states(desk).values()) == {"ready"}


def test_independent_nodes_overlap_and_the_data_waits_for_the_replica(tmp_path):
    """Stacks deploy while table and replica are being made; the journal knows when each began and ended."""
    desk = Desk(tmp_path).cloud("realistic", 0.025)
    try:
        desk.run("setup", "--through", "backend")
    finally:
        desk.leave()
    with closing(sqlite3.connect(desk.state / "runs.db")) as journal:
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
