"""What DNS answers for the workshop's name: measured, and plotted.

In: a session, a number of queries. Out: a report, which the command renders. Nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workshop.app.connections import Notice
from workshop.app.session import Session
from workshop.drill.answers import RoutedAnswers, measure_answers
from workshop.drill.answers_plot import plot_answers
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError, WorkshopError
from workshop.quoting import visible
from workshop.state_dir import prepare as prepare_folder
from workshop.state_dir import write_private

__all__ = ["AnswersReport", "host_of", "observe_answers"]


@dataclass(frozen=True)
class AnswersReport:
    """What was measured, and the file of the plot."""

    found: RoutedAnswers
    plot: Path


async def observe_answers(session: Session, name: str, queries: int, source: str, notice: Notice) -> AnswersReport:
    """Measure the answers for one of the definition's `names:` (the first one when `name` is empty)."""
    workspace = session.workspace
    host = host_of(session, name)
    try:
        found = await measure_answers(workspace.clients[session.account], workspace.target, host, queries, source, notice)
    except WorkshopError as error:
        if error.code not in ("NoZone", "NoRecord"):
            raise
        fix = f"Set it up: {session.command_line('setup')}"
        raise WorkshopError(what=error.what, why=error.why, fix=fix, code=error.code) from error
    plot = prepare_folder(session.folder / "reports") / f"observe-answers-{workspace.run}.svg"
    title = f"Answers for {host}, {found.expected.policy}, {workspace.target.name}"
    write_private(plot, visible(plot_answers(title, found)))
    return AnswersReport(found, plot)


def host_of(session: Session, name: str) -> str:
    """The domain name behind a name of the definition: as it was recorded, else as the step that makes it is written."""
    workspace = session.workspace
    names = workspace.workshop.definition.names
    if not names or (name and name not in names):
        raise UsageError(
            what=f"{workspace.name} has no name {name!r}." if name else f"{workspace.name} lists no `names:`.",
            why="DNS routes none of its addresses." if not names else f"It has: {', '.join(names)}.",
            fix="Choose a workshop with a name in front of its regions: --workshop multi-region-backend",
            code="NoName",
        )
    wanted, plan = name or next(iter(names)), workspace.plan()
    contexts = Contexts(workspace, lambda _: None)
    contexts.remember(plan)
    known = contexts.names(session.account).get(wanted)
    if known:
        return known["host"]
    nodes = [node for node in plan.nodes if node.key.step == names[wanted].step]
    settings = [contexts.context(node, missing="blank")[1].params.model_dump() for node in nodes]
    host = next((str(each["name"]) for each in settings if each.get("name")), "")
    if not host:
        raise WorkshopError(
            what=f"The records of {wanted} are not made here.",
            why=f"The step {names[wanted].step} is switched off, or was never run.",
            fix=f"Set it up: {session.command_line('setup')}",
            code="NoRecord",
        )
    return host
