"""Brings every node to absent, in reverse order, then asks every region what is left. In: a workspace and a plan.

Only what carries our tags, or what the journal shows we made, is touched; the rest is reported with the command that
removes it. What a first sweep still finds is destroyed once more (log groups come back), and a second sweep has the word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from workshop.aws.errors import CredentialsError
from workshop.engine.events import Emit, Event, NodeFinished, Noticed, RunStarted
from workshop.engine.execute import Stop, execute
from workshop.engine.plan import Node, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.base import Resource, State

__all__ = ["sweep", "take_down"]


async def take_down(workspace: Workspace, plan: Plan, contexts: Contexts, emit: Emit, stop: Stop) -> list[NodeResult]:
    """Destroy the nodes of a plan (given in setup order); every result is in the journal before it is emitted."""
    journal, backwards = workspace.journal, plan.reversed()
    contexts.remember(plan)

    async def bring_down(node: Node) -> NodeResult:
        step, ctx = contexts.lenient(node)
        if step.verifies:
            return NodeResult(node, Outcome.ABSENT)
        observed = await step.observe(ctx)
        if observed.state is State.FOREIGN or not observed.ours:
            detail = observed.detail or "not made by this workshop: left alone"
            return NodeResult(node, Outcome.SKIPPED, detail=detail)
        journal.intend(workspace.run, workspace.scope(node.key.account), node.key)
        await step.destroy(ctx)
        stood = observed.state is not State.ABSENT
        return NodeResult(node, Outcome.REMOVED if stood else Outcome.ABSENT)

    def remember(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.result.outcome is not Outcome.CANCELLED:
            journal.finish(workspace.run, workspace.scope(event.result.node.key.account), event.result)
        emit(event)

    emit(RunStarted("teardown", backwards))
    return await execute(
        backwards, bring_down, clock=workspace.clock, emit=remember, stop=stop,
        ends_the_run=lambda error: isinstance(error, CredentialsError),
    )  # fmt: skip


async def sweep(plan: Plan, contexts: Contexts, emit: Emit, results: Sequence[NodeResult]) -> list[Resource]:
    """Ask every region twice what is left; destroy again what comes back between the two."""
    emit(Noticed("Sweeping every region for leftovers."))
    first = await _leftovers(plan, contexts)
    retry = [r.node for r in results if r.outcome in (Outcome.REMOVED, Outcome.ABSENT)]
    for node in retry:
        step, ctx = contexts.lenient(node)
        if not step.verifies and any(resource in first for resource in await step.leftovers(ctx)):
            await step.destroy(ctx)
    second = await _leftovers(plan, contexts)
    for resource in second:
        emit(Noticed(f"Left: {resource.kind} {resource.name} in {resource.region}"))
    return second


async def _leftovers(plan: Plan, contexts: Contexts) -> list[Resource]:
    async def of(node: Node) -> list[Resource]:
        step, ctx = contexts.lenient(node)
        return await step.leftovers(ctx)

    found: dict[tuple[str, str, str], Resource] = {}
    for group in await asyncio.gather(*(of(node) for node in plan.nodes)):
        for resource in group:
            known = found.get(resource.identity)
            found[resource.identity] = resource if known is None else replace(known, why=known.why or resource.why)
    return [found[key] for key in sorted(found)]
