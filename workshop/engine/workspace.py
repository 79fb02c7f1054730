"""One workshop as it is about to be worked on, and the context that each of its nodes is given.

In: a definition, settled parameters and regions, a target, clients to accounts. Out: contexts, with templates filled in from
what earlier steps made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workshop.aws.client import AwsClient
from workshop.aws.target import Target
from workshop.definition.files import DefinitionFiles
from workshop.definition.form_errors import problems_of
from workshop.definition.loader import Workshop
from workshop.definition.parameters import Settings
from workshop.definition.placement import GLOBAL, by_region
from workshop.definition.templating import render_settings, render_settings_leniently
from workshop.definition.variables import TemplateVariables
from workshop.engine.events import Emit, Event, NodeFinished, NodeProgressed, NodeWaits
from workshop.engine.journal import Installation, Journal
from workshop.engine.plan import Node, NodeKey, Plan, build
from workshop.engine.results import Outcome
from workshop.engine.scope import Scope
from workshop.errors import DefinitionError
from workshop.steps.base import Context, Files, Outputs, Step
from workshop.steps.registry import kinds
from workshop.waiting import Clock

__all__ = ["Contexts", "Workspace"]


@dataclass(frozen=True)
class Workspace:
    """Everything that setup, teardown and status share."""

    workshop: Workshop
    settings: Settings
    target: Target
    clients: Mapping[str, AwsClient]
    journal: Journal
    clock: Clock
    run: str
    profile: str = ""
    given: tuple[str, ...] = ()
    """The options that mean this workshop in this place, as they were given on the command line."""
    granted: bool = False
    """Whether running the definition's code and calling its addresses was granted; what is built in needs no grant."""

    @property
    def trusted(self) -> bool:
        """Whether the definition's code may run and its addresses be called."""
        return self.granted or self.workshop.builtin

    @property
    def home(self) -> str:
        return self.settings.regions[0]

    @property
    def name(self) -> str:
        return self.workshop.definition.name

    def scope(self, account: str) -> Scope:
        return Scope(self.name, self.target.name, account)

    def plan(self, through: str | None = None) -> Plan:
        """The plan for every account."""
        return build(self.workshop.definition, self.settings.regions, self.clients, through=through)

    def writing_down(self, emit: Emit) -> Emit:
        """The same `emit`, with each result in the journal first. What was cancelled keeps its open intent there."""

        def write_down(event: Event) -> None:
            if isinstance(event, NodeFinished) and event.result.outcome is not Outcome.CANCELLED:
                self.journal.finish(self.run, self.scope(event.result.node.key.account), event.result)
            emit(event)

        return write_down

    def standing(self, account: str, since: str = "") -> Installation:
        """What the journal needs to find this workshop again."""
        source = self.name if self.workshop.builtin else str(self.workshop.source)
        return Installation(
            self.scope(account),
            source,
            self.profile,
            self.settings.regions,
            self.settings.parameters,
            since,
            self.target.endpoint,
        )


