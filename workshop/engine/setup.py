"""Brings every node of a plan to ready.

In: a workspace and a plan. Out: a result per node. Each node is observed first: what is ready stays untouched, what is foreign
stops the node unless it is adopted, the rest is made or completed. The journal holds the intent before each change and the result
after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from workshop.aws.errors import CredentialsError
from workshop.definition.lint import require_sound
from workshop.definition.requirements import require_parameters
from workshop.definition.secrets import require_secrets
from workshop.definition.templating import MissingOutputError
from workshop.engine.adoption import Adoption, adopt
from workshop.engine.brings import Brings, brought, unlisted
from workshop.engine.events import Emit, RunStarted
from workshop.engine.execute import StopSignal, execute
from workshop.engine.plan import Node, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import UsageError, WorkshopError
from workshop.quoting import shown
from workshop.steps.base import Brought, State

__all__ = ["check_files", "set_up"]


async def check_files(workspace: Workspace, plan: Plan) -> None:
    """Look for every parameter that others ask for, and read every file that the plan needs, before anything is changed. Raises
    `UsageError` for what is missing, and for the first file that is wrong."""
    for account in workspace.clients:
        require_parameters(workspace.workshop, workspace.of_account(account).settings, workspace.plan_variables(account))
    for settings in (workspace.settings, *workspace.account_settings.values()):
        require_secrets(workspace.workshop, settings)
        require_sound(workspace.workshop, settings, target=workspace.target.name)
    contexts = Contexts(workspace, lambda _: None)
    for node in plan.nodes:
        try:
            step, ctx = contexts.context(node)
            step.check_files(ctx)
        except MissingOutputError:
            step, ctx = contexts.context(node, missing="blank")
            step.check_files(ctx)


async def set_up(
    workspace: Workspace,
    plan: Plan,
    contexts: Contexts,
    emit: Emit,
    stop: StopSignal,
    agreed: Collection[Adoption] = (),
) -> list[NodeResult]:
    """Run the plan; every result is in the journal before it is emitted. The definition must be granted.

    `agreed` are the foreign things that a person agreed to adopt; all others stop their nodes.
    """
    if not workspace.trusted:
        raise UsageError(
            what=f"{workspace.name} was not granted as it is now.",
            why="Running it is running its author's code.",
            fix="Read what it brings with: workshop setup --plan",
            code="NotGranted",
        )
    bringing = _Bringing(contexts, agreed, None if workspace.workshop.builtin else brought(workspace))
    emit(RunStarted("setup", plan))
    return await execute(
        plan,
        bringing.up,
        emit=workspace.writing_down(emit),
        stop=stop,
        ends_account=lambda error: isinstance(error, CredentialsError),
    )


@dataclass(frozen=True, slots=True)
class _Bringing:
    """What one setup does with each node. `listed` is what was shown before the definition was granted; None for one built in."""

    contexts: Contexts
    agreed: Collection[Adoption]
    listed: Sequence[Brings] | None

    async def up(self, node: Node) -> NodeResult:
        """Bring a node to ready."""
        workspace, journal = self.contexts.workspace, self.contexts.workspace.journal
        step, ctx = self.contexts.context(node)
        if self.listed is not None:
            _require_listed(self.contexts, node, step.brings(ctx), self.listed)
        scope, run = workspace.scope(node.key.account), workspace.of_account(node.key.account).run
        observed = await step.observe(ctx)
        tagged = observed.state is State.FOREIGN or (observed.state is not State.ABSENT and not observed.ours)
        if tagged:
            observed = await adopt(node, step, ctx, observed, self.agreed, lambda: journal.intend(run, scope, node.key))
        if observed.state is State.READY:
            fresh = step.is_verification and not journal.passed(scope, node.key)
            self.contexts.outputs[node.key] = observed.outputs
            outcome = Outcome.UPDATED if tagged else Outcome.CREATED if fresh else Outcome.UNCHANGED
            return NodeResult(node, outcome, outputs=observed.outputs, detail=observed.detail)
        resumed = not tagged and journal.resumes(scope, node.key)
        made_now = observed.state is State.ABSENT or step.is_verification or resumed
        journal.intend(run, scope, node.key)
        outputs = await step.create(ctx)
        self.contexts.outputs[node.key] = outputs
        return NodeResult(node, Outcome.CREATED if made_now else Outcome.UPDATED, outputs=outputs)


def _require_listed(contexts: Contexts, node: Node, found: Iterable[Brought], listed: Iterable[Brings]) -> None:
    """Raises `WorkshopError` when a step brings what was not shown when the definition was granted."""
    hidden = unlisted(contexts, node, found, listed)
    if hidden:
        names = ", ".join(f"{each.kind} {shown(each.name)}" for each in hidden[:3])
        raise WorkshopError(
            what=f"{node.key} brings what its list did not show: {names}.",
            why="Its template depends on an output of an earlier step, so that no plan could show it. It was not made.",
            fix="Read the template; write it so that what it brings does not depend on outputs",
            code="NotGranted",
        )
