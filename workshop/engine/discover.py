"""Finds the regions in which something of a workshop exists, from AWS alone: for a lost journal, or another machine.

In: a workspace of one account (`Workspace.of_account`) and the regions to search. Out: the workspace with the regions found; what
carries its tags and is not known. Only reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from workshop.aws.errors import AwsError, CredentialsError
from workshop.definition.model import StepSpec
from workshop.definition.placement import Places
from workshop.engine.events import Emit, Noticed
from workshop.engine.plan import Node
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import WorkshopError
from workshop.steps.base import UNKNOWN, Placement, Resource
from workshop.steps.registry import kinds

__all__ = ["RegionSearch", "find_orphans", "with_discovered_regions", "with_replicated_regions"]


@dataclass
class RegionSearch:
    """A search of many regions, and the regions that could not be searched."""

    regions: Sequence[str]
    denied: list[str] = field(default_factory=list)
    """Where the caller has no permission to look."""
    disabled: list[str] = field(default_factory=list)
    """Not enabled in the account, or closed by its organization, so that nothing is there."""
    unreadable: dict[str, Resource] = field(default_factory=dict)
    """Where every other error was met: by region, what counts as left there."""

    def failed(self, region: str, error: AwsError, emit: Emit) -> None:
        """Record once, and report, that a region could not be searched, and why.

        Raises `CredentialsError` for credentials that no region takes.
        """
        if isinstance(error, CredentialsError) and not error.not_enabled:
            raise error
        if region in self.denied or region in self.unreadable or region in self.disabled:
            return
        if error.not_enabled:
            self.disabled.append(region)
            emit(Noticed(f"{region} does not take these credentials: it is not enabled, and left out."))
            return
        if error.closed:
            self.disabled.append(region)
            emit(Noticed(f"{region} is closed by a service control policy, and left out."))
            return
        emit(Noticed(f"{region} was not searched: {error.code}."))
        if error.denied:
            self.denied.append(region)
        else:
            self.unreadable[region] = Resource(
                UNKNOWN,
                "everything",
                region,
                why=f"It is not known what is left there: {error.what} {error.why}".strip(),
                fix=error.fix or "workshop teardown --sweep",
            )


@dataclass(frozen=True, slots=True)
class _Found:
    """Something of ours, and the step that named it."""

    spec: StepSpec
    resource: Resource


async def with_discovered_regions(workspace: Workspace, search: RegionSearch, emit: Emit) -> Workspace:
    """The same workspace with its true home, and with every region of the search in which one of its steps finds something.

    Home is where something carries the tag of a step that belongs home.
    """
    found = await _search(workspace, search, emit, lambda node: node.spec.placement is not Placement.GLOBAL)
    return _extended(workspace, found, emit)


async def with_replicated_regions(workspace: Workspace, emit: Emit) -> Workspace:
    """The same workspace with its true home, and with the regions into which its tables were replicated by another hand.

    Only its own regions are searched. Replicas are ours through what they replicate, and would stay when it is deleted
    (docs/aws-behaviours.md, section 1.6). What cannot be read is met, and reported, by the teardown itself.
    """
    search = RegionSearch(workspace.settings.regions)
    found = await _search(workspace, search, lambda _: None, lambda node: node.spec.placement is Placement.HOME)
    return _extended(workspace, found, emit)


async def _search(workspace: Workspace, search: RegionSearch, emit: Emit, wanted: Callable[[Node], bool]) -> list[_Found]:
    """What is found of the wanted nodes in all regions of the search."""
    groups = await asyncio.gather(*(_present(workspace, region, search, emit, wanted) for region in search.regions))
    return [resource for group in groups for resource in group]


def _extended(workspace: Workspace, found: Sequence[_Found], emit: Emit) -> Workspace:
    """The workspace with the home and the regions of what was found.

    What a step with a region of its own left elsewhere is remembered for that step alone: no other step runs there.
    """
    own = [each.resource for each in found if each.spec.placement is not Placement.NAMED]
    home, known = _home(workspace, own, emit), workspace.settings.regions
    regions = tuple(dict.fromkeys([home, *known, *(r.region for r in own), *(copy for r in own for copy in r.copies)]))
    elsewhere: dict[str, tuple[str, ...]] = {}
    for each in found:
        if each.spec.placement is Placement.NAMED:
            elsewhere[each.spec.id] = (*elsewhere.get(each.spec.id, ()), each.resource.region)
    known = workspace.everywhere(former=True)
    extended = replace(workspace, settings=replace(workspace.settings, regions=regions, elsewhere=elsewhere))
    if extra := [region for region in extended.everywhere(former=True) if region not in known]:
        emit(Noticed(f"Something of this workshop is deployed in {', '.join(extra)}, too."))
    return extended


def _home(workspace: Workspace, found: Sequence[Resource], emit: Emit) -> str:
    """Where the steps that belong home left their tags; the home of the settings when that is among them, or there are none."""
    of_home = {spec.id for spec in workspace.workshop.definition.steps() if spec.placement is Placement.HOME}
    homes = list(dict.fromkeys(resource.region for resource in found if resource.step in of_home))
    if not homes or workspace.home in homes:
        return workspace.home
    emit(Noticed(f"The home region is {homes[0]}: what was made first is there."))
    return homes[0]


async def _present(
    workspace: Workspace, region: str, search: RegionSearch, emit: Emit, wanted: Callable[[Node], bool]
) -> list[_Found]:
    """What exists of ours in the region, each step looking as if the region were its home, one of several or its own."""
    alone = _alone_in(workspace, region)
    contexts = Contexts(alone, lambda _: None)
    found: list[_Found] = []
    for node in (node for node in alone.plan(former=True).nodes if wanted(node)):
        try:
            step, ctx = contexts.context(node, missing="blank")
            # A role is global: it is seen from every region and shows nothing about this one.
            mine = [resource for resource in await step.leftovers(ctx) if resource.ours and resource.region == region]
            found += [_Found(node.spec, resource) for resource in mine]
        except AwsError as error:
            if contexts.may_be_ignored(node, error):
                continue
            search.failed(region, error, emit)
            return found
        except WorkshopError:
            continue  # a file of the definition that cannot be read: the step itself reports it
    return found


def _alone_in(workspace: Workspace, region: str) -> Workspace:
    """The workspace as if the region were all of its regions, and the one of every step with a region of its own."""
    (account,) = workspace.clients
    named = {spec.id: region for spec in workspace.workshop.definition.steps() if spec.placement is Placement.NAMED}
    searched = Places((region,), named, workspace.places(account).off)
    return replace(workspace, settings=replace(workspace.settings, regions=(region,)), searched=searched)


async def find_orphans(workspace: Workspace, search: RegionSearch, known: Collection[Resource], emit: Emit) -> list[Resource]:
    """What carries the workshop's tags in these regions and is not among `known`: made under names, or by steps, of before."""
    identities = {resource.identity for resource in known}
    groups = await asyncio.gather(*(_tagged(workspace, region, search, emit) for region in search.regions))
    found = [resource for group in groups for resource in group if resource.identity not in identities]
    return [replace(resource, why=_by_tags_alone(resource)) for resource in found]


def _by_tags_alone(resource: Resource) -> str:
    known = f" ({resource.age_and_size})" if resource.age_and_size else ""
    return (
        f"carries the tags of this workshop{known} under a name that it does not use now: its parameters or steps were others. "
        "Tags can be set by anybody: look at it before you delete it"
    )


async def _tagged(workspace: Workspace, region: str, search: RegionSearch, emit: Emit) -> list[Resource]:
    """Of every kind that exists: the step that made something may have left the definition. What is in no region is looked for
    once."""
    alone = _alone_in(workspace, region)
    contexts = Contexts(alone, lambda _: None)
    nodes = sorted(alone.plan(former=True).nodes, key=lambda node: node.former)
    ctx = next((looked_up[1] for looked_up in map(contexts.blank_context, nodes) if looked_up), None)
    if ctx is None:
        return []
    found: list[Resource] = []
    is_first = region == search.regions[0]
    for step in kinds().values():
        if step.is_global and not is_first:
            continue
        try:
            found += await step.tagged(ctx)
        except AwsError as error:
            search.failed(region, error, emit)
            return found
    return found
