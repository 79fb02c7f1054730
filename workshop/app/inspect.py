"""Looks at an installed workshop: its status, its steps one by one, the addresses of its pages. Changes nothing.

In: a session. Out: a `StatusReport`, and other values for the console.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.app.session import Session
from workshop.app.setup import selected
from workshop.console.report import StatusReport
from workshop.definition.templating import MissingOutputError
from workshop.drill.pending import failed_regions
from workshop.engine.observe import NodeState, observe_all
from workshop.engine.plan import Node, NodeKey
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError, WorkshopError
from workshop.shell import comment
from workshop.steps.base import Context, State, Step

__all__ = ["Page", "ShownStep", "explained", "page", "rendered", "shown_step", "status"]


@dataclass(frozen=True)
class Page:
    """The address of a page, the folder of its site where it is one, and whether something serves it at that address."""

    url: str
    folder: str
    served: bool


@dataclass(frozen=True)
class ShownStep:
    """A step in the places where it runs, with the settings of the first."""

    nodes: Sequence[Node]
    kind: Step[Any]
    ctx: Context[Any]


async def status(session: Session) -> StatusReport:
    """Query the cloud for everything of the workshop."""
    workspace = session.workspace
    contexts = Contexts(workspace, lambda _: None)
    points = await observe_all(workspace, workspace.plan(former=True), contexts)
    return StatusReport(
        workshop=workspace.name,
        target=workspace.target.name,
        account=session.account,
        regions=workspace.everywhere(former=any(point.node.former for point in points)),
        module=_reached(workspace.workshop.definition.module_names(), points),
        points=points,
        order=[spec.id for spec in workspace.workshop.definition.steps()],
        failed=failed_regions(session.folder, workspace.journal, session.scope),
        apis=contexts.api_addresses(session.account),
        names=contexts.named(session.account),
        signin=contexts.signin(session.account),
        links=contexts.links(session.account),
        setup=session.command_line("setup"),
    )


async def page(session: Session, name: str | None) -> Page:
    """A page of the workshop, the first that its definition names by default; raises `WorkshopError` while it is not rendered."""
    names = list(session.workspace.workshop.definition.links)
    if not names:
        raise UsageError(what=f"{session.workspace.name} has no web pages.", why="Its definition lists no links.", code="NoLinks")
    if name is not None and name not in names:
        raise UsageError(what=f"There is no page {name!r}.", fix=f"Pages: {', '.join(names)}", code="UnknownPage")
    links = (await status(session)).links
    if (name or names[0]) not in links:
        raise WorkshopError(
            what="The pages are not there yet.",
            why="No site is deployed.",
            fix=f"Run: {session.command_line('setup')}",
            code="NoSite",
        )
    target, url = session.workspace.target, links[name or names[0]]
    if not url.startswith(target.site_url(session.workspace.name)):
        return Page(url, "", served=True)  # in a bucket behind a distribution
    return Page(url, str(target.site_folder(session.workspace.name)), target.serves_sites)


def explained(session: Session, step: str | None, region: str | None) -> list[tuple[NodeKey, list[str]]]:
    """The AWS CLI lines of each node of a step, or of all; without a call."""
    contexts, plan = Contexts(session.workspace, lambda _: None), session.workspace.plan()
    contexts.remember(plan)
    return [(node.key, _commands(contexts, node)) for node in selected(session.workspace, plan, step, region).nodes]


def shown_step(session: Session, step: str, region: str | None) -> ShownStep:
    """One step with its settings filled in as far as they are known; without a call."""
    contexts, plan = Contexts(session.workspace, lambda _: None), session.workspace.plan()
    contexts.remember(plan)
    nodes = selected(session.workspace, plan, step, region).nodes
    kind, ctx = contexts.context(nodes[0], missing="blank")
    return ShownStep(nodes, kind, ctx)


def rendered(shown: ShownStep, part: str) -> str:
    """The `template` or the request `file` of a step; raises `UsageError` for a step that has none."""
    text = shown.kind.rendered(part, shown.ctx)
    if text is None:
        raise UsageError(
            what=f"The step {shown.ctx.step} has no {part}.",
            why=f"It is a {shown.kind.kind}.",
            fix=f"Leave --{part} out",
            code=f"No{part.capitalize()}",
        )
    return text


def _reached(modules: Iterable[str], points: Sequence[NodeState]) -> str:
    """The last module up to which everything is ready; empty when the first is not."""
    reached = ""
    for module in modules:
        if any(
            point.observed.state is not State.READY for point in points if point.node.module == module and not point.node.former
        ):
            break
        reached = module
    return reached


def _commands(contexts: Contexts, node: Node) -> list[str]:
    """The node's lines; where a value comes from a step that has not run yet, a remark in their place."""
    try:
        kind, ctx = contexts.context(node)
    except MissingOutputError:
        remark = "needs what earlier steps make, shown after: workshop setup"
        return [comment([*remark.split(), *contexts.workspace.given])]
    return kind.commands(ctx)
