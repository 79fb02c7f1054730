"""Brings every node to absent, in reverse order, then looks in every region for what is left.

In: a workspace and a plan. Out: a result per node; what is left in each account. Only what carries our tags, or what the journal
shows we made, is touched; the rest is reported with the command that removes it. What a first sweep still finds is destroyed once
more (log groups come back), and the second sweep decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
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
        if (looked_up := contexts.blank_context(node)) is None:
            return NodeResult(node, Outcome.SKIPPED, detail="is switched off, and names nothing with these parameters")
        step, ctx = looked_up
        if step.is_verification:
            return NodeResult(node, Outcome.ABSENT)
        try:
            observed = await step.observe(ctx)
        except CredentialsError:
            raise
        except WorkshopError as error:
            reason = _unread(contexts, node, step, error)
            if not reason:
                raise
            return NodeResult(node, Outcome.SKIPPED, detail=f"{reason}: {error.code}")
        if observed.state is State.FOREIGN or not observed.ours:
            detail = observed.detail or "not made by this workshop: left alone"
            return NodeResult(node, Outcome.SKIPPED, detail=detail)
        scope, run = workspace.scope(node.key.account), workspace.of_account(node.key.account).run
        # An API's id names its log groups, and is known only while its stack exists: it outlives a kill from here on.
        contexts.outputs[node.key] = {**contexts.outputs.get(node.key, {}), **observed.outputs}
        step, ctx = contexts.context(node, missing="blank")
        journal.intend(run, scope, node.key, contexts.outputs[node.key])
        journal.inventory.mark_present(scope, node.key, await _named(step, ctx))
        await step.destroy(ctx)
        if observed.kept:
            return NodeResult(node, Outcome.SKIPPED, detail=observed.detail)
        return NodeResult(node, Outcome.ABSENT if observed.state is State.ABSENT else Outcome.REMOVED)

    emit(RunStarted("teardown", backwards))
    return await execute(
        backwards,
        bring_down,
        emit=workspace.writing_down(emit),
        stop=stop,
        ends_account=lambda error: isinstance(error, CredentialsError),
    )


def _unread(contexts: Contexts, node: Node, step: Step[Any], error: WorkshopError) -> str:
    """Why a node that cannot be read stops no teardown; empty where it does."""
    if contexts.may_be_ignored(node, error):
        return "is switched off; looking for it is not allowed"
    # Nothing to remove here, so that it cannot be read must not keep its parent.
    return "is deleted with what holds it; not looked at" if step.deleted_with_parent else ""


async def _named(step: Step[Any], ctx: Context[Any]) -> list[Resource]:
    """What the node holds, for the receipt; that it cannot be read stops no removal."""
    try:
        return await step.leftovers(ctx)
    except CredentialsError:
        raise
    except WorkshopError:
        return []


async def sweep(plan: Plan, contexts: Contexts, emit: Emit, results: Sequence[NodeResult]) -> dict[str, list[Resource]]:
    """Look twice in every region for what is left; destroy again what comes back between the two. Returns it by account.

    What cannot be read, an account included, counts as something left: that nothing is cannot be known.
    """
    workspace = contexts.workspace
    emit(Noticed("Sweeping every region for leftovers."))
    first = await _ask_all(plan, contexts)
    for node in (r.node for r in results if r.outcome in (Outcome.REMOVED, Outcome.ABSENT)):
        step, ctx = contexts.context(node, missing="blank")
        if not step.is_verification and first[node.key]:
            try:
                await step.destroy(ctx)
            except WorkshopError as error:
                if workspace.cannot_go_on(error):
                    raise
                emit(Noticed(f"! {node.key} came back and was not removed again: {error.what} {error.why}"))
    second = await _ask_all(plan, contexts)
    left = {account: _merged(found for key, found in second.items() if key.account == account) for account in workspace.clients}
    for account, resource in ((account, resource) for account, resources in left.items() for resource in resources):
        where = f"{resource.region}, account {account}" if len(left) > 1 else resource.region
        emit(Noticed(f"Left: {resource.kind} {resource.name} in {where}"))
    return left


async def _ask_all(plan: Plan, contexts: Contexts) -> dict[NodeKey, list[Resource]]:
    """What every node finds left. What it held and does not name any more is recorded as gone."""
    workspace = contexts.workspace

    async def of(node: Node) -> list[Resource]:
        looked_up = contexts.blank_context(node)
        if looked_up is None:
            return []
        step, ctx = looked_up
        try:
            left = await step.leftovers(ctx)
        except WorkshopError as error:
            if workspace.cannot_go_on(error):
                raise
            return [] if contexts.may_be_ignored(node, error) else [_unknown(node, error)]
        if node.former:
            left = [resource for resource in left if resource.ours]  # what others have under its names is in the way of nothing
        workspace.journal.inventory.mark_gone(workspace.scope(node.key.account), node.key, left)
        return left

    return {node.key: left for node, left in zip(plan.nodes, await asyncio.gather(*map(of, plan.nodes)), strict=True)}


def _merged(left: Iterable[Sequence[Resource]]) -> list[Resource]:
    """Each resource of an account once: several steps may name the same one."""
    found: dict[tuple[str, str, str, str], Resource] = {}
    for resource in (resource for group in left for resource in group):
        known = found.get(resource.identity)
        found[resource.identity] = resource if known is None else replace(known, why=known.why or resource.why)
    return [found[key] for key in sorted(found)]


def _unknown(node: Node, error: WorkshopError) -> Resource:
    return Resource(
        UNKNOWN,
        node.key.step,
        node.key.region,
        why=f"It is not known what is left of it: {error.what} {error.why}".strip(),
        fix=error.fix or "workshop teardown",
    )
