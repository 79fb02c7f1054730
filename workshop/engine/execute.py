"""Runs a plan: every node as soon as its needs are met, failures kept apart, all results kept.

In: a plan and a function that does one node's work. Out: a result for every node. When a node fails, what depends on it is
cancelled and everything else finishes. `StopSignal` ends a run early: nothing new starts, calls in flight are finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from workshop.engine.events import Emit, NodeFinished, NodeStarted, StopAsked
from workshop.engine.plan import Node, NodeKey, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.errors import WorkshopError
from workshop.waiting import Clock

__all__ = ["Perform", "StopSignal", "execute", "unless_stopped"]

T = TypeVar("T")
Perform = Callable[[Node], Awaitable[NodeResult]]
"""Does a node's work; raises `WorkshopError` when it fails."""


@dataclass
class StopSignal:
    """Asks a run to end. Asking is safe from a signal handler of the loop."""

    asked: bool = False
    fatal: WorkshopError | None = None
    _listeners: list[Callable[[], None]] = field(default_factory=list)

    def ask(self) -> None:
        """StopSignal starting, finish the calls in flight."""
        self.asked = True
        for listener in self._listeners:
            listener()

    def end(self, error: WorkshopError) -> None:
        """The same, because of an error after which nothing else can work."""
        self.fatal = error
        self.ask()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` when somebody asks."""
        self._listeners.append(listener)


async def unless_stopped(stop: StopSignal, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work answers; None when somebody asked to stop before it did. Calls in flight are finished."""
    task = asyncio.ensure_future(work)

    def end() -> None:
        task.cancel()

    stop.listen(end)
    if stop.asked:
        end()
    try:
        return await task
    except asyncio.CancelledError:
        if not stop.asked:
            raise
        return None
    finally:
        end()


async def execute(
    plan: Plan,
    perform: Perform,
    *,
    clock: Clock,
    emit: Emit,
    stop: StopSignal,
    ends_the_run: Callable[[WorkshopError], bool],
) -> list[NodeResult]:
    """Run the plan and answer one result per node, in plan order.

    `ends_the_run` tells the errors after which nothing else can work (expired credentials).
    """
    execution = _Execution(plan, perform, clock, emit, stop)
    stop.listen(execution.interrupt)
    try:
        while execution.unfinished:
            execution.settle()
            for result in await execution.next_results():
                if result.error is not None and ends_the_run(result.error) and not stop.asked:
                    stop.end(result.error)
    finally:
        await execution.abandon()
    return [execution.results[node.key] for node in plan.nodes]


class _Execution:
    """The state of one run of one plan."""

    def __init__(self, plan: Plan, perform: Perform, clock: Clock, emit: Emit, stop: StopSignal) -> None:
        self.results: dict[NodeKey, NodeResult] = {}
        self._waiting = list(plan.nodes)
        self._running: dict[asyncio.Task[NodeResult], Node] = {}
        self._perform, self._clock, self._emit, self._stop = perform, clock, emit, stop

    @property
    def unfinished(self) -> bool:
        return bool(self._waiting or self._running)

    def settle(self) -> None:
        """Start every node that can start; cancel every one that never will. Plan order settles chains in one pass."""
        still: list[Node] = []
        for node in self._waiting:
            needs = [self.results[need] for need in sorted(node.needs) if need in self.results]
            blocked = next((need for need in needs if not need.outcome.good), None)
            if self._stop.asked:
                self._finish(NodeResult(node, Outcome.CANCELLED, detail="stopped", at=self._clock.monotonic()))
            elif blocked is not None:
                detail = f"needs {blocked.node.key}"
                self._finish(NodeResult(node, Outcome.CANCELLED, detail=detail, at=self._clock.monotonic()))
            elif len(needs) == len(node.needs):
                self._running[asyncio.create_task(_attempt(node, self._perform, self._clock))] = node
                self._emit(NodeStarted(node))
            else:
                still.append(node)
        self._waiting = still

    async def next_results(self) -> list[NodeResult]:
        """Wait for at least one running node to end."""
        if not self._running:
            return []
        done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        results = [self._result(task, self._running.pop(task)) for task in done]
        for result in results:
            self._finish(result)
        return results

    def _result(self, task: asyncio.Task[NodeResult], node: Node) -> NodeResult:
        if task.cancelled():  # stopped before its first step, so it has no result of its own
            return NodeResult(node, Outcome.CANCELLED, detail="stopped", at=self._clock.monotonic())
        return task.result()

    def interrupt(self) -> None:
        """Nothing new starts; nodes at work end after the call that they have in flight."""
        self._emit(StopAsked())
        for task in self._running:
            task.cancel()

    async def abandon(self) -> None:
        """End what still runs; nothing does after a normal end."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _finish(self, result: NodeResult) -> None:
        self.results[result.node.key] = result
        self._emit(NodeFinished(result))


async def _attempt(node: Node, perform: Perform, clock: Clock) -> NodeResult:
    start = clock.monotonic()
    try:
        result = await perform(node)
    except WorkshopError as error:
        result = NodeResult(node, Outcome.FAILED, error=error)
    except asyncio.CancelledError:
        # Only `StopSignal` cancels nodes; the journal still holds the intent, so a rerun goes on here.
        result = NodeResult(node, Outcome.CANCELLED, detail="interrupted")
    except Exception as defect:
        # A defect in one step must not lose the results of its siblings; `--debug` shows where it came from.
        unknown = WorkshopError(
            f"The step {node.key} met an error that workshop does not know.",
            f"{type(defect).__name__}: {defect}"[:300],
            "Run the same command with --debug and report what it prints.",
            code="Defect",
        )
        unknown.__cause__ = defect
        result = NodeResult(node, Outcome.FAILED, error=unknown)
    end = clock.monotonic()
    return replace(result, seconds=end - start, at=end)
