"""From an opened workspace to what a drill or an observation needs: scene, settings, means, ledger. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from workshop.cli.compose import Opened
from workshop.cloud.faults import CloudFault, fault_add, faults_clear, faults_list
from workshop.definition.builtins import builtin_folder
from workshop.drill.fault import Means
from workshop.drill.ledger import Ledger
from workshop.drill.pending import ITEMS
from workshop.drill.scene import Scene, Stage, find_scene
from workshop.drill.settings import FILE, FailoverSettings, read_settings
from workshop.engine.plan import Node
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError, WorkshopError

__all__ = ["LocalCuts", "ledger_of", "means_of", "mend_faults", "scene_of", "settings_of"]

TABLE = "dynamodb.table"


class LocalCuts:
    """Replication of the local cloud, interrupted through its control endpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def held(self, region: str, table: str) -> bool:
        return bool(await asyncio.to_thread(self._ids, region, table))

    async def cut(self, region: str, table: str) -> None:
        await asyncio.to_thread(fault_add, self._folder, CloudFault("cut", region=region, table=table))

    async def join(self, region: str, table: str) -> None:
        ids = await asyncio.to_thread(self._ids, region, table)
        if ids:
            await asyncio.to_thread(faults_clear, self._folder, ids)

    def _ids(self, region: str, table: str) -> tuple[str, ...]:
        faults = faults_list(self._folder)
        return tuple(f.id for f in faults if f.kind == "cut" and f.region == region and f.table in ("", table))


async def scene_of(opened: Opened) -> Scene:
    """The scene of the workshop; raises `UsageError` when its definition has none."""
    workspace = opened.workspace
    definition = workspace.workshop.definition
    if definition.apis is None:
        raise _no_scene(opened, "lists no `apis:`, so there is nothing to put a load on")
    contexts = Contexts(workspace, lambda _: None)
    nodes = workspace.plan().nodes
    stacks = [node for node in nodes if node.key.step == definition.apis.step]
    tables = [node for node in nodes if node.spec.kind == TABLE]
    if not stacks or not tables:
        raise _no_scene(opened, f"has no step of the kind {TABLE}" if stacks else "has no step that makes its `apis:`")
    stage = Stage(
        workshop=workspace.name, table=_name(contexts, tables[0]), stack=_name(contexts, stacks[0]),
        output=definition.apis.output, stage=definition.apis.stage, regions=workspace.settings.regions,
    )  # fmt: skip
    return await find_scene(workspace.doors[opened.account], workspace.target, stage)


def settings_of(opened: Opened) -> FailoverSettings:
    """The failover's figures: those of the workshop's own player, else of the built-in one."""
    own = opened.workspace.workshop.files.root / FILE
    return read_settings(own if own.is_file() else builtin_folder("global-serverless") / FILE)


def means_of(opened: Opened, notice: Callable[[str], None]) -> Means:
    """The doors that faults may use."""
    workspace = opened.workspace
    cuts = LocalCuts(opened.folder) if workspace.target.name == "local" else None
    return Means(workspace.doors[opened.account], workspace.clock, cuts, notice)


def ledger_of(opened: Opened) -> Ledger:
    """The undos of this workshop in this place."""
    workspace = opened.workspace
    source = workspace.name if workspace.workshop.builtin else str(workspace.workshop.source)
    return Ledger(workspace.journal.undos, opened.scope, source, workspace.profile, workspace.run)


async def mend_faults(opened: Opened, notice: Callable[[str], None]) -> None:
    """Before a teardown: put back whatever is still failed, by a killed drill or by hand. Failing at it stops nothing."""
    ledger = ledger_of(opened)
    try:
        for settled in await ledger.settle_all(means_of(opened, notice), ledger.pending(lambda undo: undo.kind != ITEMS)):
            notice(f"Put back before the teardown: {settled.text}")
    except WorkshopError as error:
        notice(f"! {error.what} {error.why}")


def _name(contexts: Contexts, node: Node) -> str:
    return str(contexts.lenient(node)[1].params.name)


def _no_scene(opened: Opened, why: str) -> UsageError:
    name = opened.workspace.name
    return UsageError(
        f"{name} cannot be drilled.", f"Its definition {why}.", "See docs/drills.md for what a drill needs.", code="NoScene"
    )
