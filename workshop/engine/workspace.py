"""One workshop as it is about to be worked on, in one account or several, and the context that each of its nodes is given.

In: a definition, resolved parameters and regions, a target, a client for each account. Out: contexts, with templates filled in
from what earlier steps made.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import ValidationError

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.target import Target
from workshop.definition.conditions import places
from workshop.definition.derived import delegated, plan_variables, template_variables
from workshop.definition.form_errors import problems_of
from workshop.definition.loader import Workshop
from workshop.definition.model import StepSpec
from workshop.definition.parameters import Settings
from workshop.definition.placement import GLOBAL, Places, by_region
from workshop.definition.signin import signin
from workshop.definition.templating import render_settings, render_settings_leniently
from workshop.engine.events import Emit, Event, NodeFinished
from workshop.engine.journal import Installation, Journal
from workshop.engine.node_services import BlankFiles, JournalNotes, NodeReporter
from workshop.engine.plan import Node, NodeKey, Plan, build
from workshop.engine.results import Outcome
from workshop.engine.scope import Scope
from workshop.errors import DefinitionError, WorkshopError
from workshop.steps.base import Context, Files, Outputs, Step
from workshop.steps.registry import kinds
from workshop.steps.settings import per_region
from workshop.waiting import Clock

__all__ = ["Contexts", "Workspace"]


@dataclass(frozen=True)
class Workspace:
    """Everything that setup, teardown and status share."""

    workshop: Workshop
    settings: Settings
    """Those of every account that has none of its own in `account_settings`."""
    target: Target
    clients: Mapping[str, AwsClient]
    """One client for each account."""
    journal: Journal
    clock: Clock
    run: str
    profile: str = ""
    given: tuple[str, ...] = ()
    """The options that mean this workshop in this place, as they were given on the command line."""
    granted: bool = False
    """Whether running the definition's code and calling its addresses was granted; what is built in needs no grant."""
    allow_dangling: bool = False
    """Whether a zone may be deleted while its parent still delegates to it."""
    account_settings: Mapping[str, Settings] = field(default_factory=dict)
    """Parameters and regions by account, where there are several accounts and one differs from the others."""

    searched: Places | None = None
    """While one region is searched: the places of all steps in it, instead of those that follow from the settings."""

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

    def of_account(self, account: str) -> Workspace:
        """The part of one account: its client, its settings, a folder for its sites and a run of its own in the journal.

        A workspace of one account is returned as it is.
        """
        if len(self.clients) <= 1:
            return self
        return replace(
            self,
            clients={account: self.clients[account]},
            settings=self.account_settings.get(account, self.settings),
            account_settings={},
            target=self.target.for_account(account),
            run=f"{self.run}-{account}",
        )

    def cannot_go_on(self, error: WorkshopError) -> bool:
        """Whether an error leaves nothing to work with: credentials that the only account does not take (any more)."""
        return isinstance(error, CredentialsError) and len(self.clients) <= 1

    def scope(self, account: str) -> Scope:
        return Scope(self.name, self.target.name, account)

    def plan(self, through: str | None = None, *, former: bool = False) -> Plan:
        """The plan for every account, each in its own regions.

        With `former` also what a setup with these settings would not make and an earlier one may have made.
        """
        places = {account: self.former_places(account) if former else self.places(account) for account in self.clients}
        return build(self.workshop.definition, places, through=through, former=former)

    def places(self, account: str) -> Places:
        """Where the steps run in an account; raises `DefinitionError` for a template of `when:` or `in:` that cannot be used."""
        return self._places[account]

    def former_places(self, account: str) -> Places:
        """The same, with the other regions in which the journal or a search knows steps with a region of their own."""
        own, elsewhere = self.places(account), self.of_account(account).settings.elsewhere
        former: dict[str, tuple[str, ...]] = {}
        for step, region in own.named.items():
            known = (*elsewhere.get(step, ()), *self.journal.regions_of(self.scope(account), step))
            former[step] = tuple(dict.fromkeys(place for place in known if place not in (region, GLOBAL)))
        return replace(own, former=former)

    def everywhere(self, *, former: bool = False) -> tuple[str, ...]:
        """Every region in which a step runs in some account, home first; with `former` also where one may have run before."""
        found = (self.former_places(account) if former else self.places(account) for account in self.clients)
        return tuple(dict.fromkeys(region for places in found for region in places.everywhere(former=former)))

    @functools.cached_property
    def _places(self) -> dict[str, Places]:
        definition = self.workshop.definition
        return {account: self.searched or places(definition, self.plan_variables(account)) for account in self.clients}

    def plan_variables(self, account: str) -> dict[str, Any]:
        """What templates see that is known before the first step."""
        own = self.of_account(account).settings
        return plan_variables(self.workshop.definition, own, self.target.name, account, self.target.origin)

    def writing_down(self, emit: Emit) -> Emit:
        """The same `emit`, with each result in the journal first. What was cancelled keeps its open intent there."""

        def write_down(event: Event) -> None:
            if isinstance(event, NodeFinished) and event.result.outcome is not Outcome.CANCELLED:
                account = event.result.node.key.account
                self.journal.finish(self.of_account(account).run, self.scope(account), event.result)
            emit(event)

        return write_down

    def installation(self, account: str, since: str = "") -> Installation:
        """What the journal needs to find this workshop again; `since` is ISO 8601 UTC, empty for now."""
        settings = self.of_account(account).settings
        source = self.name if self.workshop.builtin else str(self.workshop.source)
        return Installation(
            self.scope(account),
            source,
            self.profile,
            settings.regions,
            settings.parameters,
            since,
            self.target.endpoint,
        )


