"""Running a plan: what is independent overlaps, what fails stops only what needs it, and no result is ever lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.unit.fakes.plans import Work, failure, plan
from workshop.aws.errors import CredentialsError
from workshop.engine.events import NodeFinished, NodeStarted, Noticed, StopAsked
from workshop.engine.execute import StopSignal, execute, unless_stopped
from workshop.engine.plan import Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.errors import WorkshopError


async def outcomes(graph, work, *, emit=lambda event: None, stop=None) -> dict[str, NodeResult]:
    results = await execute(
        graph,
        work,
        emit=emit,
        stop=stop or StopSignal(),
        ends_account=lambda error: isinstance(error, CredentialsError),
    )
    assert [r.node for r in results] == list(graph.nodes)
    return {r.node.key.step: r for r in results}


def named(results: dict[str, NodeResult]) -> dict[str, str]:
    return {name: result.outcome.value for name, result in results.items()}


async def test_independent_nodes_overlap_and_dependents_wait():
    work = Work({"table": 4, "replica": 22, "api": 60, "data": 1})
    results = await outcomes(plan(table="", replica="table", data="replica", api=""), work)
    assert work.began == {"table": 0, "api": 0, "replica": 4, "data": 26}
    assert asyncio.get_running_loop().time() == 60
    assert results["replica"].seconds == 22 and results["replica"].at == 26


async def test_a_node_starts_as_soon_as_the_last_of_its_needs_is_done():
    work = Work({"a": 10, "b": 3, "c": 5})
    await outcomes(plan(a="", b="", c="b", d="a c"), work)
    assert work.began["c"] == 3 and work.began["d"] == 10


async def test_a_failure_cancels_its_dependents_and_theirs_and_nothing_else():
    work = Work({"api": 60}, {"table": failure("no table")})
    results = await outcomes(plan(table="", replica="table", data="replica", api="", ping="api"), work)
    assert named(results) == {
        "table": "failed", "replica": "cancelled", "data": "cancelled", "api": "created", "ping": "created",
    }  # fmt: skip
    assert results["replica"].detail == "needs table (home)" and results["data"].detail == "needs replica (home)"
    assert "replica" not in work.began


async def test_all_failures_are_kept_with_the_moment_of_each():
    work = Work({"a": 5, "b": 2}, {"a": failure("late"), "b": failure("early")})
    results = await outcomes(plan(a="", b="", c=""), work)
    failed = sorted((r for r in results.values() if r.error), key=lambda r: r.at)
    assert [(r.error.what, r.at) for r in failed] == [("early", 2), ("late", 5)]
    assert results["c"].outcome is Outcome.CREATED


async def test_a_defect_in_one_node_does_not_lose_its_siblings():
    work = Work({"good": 30}, {"bad": KeyError("PK")})
    results = await outcomes(plan(bad="", good="", after="bad"), work)
    assert named(results) == {"bad": "failed", "good": "created", "after": "cancelled"}
    error = results["bad"].error
    assert error.code == "Defect" and "KeyError" in error.why and isinstance(error.__cause__, KeyError)


async def test_asking_to_stop_starts_nothing_new_and_ends_what_runs():
    stop, work, heard = StopSignal(), Work({"a": 10, "b": 50}), []
    asyncio.get_running_loop().call_later(20, stop.ask)
    results = await outcomes(plan(a="", b="a", c="b", d=""), work, stop=stop, emit=heard.append)
    assert named(results) == {"a": "created", "b": "cancelled", "c": "cancelled", "d": "created"}
    assert results["b"].detail == "interrupted" and results["c"].detail == "stopped"
    assert [type(event) for event in heard].count(StopAsked) == 1
    assert asyncio.get_running_loop().time() == 20
    assert stop.asked and stop.fatal is None


async def test_asking_to_stop_while_a_node_is_about_to_start_loses_no_result():
    stop = StopSignal()

    def first_start(event) -> None:
        if isinstance(event, NodeStarted) and event.node.key.step == "b":
            stop.ask()

    results = await outcomes(plan(a="", b="", c=""), Work(), stop=stop, emit=first_start)
    assert set(named(results).values()) == {"cancelled"}


async def test_a_call_in_flight_is_finished_before_a_stopped_node_ends():
    stop, done = StopSignal(), []

    async def work(node) -> NodeResult:
        call = asyncio.ensure_future(asyncio.sleep(10))
        try:
            await asyncio.shield(call)
        except asyncio.CancelledError:
            await call
            done.append(asyncio.get_running_loop().time())
            raise
        raise AssertionError("it was stopped")

    asyncio.get_running_loop().call_later(3, stop.ask)
    results = await outcomes(plan(a=""), work, stop=stop)
    assert named(results) == {"a": "cancelled"} and done == [10]


async def test_expired_credentials_end_the_run_at_once():
    expired = CredentialsError("ExpiredToken", "expired", service="sts", operation="Call", region="us-west-2")
    stop, work = StopSignal(), Work({"a": 2, "b": 500}, {"a": expired})
    results = await outcomes(plan(a="", b="", c="b"), work, stop=stop)
    assert named(results) == {"a": "failed", "b": "cancelled", "c": "cancelled"}
    assert stop.fatal is expired and asyncio.get_running_loop().time() == 2


async def test_expired_credentials_of_one_account_end_its_nodes_at_once_and_no_others():
    expired = CredentialsError("ExpiredToken", "expired", service="sts", operation="Call", region="us-west-2")
    first, second = plan(a="", b="", c="b").nodes, plan(d="", e="d").nodes
    elsewhere = {node.key: replace(node.key, account="2") for node in second}
    moved = [replace(n, key=elsewhere[n.key], needs=frozenset(elsewhere[need] for need in n.needs)) for n in second]
    stop, work, heard = StopSignal(), Work({"a": 2, "b": 500, "d": 30}, {"a": expired}), []
    results = await outcomes(Plan((*first, *moved)), work, stop=stop, emit=heard.append)
    assert named(results) == {"a": "failed", "b": "cancelled", "c": "cancelled", "d": "created", "e": "created"}
    assert results["b"].at == 2 and "b" not in work.ended and asyncio.get_running_loop().time() == 31
    assert not stop.asked and stop.fatal is None
    assert [event.text for event in heard if isinstance(event, Noticed)] == [
        f"! Account 1 stops here, the others go on: {expired.what}"
    ]


async def test_the_first_fatal_error_is_the_one_that_counts():
    errors = [CredentialsError("ExpiredToken", n, service="s", operation="o", region="r") for n in "ab"]
    stop = StopSignal()
    await outcomes(plan(a="", b=""), Work({"a": 1, "b": 1}, {"a": errors[0], "b": errors[1]}), stop=stop)
    assert stop.fatal in errors


async def test_every_node_is_told_of_when_it_starts_and_when_it_ends():
    heard = []
    await outcomes(plan(a="", b="a"), Work(failures={"a": failure("x")}), emit=heard.append)
    told = [(type(e).__name__, (e.node if isinstance(e, NodeStarted) else e.result.node).key.step) for e in heard]
    assert told == [("NodeStarted", "a"), ("NodeFinished", "a"), ("NodeFinished", "b")]


async def test_a_run_that_is_cancelled_from_outside_ends_its_nodes():
    ended = []

    async def work(node) -> NodeResult:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            ended.append(node.key.step)
            raise
        raise AssertionError("it was cancelled")

    run = asyncio.ensure_future(outcomes(plan(a="", b=""), work))
    await asyncio.sleep(5)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert sorted(ended) == ["a", "b"]


async def test_work_that_is_no_node_ends_when_a_stop_is_requested():
    async def work() -> str:
        await asyncio.sleep(60)
        return "done"

    assert await unless_stopped(StopSignal(), work()) == "done"
    stop = StopSignal()
    asyncio.get_running_loop().call_later(5, stop.ask)
    begun = asyncio.get_running_loop().time()
    assert await unless_stopped(stop, work()) is None
    assert await unless_stopped(stop, work()) is None
    assert asyncio.get_running_loop().time() == begun + 5


async def test_an_empty_plan_is_done_at_once():
    assert await outcomes(plan(), Work()) == {}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_failures_and_cancellations_stop_what_depends_on_them(outcome):
    assert outcome.good is (outcome not in (Outcome.FAILED, Outcome.CANCELLED))


def test_a_result_as_a_document_has_the_fields_of_the_contract():
    node = plan(a="").nodes[0]
    result = NodeResult(node, Outcome.FAILED, seconds=1.23456, error=WorkshopError("what", "why", "fix", code="C"))
    assert result.document() == {
        "id": "a", "module": "module", "region": "home", "kind": "dynamodb.table", "account": "1", "outcome": "failed",
        "seconds": 1.235, "outputs": {}, "error": {"what": "what", "why": "why", "fix": "fix", "code": "C"},
    }  # fmt: skip
    assert isinstance(NodeFinished(result).result, NodeResult)
