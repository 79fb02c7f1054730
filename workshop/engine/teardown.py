"""Brings every node to absent, in reverse order, then asks every region what is left. In: a workspace and a plan.

Only what carries our tags, or what the journal shows we made, is touched; the rest is reported with the command that
removes it. What a first sweep still finds is destroyed once more (log groups come back), and a second sweep has the word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workshop.aws.errors import CredentialsError
from workshop.engine.events import Emit, Noticed, RunStarted
from workshop.engine.execute import StopSignal, execute
from workshop.engine.plan import Node, NodeKey, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import WorkshopError
from workshop.steps.base import UNKNOWN, Context, Resource, State, Step

__all__ = ["sweep", "tear_down"]


async def tear_down(workspace: Workspace, plan: Plan, contexts: Contexts, emit: Emit, stop: StopSignal) -> list[NodeResult]:
    """Destroy the nodes of a plan (given in setup order); every result is in the journal before it is emitted."""
    journal, backwards = workspace.journal, plan.reversed()
    contexts.remember(plan)

    async def bring_down(node: Node) -> NodeResult:
        step, ctx = contexts.lenient(node)
        if step.is_verification:
            return NodeResult(node, Outcome.ABSENT)
        try:
            observed = await step.observe(ctx)
        except CredentialsError:
            raise
        except WorkshopError as error:
            if not step.deleted_with_parent:
                raise
            # Nothing to remove here, so that it cannot be read must not keep what it stands in.
            return NodeResult(node, Outcome.SKIPPED, detail=f"goes with what it stands in; not looked at: {error.code}")
        if observed.state is State.FOREIGN or not observed.ours:
            detail = observed.detail or "not made by this workshop: left alone"
            return NodeResult(node, Outcome.SKIPPED, detail=detail)
        scope = workspace.scope(node.key.account)
        # An API's id names its log groups, and is known only while its stack stands: it outlives a kill from here on.
        contexts.outputs[node.key] = {**contexts.outputs.get(node.key, {}), **observed.outputs}
        step, ctx = contexts.lenient(node)
        journal.intend(workspace.run, scope, node.key, contexts.outputs[node.key])
        journal.inventory.mark_present(scope, node.key, await _named(step, ctx))
        await step.destroy(ctx)
        stood = observed.state is not State.ABSENT
        return NodeResult(node, Outcome.REMOVED if stood else Outcome.ABSENT)

    emit(RunStarted("teardown", backwards))
    return await execute(
        backwards, bring_down, clock=workspace.clock, emit=workspace.writing_down(emit), stop=stop,
        ends_the_run=lambda error: isinstance(error, CredentialsError),
    )  # fmt: skip


async def _named(step: Step[Any], ctx: Context[Any]) -> list[Resource]:
    """What the node holds, for the receipt; a refusal to say so stops no removal."""
    try:
        return await step.leftovers(ctx)
    except CredentialsError:
        raise
    except WorkshopError:
        return []


async def sweep(plan: Plan, contexts: Contexts, emit: Emit, results: Sequence[NodeResult]) -> list[Resource]:
    """Ask every region twice what is left; destroy again what comes back between the two.

    A region or a service that refuses to answer counts as something left: nobody knows that nothing is.
    """
    emit(Noticed("Sweeping every region for leftovers."))
    first = await _ask_all(plan, contexts)
    for node in (r.node for r in results if r.outcome in (Outcome.REMOVED, Outcome.ABSENT)):
        step, ctx = contexts.lenient(node)
        if not step.is_verification and first[node.key]:
            try:
                await step.destroy(ctx)
            except CredentialsError:
                raise
            except WorkshopError as error:
                emit(Noticed(f"! {node.key} came back and was not removed again: {error.what} {error.why}"))
    second = _merged(await _ask_all(plan, contexts))
    for resource in second:
        emit(Noticed(f"Left: {resource.kind} {resource.name} in {resource.region}"))
    return second


async def _ask_all(plan: Plan, contexts: Contexts) -> dict[NodeKey, list[Resource]]:
    """What every node names as left. What it held and does not name any more is noted as gone."""
    workspace = contexts.workspace

    async def of(node: Node) -> list[Resource]:
        step, ctx = contexts.lenient(node)
        try:
            left = await step.leftovers(ctx)
        except CredentialsError:
            raise
        except WorkshopError as error:
            return [_unknown(node, error)]
        workspace.journal.inventory.mark_gone(workspace.scope(node.key.account), node.key, left)
        return left

    return {node.key: left for node, left in zip(plan.nodes, await asyncio.gather(*map(of, plan.nodes)), strict=True)}


def _merged(left: Mapping[NodeKey, Sequence[Resource]]) -> list[Resource]:
    """Each resource once: several steps may name the same one."""
    found: dict[tuple[str, str, str], Resource] = {}
    for resource in (resource for group in left.values() for resource in group):
        known = found.get(resource.identity)
        found[resource.identity] = resource if known is None else replace(known, why=known.why or resource.why)
    return [found[key] for key in sorted(found)]


def _unknown(node: Node, error: WorkshopError) -> Resource:
    return Resource(
        UNKNOWN, node.key.step, node.key.region, why=f"Nobody knows what is left of it: {error.what} {error.why}".strip(),
        fix=error.fix or "workshop teardown",
    )  # fmt: skip