@dataclass
class Contexts:
    """Builds the context of each node; grows with the outputs of the nodes that are done."""

    workspace: Workspace
    emit: Emit
    outputs: dict[NodeKey, Outputs] = field(default_factory=dict)

    def context(
        self, node: Node, *, missing: Literal["error", "blank"] = "error", outputs: Mapping[str, Any] | None = None
    ) -> tuple[Step[Any], Context[Any]]:
        """The node's step and context; raises `MissingOutputError` when a step before it has no outputs yet.

        With `missing="blank"` outputs that do not exist (any more) are empty: what identifies a resource never needs them.
        `outputs` replaces the variables `steps`, `apis`, `names` and `signin`.
        """
        files, variables = self.workspace.workshop.files, {**self.variables(node), **(outputs or {})}
        entries = _entries(node.spec)
        if missing == "error":
            return self._context(node, render_settings(node.spec, variables, entries), variables, files)
        return self._context(node, render_settings_leniently(node.spec, variables, entries), variables, BlankFiles(files))

    def blank_context(self, node: Node) -> tuple[Step[Any], Context[Any]] | None:
        """The same with `missing="blank"`; None for a node that no setup makes now and whose settings mean nothing any more."""
        try:
            return self.context(node, missing="blank")
        except DefinitionError:
            if node.former:
                return None
            raise

    def may_be_ignored(self, node: Node, error: WorkshopError) -> bool:
        """Whether that a node could not be read matters to no one: no setup makes it now, none on this machine ever did, and
        the caller has no permission to look."""
        journal, scope = self.workspace.journal, self.workspace.scope(node.key.account)
        denied = isinstance(error, AwsError) and error.denied
        return node.former and denied and not journal.knows(scope, node.key)

    def variables(self, node: Node) -> dict[str, Any]:
        """What the node's templates are filled in with."""
        account = node.key.account
        workspace = self.workspace.of_account(account)
        return template_variables(workspace.plan_variables(account), self._region(node), self.made(account))

    def made(self, account: str) -> dict[str, dict[str, Any]]:
        """What templates see of the steps that are done: `steps`, `apis`, `names` and `signin`."""
        made = {"steps": self._steps(account), "apis": self.apis(account), "names": self.names(account), "signin": {}}
        workspace, spec = self.workspace.of_account(account), self.workspace.workshop.definition.signin
        if spec is not None:
            plan = workspace.plan_variables(account)
            made["signin"] = signin(spec, template_variables(plan, workspace.home, made))
        return made

    def apis(self, account: str) -> dict[str, dict[str, str]]:
        """The API in each region where it is deployed: `{region: {url, path_url, host, id, stage}}`."""
        spec = self.workspace.workshop.definition.apis
        if spec is None:
            return {}
        workspace, found = self.workspace.of_account(account), dict[str, dict[str, str]]()
        target = workspace.target
        own = (key.region for key in self.outputs if key.account == account and key.step in spec.made_by and key.region != GLOBAL)
        regions = dict.fromkeys((*workspace.settings.regions, *own))
        for region, step in itertools.product(regions, spec.made_by):
            api = self.outputs.get(NodeKey(account, step, region), {}).get(spec.output)
            if api and region not in found:
                found[region] = {
                    "url": target.api_url(api, region, spec.stage),
                    "path_url": target.api_path_url(api, region, spec.stage),
                    "host": target.api_host(api, region),
                    "id": api,
                    "stage": spec.stage,
                }
        return found

    def api_addresses(self, account: str) -> dict[str, dict[str, str]]:
        """The addresses alone, as results show them: `{region: {url, path_url}}`."""
        return {region: {name: api[name] for name in ("url", "path_url")} for region, api in self.apis(account).items()}

    def names(self, account: str) -> dict[str, dict[str, str]]:
        """The names that DNS routes, where their records are made: `{name: {host, url}}`; `url` is empty where no browser could
        resolve the name."""
        workspace, found = self.workspace.of_account(account), dict[str, dict[str, str]]()
        known = delegated(workspace.settings.parameters, workspace.target.name)
        for name, spec in workspace.workshop.definition.names.items():
            of_step = (outputs for key, outputs in self.outputs.items() if (key.account, key.step) == (account, spec.step))
            host = next((outputs[spec.output] for outputs in of_step if outputs.get(spec.output)), "").rstrip(".")
            if host:
                found[name] = {"host": host, "url": workspace.target.name_url(host, delegated=known)}
        return found

    def named(self, account: str) -> dict[str, dict[str, str]] | None:
        """The same for results: None for a definition that lists no names."""
        return self.names(account) if self.workspace.workshop.definition.names else None

    def signin(self, account: str) -> dict[str, str] | None:
        """Where people sign in, for results: None without a `signin:` block, empty while it is not deployed. On the local cloud,
        and only there, with the name and password of the user that a step made."""
        spec = self.workspace.workshop.definition.signin
        if spec is None:
            return None
        found: dict[str, str] = self.made(account)["signin"]
        made = (outputs for key, outputs in self.outputs.items() if (key.account, key.step) == (account, spec.user))
        user = next(made, {}) if self.workspace.target.name == "local" else {}
        if found and user.get("Name") and user.get("Password"):
            found |= {"user": user["Name"], "password": user["Password"]}
        return found

    def links(self, account: str) -> dict[str, str]:
        """The addresses of the web pages by name, where their site is rendered."""
        definition = self.workspace.workshop.definition
        found: dict[str, str] = {}
        for name, link in definition.links.items():
            outputs = self.outputs.get(NodeKey(account, link.step, GLOBAL), {})
            if "Url" in outputs:
                found[name] = outputs["Url"] + link.page
        return found

    def remember(self, plan: Plan) -> None:
        """Take the outputs that the journal has, for nodes that cannot be read from AWS any more."""
        for node in plan.nodes:
            known = self.workspace.journal.outputs(self.workspace.scope(node.key.account), node.key)
            if known:
                self.outputs[node.key] = known

    def _steps(self, account: str) -> dict[str, Any]:
        steps, places = dict[str, Any](), self.workspace.places(account)
        for spec in self.workspace.workshop.definition.steps():
            outputs = {k.region: dict(v) for k, v in self.outputs.items() if (k.account, k.step) == (account, spec.id)}
            if by_region(spec.placement):
                steps[spec.id] = outputs
            else:
                steps[spec.id] = next((outputs[r] for r in places.of(spec) if r in outputs), next(iter(outputs.values()), {}))
        return steps

    def _defaults(self, node: Node, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        parameters = self.workspace.workshop.definition.parameters
        defaults = {name: parameter.default for name, parameter in parameters.items() if not parameter.secret}
        return render_settings_leniently(node.spec, {**variables, **defaults}, _entries(node.spec))

    def _others(self, kind: str, variables: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        specs = self.workspace.workshop.definition.steps()
        return [render_settings_leniently(spec, variables, _entries(spec)) for spec in specs if spec.kind == kind]

    def _region(self, node: Node) -> str:
        return self.workspace.of_account(node.key.account).home if node.key.region == GLOBAL else node.key.region

    def _context(
        self, node: Node, settings: Mapping[str, Any], variables: Mapping[str, Any], files: Files
    ) -> tuple[Step[Any], Context[Any]]:
        workspace, key = self.workspace.of_account(node.key.account), node.key
        step = kinds()[node.spec.kind]
        try:
            params = step.Params.model_validate(settings)
        except ValidationError as error:
            raise _bad_settings(node, step, error, workspace.settings.regions) from error
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
            defaults=lambda: self._defaults(node, variables),
            others=lambda kind: self._others(kind, variables),
            clock=workspace.clock,
            notes=JournalNotes(workspace.journal, workspace.scope(key.account), workspace.run, key, self._region(node)),
            report=NodeReporter(node, self.emit),
            given=workspace.given,
            allow_dangling=workspace.allow_dangling,
        )
        return step, context


def _entries(spec: StepSpec) -> frozenset[str]:
    """The settings of a step that have an entry for each region."""
    return per_region(kinds()[spec.kind].Params)


def _bad_settings(node: Node, step: Step[Any], error: ValidationError, regions: Sequence[str]) -> DefinitionError:
    """The first of what pydantic found, by file, line and field where the step was read from a file."""
    location = node.spec.location
    if location is not None:
        return problems_of(error, step.Params, location.document, (*location.base, "with"), regions=regions)[0].error()
    return DefinitionError(what=f"{error.errors()[0]['msg']}.", fix="Correct its settings.", field=node.key.step)
