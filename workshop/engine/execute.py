"""Runs a plan: every node as soon as its needs are met, failures kept apart, all results kept.

In: a plan and a function that does one node's work. Out: a result for every node. When a node fails, what depends on it is
cancelled and everything else finishes. An error after which an account cannot go on ends the nodes of that account alone.
`StopSignal` ends a run early: nothing new starts, calls in flight are finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from workshop.engine.events import Emit, NodeFinished, NodeStarted, Noticed, StopAsked
from workshop.engine.plan import Node, NodeKey, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.errors import WorkshopError
from workshop.state_dir import unwritable
from workshop.waiting import monotonic

__all__ = ["Perform", "StopSignal", "execute", "unless_stopped"]

T = TypeVar("T")
Perform = Callable[[Node], Awaitable[NodeResult]]
"""Does a node's work; raises `WorkshopError` when it fails."""


@dataclass
class StopSignal:
    """Asks a run to end. Asking is safe from a signal handler of the loop."""

    asked: bool = False
    fatal: WorkshopError | None = None
    """The error that asked; None when a person did, or when it was not asked."""
    _listeners: list[Callable[[], None]] = field(default_factory=list)

    def ask(self) -> None:
        """Start nothing more, finish the calls in flight."""
        self.asked = True
        for listener in self._listeners:
            listener()

    def end(self, error: WorkshopError) -> None:
        """The same, because of an error after which nothing else can work."""
        self.fatal = error
        self.ask()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` when the run is asked to end."""
        self._listeners.append(listener)


async def unless_stopped(stop: StopSignal, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work returns; None when the run was asked to end before it did. Calls in flight are finished."""
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
    emit: Emit,
    stop: StopSignal,
    ends_account: Callable[[WorkshopError], bool],
) -> list[NodeResult]:
    """Run the plan and return one result per node, in plan order.

    `ends_account` is true of errors after which nothing else can work in the account where they occurred (expired credentials).
    The other accounts go on; when none is left, the run is asked to stop, with the first of these errors.
    """
    execution = _Execution(plan, perform, emit, stop)
    stop.listen(execution.interrupt)
    try:
        while execution.unfinished:
            execution.settle()
            for result in await execution.next_results():
                if result.error is not None and ends_account(result.error) and not stop.asked:
                    execution.end_account(result.node.key.account, result.error)
    finally:
        await execution.abandon()
    return [execution.results[node.key] for node in plan.nodes]


class _Execution:
    """The state of one run of one plan."""

    def __init__(self, plan: Plan, perform: Perform, emit: Emit, stop: StopSignal) -> None:
        self.results: dict[NodeKey, NodeResult] = {}
        self._waiting = list(plan.nodes)
        self._running: dict[asyncio.Task[NodeResult], Node] = {}
        self._perform, self._emit, self._stop = perform, emit, stop
        self._accounts = {node.key.account for node in plan.nodes}
        self._ended: dict[str, WorkshopError] = {}

    @property
    def unfinished(self) -> bool:
        return bool(self._waiting or self._running)

    def settle(self) -> None:
        """Start every node that can start; cancel every one that never will. Plan order resolves chains in one pass."""
        still: list[Node] = []
        for node in self._waiting:
            needs = [self.results[need] for need in sorted(node.needs) if need in self.results]
            blocked = next((need for need in needs if not need.outcome.good), None)
            if self._stop.asked or node.key.account in self._ended:
                self._finish(NodeResult(node, Outcome.CANCELLED, detail="stopped", at=monotonic()))
            elif blocked is not None:
                detail = f"needs {blocked.node.key}"
                self._finish(NodeResult(node, Outcome.CANCELLED, detail=detail, at=monotonic()))
            elif len(needs) == len(node.needs):
                self._running[asyncio.create_task(_attempt(node, self._perform))] = node
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
            return NodeResult(node, Outcome.CANCELLED, detail="stopped", at=monotonic())
        return task.result()

    def end_account(self, account: str, error: WorkshopError) -> None:
        """Nothing new starts in an account, and its nodes at work end; the last account to end asks the run to stop."""
        self._ended.setdefault(account, error)
        if self._accounts <= self._ended.keys():
            self._stop.end(next(iter(self._ended.values())))
            return
        self._emit(Noticed(f"! Account {account} stops here, the others go on: {error.what}"))
        for task, node in self._running.items():
            if node.key.account == account:
                task.cancel()

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


async def _attempt(node: Node, perform: Perform) -> NodeResult:
    start = monotonic()
    try:
        result = await perform(node)
    except WorkshopError as error:
        result = NodeResult(node, Outcome.FAILED, error=error)
    except asyncio.CancelledError:
        # The journal still holds the intent, so a rerun goes on here.
        result = NodeResult(node, Outcome.CANCELLED, detail="interrupted")
    except Exception as defect:
        # A defect in one step must not lose the results of its siblings; `--debug` shows where it came from.
        unknown = unwritable(defect) or WorkshopError(
            what=f"The step {node.key} met an error that workshop does not know.",
            why=f"{type(defect).__name__}: {defect}"[:300],
            fix="Run the same command with --debug and report what it prints.",
            code="Defect",
        )
        unknown.__cause__ = defect
        result = NodeResult(node, Outcome.FAILED, error=unknown)
    end = monotonic()
    return replace(result, seconds=end - start, at=end)
