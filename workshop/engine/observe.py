"""Looks at what is deployed of every node, and changes nothing.

In: a workspace and a plan. Out: a `NodeState` per node, in the order of the plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workshop.aws.errors import CredentialsError
from workshop.definition.templating import MissingOutputError
from workshop.durations import format_moment
from workshop.engine.execute import StopSignal, execute
from workshop.engine.plan import Node, NodeKey, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import WorkshopError
from workshop.steps.base import Observed, State

__all__ = ["NodeState", "observe_all", "with_data_at_risk"]


FORMER = "of an earlier setup: these settings switch it off, or have it elsewhere"
NOT_CALLED = Observed(State.ABSENT, "not called: this definition was not granted as it is now")
"""In place of an observation that would call an address of a definition that is not granted."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """What was found of one node; `error` when looking failed."""

    node: Node
    observed: Observed
    error: WorkshopError | None = None
    data_at_risk: str = ""
    """What people would lose with it, where that was asked for."""


async def observe_all(workspace: Workspace, plan: Plan, contexts: Contexts) -> list[NodeState]:
    """Observe all nodes, those that need others after them, so that outputs are known; failures are kept per node.

    A node that no setup makes now is shown where something of ours is there of it, and is left out otherwise.
    Raises `CredentialsError` when no account of the plan takes its credentials.
    """
    stop = StopSignal()
    found: dict[NodeKey, Observed] = {}

    async def look(node: Node) -> NodeResult:
        if node.former:
            found[node.key] = await _of_former(contexts, node)
            contexts.outputs[node.key] = found[node.key].outputs
            return NodeResult(node, Outcome.UNCHANGED)
        try:
            step, ctx = contexts.context(node)
            observed = await step.observe(ctx) if workspace.trusted or not step.calls_addresses else NOT_CALLED
        except MissingOutputError:
            missing = ", ".join(sorted(str(need) for need in node.needs if not contexts.outputs.get(need)))
            found[node.key] = Observed(State.ABSENT, f"comes after {missing}" if missing else "comes after other steps")
            return NodeResult(node, Outcome.ABSENT)
        found[node.key] = observed
        contexts.outputs[node.key] = observed.outputs
        return NodeResult(node, Outcome.UNCHANGED)

    # What no setup makes now is looked for without the outputs of others, and nothing waits for it: a failure hides nothing.
    live = {node.key: node for node in plan.select(lambda node: not node.former).nodes}
    alone = Plan(tuple(live.get(node.key) or replace(node, needs=frozenset()) for node in plan.nodes))
    results = await execute(
        alone,
        look,
        emit=lambda _: None,
        stop=stop,
        ends_account=lambda error: isinstance(error, CredentialsError),
    )
    if stop.fatal is not None:
        raise stop.fatal
    nodes = {node.key: node for node in plan.nodes}
    broken = {r.node.key: Observed(State.BROKEN, r.error.what if r.error else r.detail) for r in results}
    seen = {**broken, **found}
    points = (NodeState(nodes[r.node.key], seen[r.node.key], r.error) for r in results)
    return [point for point in points if not (point.node.former and _nothing_of_ours(point.observed))]


async def _of_former(contexts: Contexts, node: Node) -> Observed:
    """What an earlier setup left of a node that none makes now."""
    looked_up = contexts.blank_context(node)
    if looked_up is None or looked_up[0].is_verification:
        return Observed(State.ABSENT)
    try:
        observed = await looked_up[0].observe(looked_up[1])
    except WorkshopError as error:
        if contexts.may_be_ignored(node, error):
            return Observed(State.ABSENT)
        raise
    return replace(observed, detail="; ".join(filter(None, (observed.detail, FORMER))))


def _nothing_of_ours(observed: Observed) -> bool:
    return observed.state in (State.ABSENT, State.FOREIGN) or not observed.ours


async def with_data_at_risk(points: Sequence[NodeState], contexts: Contexts) -> list[NodeState]:
    """The same points with what people would lose if the node were removed."""
    workspace = contexts.workspace

    async def of(point: NodeState) -> NodeState:
        if point.observed.state in (State.ABSENT, State.FOREIGN) or not point.observed.ours:
            return point
        step, ctx = contexts.context(point.node, missing="blank")
        adopted = f", adopted {format_moment(point.observed.adopted)}" if point.observed.adopted else ""
        try:
            at_risk = await step.data_at_risk(ctx)
            return replace(point, data_at_risk=f"{at_risk}{adopted}" if at_risk else "")
        except WorkshopError as error:
            if workspace.cannot_go_on(error):
                raise
            # Counting is a courtesy: that it is refused prevents nothing.
            return replace(point, data_at_risk=f"what could not be counted ({error.code})")

    return list(await asyncio.gather(*(of(point) for point in points)))
