"""Finds the regions in which something of a workshop stands, asked of AWS alone: for a lost journal, or another machine."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from workshop.aws.errors import AwsError, CredentialsError
from workshop.definition.parameters import Settings
from workshop.engine.events import Emit, Noticed
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import WorkshopError
from workshop.steps.base import Placement, Resource

__all__ = ["settled_where_copied", "settled_where_found", "under_other_names"]


async def settled_where_found(workspace: Workspace, candidates: Sequence[str], emit: Emit) -> Workspace:
    """The same workspace with its true home, and with every candidate region in which one of its steps finds something.

    Home is where something carries the tag of a step that belongs home. A region that refuses to answer is named and left out:
    it is often one that the account may not use.
    """
    groups = await asyncio.gather(*(_standing(workspace, region, emit) for region in candidates))
    found = [resource for group in groups for resource in group]
    home = _home(workspace, found, emit)
    order = [home, *workspace.settings.regions, *(r.region for r in found), *(copy for r in found for copy in r.copies)]
    return _settled(workspace, tuple(dict.fromkeys(order)), emit)


async def settled_where_copied(workspace: Workspace, emit: Emit) -> Workspace:
    """The same workspace with the regions into which somebody else replicated what stands at home.

    Such copies are ours through what they are copies of, and would stay when it goes (docs/aws-behaviours.md, section 1.6).
    """
    contexts = Contexts(workspace, lambda _: None)
    copies: list[str] = []
    for node in workspace.plan().nodes:
        if node.spec.placement is not Placement.HOME:
            continue
        step, ctx = contexts.lenient(node)
        try:
            copies += [copy for resource in await step.leftovers(ctx) if resource.ours for copy in resource.copies]
        except CredentialsError:
            raise
        except WorkshopError:
            continue  # the teardown of this step meets the same refusal, and reports it
    return _settled(workspace, tuple(dict.fromkeys([*workspace.settings.regions, *copies])), emit)


def _settled(workspace: Workspace, regions: tuple[str, ...], emit: Emit) -> Workspace:
    extra = [region for region in regions if region not in workspace.settings.regions]
    if extra:
        emit(Noticed(f"Something of this workshop stands in {', '.join(extra)}, too."))
    return replace(workspace, settings=Settings(workspace.settings.parameters, regions))


def _home(workspace: Workspace, found: Sequence[Resource], emit: Emit) -> str:
    """Where the steps that belong home left their tags; as settled when that is there too, or nowhere."""
    of_home = {spec.id for spec in workspace.workshop.definition.steps() if spec.placement is Placement.HOME}
    homes = list(dict.fromkeys(resource.region for resource in found if resource.step in of_home))
    if not homes or workspace.home in homes:
        return workspace.home
    emit(Noticed(f"The home region is {homes[0]}: what was made first stands there."))
    return homes[0]


async def _standing(workspace: Workspace, region: str, emit: Emit) -> list[Resource]:
    """What stands of ours in the region, each step asked as if the region were its home or one of several."""
    alone = replace(workspace, settings=Settings(workspace.settings.parameters, (region,)))
    contexts = Contexts(alone, lambda _: None)
    found: list[Resource] = []
    for node in alone.plan().nodes:
        step, ctx = contexts.lenient(node)
        if step.verifies or node.spec.placement is Placement.GLOBAL:
            continue
        try:
            # A role is global: it is seen from every region and says nothing about this one.
            found += [resource for resource in await step.leftovers(ctx) if resource.ours and resource.region == region]
        except CredentialsError:
            emit(Noticed(f"{region} does not take these credentials; it is left out."))
            return found
        except AwsError as error:
            emit(Noticed(f"{region} was not searched: {error.code}."))
            return found
    return found


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
