"""Finds the regions in which something of a workshop stands, asked of AWS alone: for a lost journal, or another machine."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from workshop.aws.errors import AwsError, CredentialsError
from workshop.definition.parameters import Settings
from workshop.engine.events import Emit, Noticed
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.base import Placement, Resource

__all__ = ["settled_where_found", "under_other_names"]


async def settled_where_found(workspace: Workspace, candidates: Sequence[str], emit: Emit) -> Workspace:
    """The same workspace with its regions and every candidate in which one of its steps finds something.

    A region that refuses to answer is named and left out: it is often one that the account may not use.
    """
    found = await asyncio.gather(*(_stands(workspace, region, emit) for region in candidates))
    regions = list(workspace.settings.regions)
    extra = [region for region, stands in zip(candidates, found, strict=True) if stands and region not in regions]
    if extra:
        emit(Noticed(f"Found more in {', '.join(extra)}."))
    return replace(workspace, settings=Settings(workspace.settings.parameters, (*regions, *extra)))


async def _stands(workspace: Workspace, region: str, emit: Emit) -> bool:
    """Whether something of ours stands in the region, each step asked as if the region were its home or one of several."""
    alone = replace(workspace, settings=Settings(workspace.settings.parameters, (region,)))
    contexts = Contexts(alone, lambda _: None)
    for node in alone.plan().nodes:
        step, ctx = contexts.lenient(node)
        if step.verifies or node.spec.placement is Placement.GLOBAL:
            continue
        try:
            if any(resource.ours and resource.region == region for resource in await step.leftovers(ctx)):
                return True  # a role is global: it is seen from every region and says nothing about this one
        except CredentialsError:
            emit(Noticed(f"{region} does not take these credentials; it is left out."))
            return False
        except AwsError as error:
            emit(Noticed(f"{region} was not searched: {error.code}."))
            return False
    return False


async def under_other_names(
    workspace: Workspace, candidates: Sequence[str], known: Collection[Resource], emit: Emit
) -> list[Resource]:
    """What carries the workshop's tags in these regions and is not among `known`: a setup with other parameters left it."""
    identities = {resource.identity for resource in known}
    groups = await asyncio.gather(*(_tagged(workspace, region, emit) for region in candidates))
    why = "carries the tags of this workshop under another name: it was set up with other parameters"
    found = [resource for group in groups for resource in group if resource.identity not in identities]
    return [replace(resource, why=why) for resource in found]


async def _tagged(workspace: Workspace, region: str, emit: Emit) -> list[Resource]:
    alone = replace(workspace, settings=Settings(workspace.settings.parameters, (region,)))
    contexts = Contexts(alone, lambda _: None)
    kinds = {node.spec.kind: node for node in alone.plan().nodes}
    found: list[Resource] = []
    for node in kinds.values():
        step, ctx = contexts.lenient(node)
        try:
            found += await step.tagged(ctx)
        except CredentialsError:
            return found  # named already by the search for regions
        except AwsError as error:
            emit(Noticed(f"{region} was not searched for {step.kind} by tags: {error.code}."))
    return found
