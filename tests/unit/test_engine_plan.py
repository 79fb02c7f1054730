"""The graph of a workshop: where each step runs, what it waits for, and how long the longest chain is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes.plans import definition, key, plan, step
from workshop.definition.loader import load
from workshop.definition.placement import Places
from workshop.engine.plan import GLOBAL, NodeKey, Plan, build
from workshop.errors import UsageError

REGIONS = ("us-west-2", "eu-west-1", "ap-south-1")


def built(*steps, regions=REGIONS, accounts=("1",)) -> Plan:
    return build(definition(backend=list(steps)), dict.fromkeys(accounts, Places(tuple(regions))))


def needs_of(found: Plan, name: str, region: str) -> set[tuple[str, str]]:
    node = next(n for n in found.nodes if (n.key.step, n.key.region) == (name, region))
    return {(need.step, need.region) for need in node.needs}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("home", ["us-west-2"]),
        ("replicas", ["eu-west-1", "ap-south-1"]),
        ("each", ["us-west-2", "eu-west-1", "ap-south-1"]),
        ("global", [GLOBAL]),
    ],
)
def test_a_step_runs_in_the_regions_of_its_placement(place, expected):
    assert sorted(node.key.region for node in built(step("a", place)).nodes) == sorted(expected)


def test_a_step_in_each_region_needs_another_such_step_in_its_own_region_only():
    found = built(step("api", "each"), step("ping", "each", "api"))
    assert needs_of(found, "ping", "eu-west-1") == {("api", "eu-west-1")}


def test_every_other_pair_of_placements_needs_all_of_the_step_before():
    found = built(
        step("table"), step("replica", "replicas", "table"), step("data", "home", "replica"), step("web", "global", "replica")
    )
    everywhere = {("replica", "eu-west-1"), ("replica", "ap-south-1")}
    assert needs_of(found, "data", "us-west-2") == everywhere
    assert needs_of(found, "web", GLOBAL) == everywhere
    assert ("table", "us-west-2") in needs_of(found, "replica", "ap-south-1")


def test_the_replicas_of_one_step_follow_each_other():
    found = built(step("table"), step("replica", "replicas", "table"))
    assert needs_of(found, "replica", "eu-west-1") == {("table", "us-west-2")}
    assert needs_of(found, "replica", "ap-south-1") == {("table", "us-west-2"), ("replica", "eu-west-1")}


def test_accounts_share_no_edge():
    found = built(step("table"), step("replica", "replicas", "table"), accounts=("1", "2"))
    assert len(found.nodes) == 6
    assert all(need.account == node.key.account for node in found.nodes for need in node.needs)


def test_through_a_module_leaves_later_ones_out():
    workshop = definition(backend=[step("table")], explore=[step("web", "global", "table")])
    assert [n.key.step for n in build(workshop, {"1": Places(REGIONS)}, through="backend").nodes] == ["table"]
    assert [n.key.step for n in build(workshop, {"1": Places(REGIONS)}, through="explore").nodes] == ["table", "web"]
    assert [n.module for n in build(workshop, {"1": Places(REGIONS)}).nodes] == ["backend", "explore"]


def test_an_unknown_module_is_a_usage_error_that_names_the_modules():
    with pytest.raises(UsageError) as caught:
        build(definition(backend=[step("table")]), {"1": Places(REGIONS)}, through="bakend")
    assert "bakend" in caught.value.what and "backend" in caught.value.fix


def test_the_built_in_workshop_deploys_its_apis_while_the_replica_is_created():
    found = build(load("global-serverless").definition, {"1": Places(REGIONS[:2])})
    assert needs_of(found, "api", "us-west-2") == set()
    assert needs_of(found, "data", "us-west-2") == {("replica", "eu-west-1")}
    assert len(found.nodes) == 12


def test_taking_down_turns_every_need_around():
    backwards = built(step("table"), step("replica", "replicas", "table")).reversed()
    assert [(n.key.step, n.key.region) for n in backwards.nodes][-1] == ("table", "us-west-2")
    assert needs_of(backwards, "replica", "eu-west-1") == {("replica", "ap-south-1")}
    assert needs_of(backwards, "table", "us-west-2") == {("replica", "eu-west-1"), ("replica", "ap-south-1")}


def test_a_selection_keeps_the_order_of_what_needed_each_other_through_something_that_is_left_out():
    chosen = plan(a="", b="a", other="", c="b other", d="c").select(lambda node: node.key.step not in ("b", "c", "other"))
    assert [(n.key.step, set(n.needs)) for n in chosen.nodes] == [("a", set()), ("d", {key("a")})]


def test_what_needs_a_step_that_is_switched_off_waits_for_what_that_one_would_have_waited_for():
    steps = [step("table"), step("api", "each", "table"), step("edge", "each", "api"), step("names", "each", "edge")]
    off = build(definition(backend=steps), {"1": Places(REGIONS, off=frozenset({"edge"}))})
    assert needs_of(off, "names", "eu-west-1") == {("api", "eu-west-1")}
    off = build(definition(backend=steps), {"1": Places(REGIONS, off=frozenset({"edge", "api"}))})
    assert needs_of(off, "names", "eu-west-1") == {("table", "us-west-2")}


def test_the_minutes_are_those_of_the_longest_chain():
    minutes = {"table": 1, "replica": 10, "data": 2, "api": 5, "web": 1}
    found = plan(table="", replica="table", data="replica", api="", web="api")
    assert found.minutes(lambda node: minutes[node.key.step]) == 13
    assert Plan(()).minutes(lambda node: 1) == 0


def test_a_node_shows_its_step_and_region():
    assert str(NodeKey("1", "table", "us-west-2")) == "table (us-west-2)"


@st.composite
def workshops(draw):
    """Random steps whose needs go to earlier ones, in random places."""
    count = draw(st.integers(1, 9))
    places = st.sampled_from(["home", "replicas", "each", "global"])
    steps = []
    for number in range(count):
        needs = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        steps.append(step(f"s{number}", draw(places), *(f"s{need}" for need in sorted(needs))))
    shuffled = draw(st.permutations(steps))
    regions = draw(st.integers(1, 4))
    chosen = ["us-west-2", "eu-west-1", "ap-south-1", "sa-east-1"][:regions]
    return build(definition(backend=shuffled), {"1": Places(tuple(chosen)), "2": Places(tuple(chosen))})


@settings(max_examples=50, deadline=None)
@given(workshops())
def test_the_order_of_every_plan_respects_its_needs(found):
    done: set[NodeKey] = set()
    for node in found.nodes:
        assert node.needs <= done
        done.add(node.key)


@settings(max_examples=50, deadline=None)
@given(workshops())
def test_the_order_of_every_reversed_plan_respects_its_needs(found):
    done: set[NodeKey] = set()
    for node in found.reversed().nodes:
        assert node.needs <= done
        done.add(node.key)


@settings(max_examples=50, deadline=None)
@given(workshops())
def test_a_plan_reversed_twice_is_the_same_plan(found):
    again = found.reversed().reversed()
    assert {(n.key, n.needs) for n in again.nodes} == {(n.key, n.needs) for n in found.nodes}
    assert again.nodes == found.nodes


def test_two_plans_of_one_workshop_are_equal():
    assert plan(a="", b="a") == plan(a="", b="a")
    assert plan(a="", b="a").nodes[1].needs == {key("a")}