@dataclass
class Contexts:
    """Builds the context of each node; grows with the outputs of the nodes that are done."""

    workspace: Workspace
    emit: Emit
    outputs: dict[NodeKey, Outputs] = field(default_factory=dict)

    def strict(self, node: Node, outputs: Mapping[str, Any] | None = None) -> tuple[Step[Any], Context[Any]]:
        """The node's step and context; raises `MissingOutputError` when a step before it has no outputs yet.

        `outputs` are the variables `steps` and `apis` where those that are known are not meant.
        """
        variables = {**self.variables(node), **(outputs or {})}
        return self._context(node, render_settings(node.spec, variables), variables, self.workspace.workshop.files)

    def lenient(self, node: Node) -> tuple[Step[Any], Context[Any]]:
        """The same with outputs that do not exist (any more) left empty: what identifies a resource never needs them."""
        variables = self.variables(node)
        files = _LenientFiles(self.workspace.workshop.files)
        return self._context(node, render_settings_leniently(node.spec, variables), variables, files)

    def variables(self, node: Node) -> dict[str, Any]:
        """What the node's templates are filled in with."""
        workspace, account = self.workspace, node.key.account
        variables = TemplateVariables(
            workshop=workspace.name,
            title=workspace.workshop.definition.title,
            target=workspace.target.name,
            account=account,
            region=self._region(node),
            home=workspace.home,
            regions=list(workspace.settings.regions),
            steps=self._steps(account),
            apis=self.apis(account),
        )
        return variables.with_parameters(workspace.settings.parameters)

    def apis(self, account: str) -> dict[str, dict[str, str]]:
        """The addresses of the API in each region where it stands: `{region: {url, path_url}}`."""
        spec = self.workspace.workshop.definition.apis
        if spec is None:
            return {}
        found: dict[str, dict[str, str]] = {}
        for region in self.workspace.settings.regions:
            api = self.outputs.get(NodeKey(account, spec.step, region), {}).get(spec.output)
            if api:
                target = self.workspace.target
                found[region] = {
                    "url": target.api_url(api, region, spec.stage),
                    "path_url": target.api_path_url(api, region, spec.stage),
                }
        return found

    def links(self, account: str) -> dict[str, str]:
        """The addresses of the web pages by name, where their site stands."""
        definition = self.workspace.workshop.definition
        found: dict[str, str] = {}
        for name, link in definition.links.items():
            outputs = self.outputs.get(NodeKey(account, link.step, GLOBAL), {})
            if "Url" in outputs:
                found[name] = outputs["Url"] + link.page
        return found

    def remember(self, plan: Plan) -> None:
        """Take the outputs that the journal knows, for nodes that AWS may not be able to tell about any more."""
        for node in plan.nodes:
            known = self.workspace.journal.outputs(self.workspace.scope(node.key.account), node.key)
            if known:
                self.outputs[node.key] = known

    def _steps(self, account: str) -> dict[str, Any]:
        steps: dict[str, Any] = {}
        for spec in self.workspace.workshop.definition.steps():
            outputs = {k.region: dict(v) for k, v in self.outputs.items() if (k.account, k.step) == (account, spec.id)}
            if by_region(spec.placement):
                steps[spec.id] = outputs
            else:
                steps[spec.id] = next(iter(outputs.values()), {})
        return steps

    def _defaults(self, node: Node, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        parameters = self.workspace.workshop.definition.parameters
        defaults = {name: parameter.default for name, parameter in parameters.items()}
        return render_settings_leniently(node.spec, {**variables, **defaults})

    def _others(self, kind: str, variables: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        specs = self.workspace.workshop.definition.steps()
        return [render_settings_leniently(spec, variables) for spec in specs if spec.kind == kind]

    def _region(self, node: Node) -> str:
        return self.workspace.home if node.key.region == GLOBAL else node.key.region

    def _context(
        self, node: Node, settings: Mapping[str, Any], variables: Mapping[str, Any], files: Files
    ) -> tuple[Step[Any], Context[Any]]:
        workspace, key = self.workspace, node.key
        step = kinds()[node.spec.kind]
        try:
            params = step.Params.model_validate(settings)
        except ValidationError as error:
            raise _bad_settings(node, step, error) from error
        context = Context(
            aws=workspace.clients[key.account],
            account=key.account,
            target=workspace.target,
            workshop=workspace.name,
            step=key.step,
            region=self._region(node),
            regions=workspace.settings.regions,
            run=workspace.run,
            params=params,
            variables=variables,
            files=files,
            known=self.outputs.get(key, {}),
            defaults=self._defaults(node, variables),
            others=lambda kind: self._others(kind, variables),
            clock=workspace.clock,
            notes=_JournalNotes(workspace, key, self._region(node)),
            report=_NodeReporter(node, self.emit),
            given=workspace.given,
        )
        return step, context


@dataclass(frozen=True, slots=True)
class _JournalNotes:
    """The notes of one node, in the journal."""

    workspace: Workspace
    key: NodeKey
    region: str

    def record(self, kind: str, name: str) -> None:
        self.workspace.journal.record_made(self.workspace.run, self._scope, self.key, (kind, name, self.region))

    def forget(self, kind: str, name: str) -> None:
        self.workspace.journal.forget_made(self._scope, (kind, name, self.region))

    def made(self, kind: str, name: str, region: str) -> datetime | None:
        return self.workspace.journal.made(self._scope, (kind, name, region))

    @property
    def _scope(self) -> Scope:
        return self.workspace.scope(self.key.account)


@dataclass(frozen=True, slots=True)
class _NodeReporter:
    """The reports of one node, as events."""

    node: Node
    emit: Emit

    def progress(self, text: str) -> None:
        self.emit(NodeProgressed(self.node, text))

    def waiting(self, reason: str, seconds: float) -> None:
        self.emit(NodeWaits(self.node, reason, seconds))


class _LenientFiles(Files):
    """The files of a definition, whose templates may read outputs that do not exist (any more): those are left empty."""

    def __init__(self, files: DefinitionFiles) -> None:
        self._files = files

    @property
    def root(self) -> Path:
        return self._files.root

    def path(self, name: str) -> Path:
        return self._files.path(name)

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        return self._files.render_leniently(name, variables)


def _bad_settings(node: Node, step: Step[Any], error: ValidationError) -> DefinitionError:
    """The first of what pydantic found, by file, line and field where the step was read from a file."""
    location = node.spec.location
    if location is not None:
        return problems_of(error, step.Params, location.document, (*location.base, "with"))[0].error()
    return DefinitionError(f"{error.errors()[0]['msg']}.", "", "Mend its settings.", field=node.key.step)
