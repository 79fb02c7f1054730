"""Opens what `workshop check` and `workshop policy` look at, as far as that is possible.

In: an invocation. Out: a `CheckContext`, in which everything that failed on the way is kept as an error, because a report that
stops at the first problem is no report. Only wrong usage raises. Nothing is changed except that the local cloud is started.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workshop.app.connections import NO_ACCOUNT, Connection, Notice, Place, try_aws, try_local, unconnected
from workshop.app.invocation import Invocation
from workshop.app.secrets import with_masks, with_secrets
from workshop.aws.boto_client import THREADS
from workshop.aws.regions import known_regions
from workshop.checks.context import CheckContext, EventPlan, GivenClient, Machine, PlannedStep
from workshop.checks.read_only import ReadOnlyClient
from workshop.definition.derived import plan_variables, template_variables
from workshop.definition.lint import Problem, lint
from workshop.definition.loader import Workshop, load
from workshop.definition.parameters import Settings, resolve, still_valid
from workshop.definition.requirements import required
from workshop.definition.secrets import obstacles
from workshop.definition.signin import PoolArn, given_pool, known_text, pool_arn
from workshop.definition.templating import MissingOutputError
from workshop.engine.journal import Installation, Journal
from workshop.engine.plan import estimate_of
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import DefinitionError, UsageError, WorkshopError
from workshop.state_dir import open_folder
from workshop.steps.base import Context, Step
from workshop.waiting import SystemClock

__all__ = ["open_for_checks", "open_for_policy"]

FALLBACK_REGIONS = ("us-west-2",)


@contextlib.asynccontextmanager
async def open_for_checks(invocation: Invocation, event: EventPlan, notice: Notice) -> AsyncIterator[CheckContext]:
    """Everything that the checks look at. Raises `UsageError` for options that mean nothing."""
    with _materials(invocation, event) as found:
        if found.place.target == "local":
            connection = await try_local(found.place, found.folder_error, notice)
        else:
            connection = await try_aws(found.place)
        yield await _check_context(found, connection)


@contextlib.asynccontextmanager
async def open_for_policy(invocation: Invocation, account: str) -> AsyncIterator[CheckContext]:
    """The same for an account, without a call."""
    with _materials(replace(invocation, target="aws"), EventPlan()) as found:
        yield await _check_context(replace(found, invocation=invocation), unconnected(found.place, account))


@dataclass(frozen=True)
class _Materials:
    """What is known before any call."""

    invocation: Invocation
    event: EventPlan
    workshop: Workshop | None
    problems: list[Problem]
    folder_error: WorkshopError | None
    journal: Journal
    installations: list[Installation]
    place: Place


@contextlib.contextmanager
def _materials(invocation: Invocation, event: EventPlan) -> Iterator[_Materials]:
    workshop, problems = _definition(invocation.workshop)
    with tempfile.TemporaryDirectory(prefix="workshop-check-") as scratch, ThreadPoolExecutor(THREADS) as executor:
        folder, journal, error = _journal(Path(scratch))
        with contextlib.closing(journal):
            target = invocation.target or "local"
            known = [s for s in journal.installations(workshop.name if workshop else "") if s.scope.target == target]
            profile = invocation.profile or (known[0].profile if known and not invocation.expect_account else "")
            regions = invocation.regions or (known[0].regions if known else ())
            home = (regions or (workshop.definition.regions if workshop else FALLBACK_REGIONS))[0]
            place = Place(target, folder, profile, home, SystemClock(), executor)
            yield _Materials(invocation, event, workshop, problems, error, journal, known, place)


async def _check_context(found: _Materials, connection: Connection) -> CheckContext:
    invocation, workshop, place = found.invocation, found.workshop, found.place
    account = connection.identity.account if connection.identity else invocation.expect_account or NO_ACCOUNT
    installed = next((s for s in found.installations if s.scope.account == account), None)
    settings = _settings(workshop, invocation, installed)
    client = ReadOnlyClient(connection.client)
    if workshop is not None and connection.identity is not None:
        settings = await with_secrets(workshop, settings, client)
    workspace = _workspace(found, settings, connection, account, client)
    steps, event, regions = _planned_steps(found, settings, workspace)
    pool = _given_pool(workshop, settings, place.target, account)
    return CheckContext(
        workshop=workshop.name if workshop else invocation.workshop,
        source=str(workshop.source) if workshop else invocation.workshop,
        target=place.target,
        regions=regions,
        known_regions=await known_regions(),
        account=account,
        aws=client,
        address=connection.client.address,
        override=connection.endpoint,
        caller=connection.identity,
        caller_error=connection.error,
        life=connection.life,
        expected_account=invocation.expect_account,
        planned_steps=steps,
        problems=tuple(found.problems),
        event=event,
        machine=Machine(
            place.folder, found.folder_error, connection.cloud_error, connection.cloud_port, connection.cloud_unsaved
        ),
        since=installed.since if installed else "",
        clock=place.clock,
        secrets=obstacles(workshop, settings) if workshop else {},
        required=_required(found, settings, account, secrets_read=connection.identity is not None),
        machine_pool=_machine_pool(workshop, pool),
        given_pool=pool,
        given_client=_given_client(workspace, pool_arn(pool)) if workspace and steps else None,
        options=replace(invocation, expect_account="").options(invocation.target),
    )


def _workspace(
    found: _Materials, settings: Settings, connection: Connection, account: str, client: ReadOnlyClient
) -> Workspace | None:
    """What is looked at; None for a workshop that cannot be read."""
    if found.workshop is None:
        return None
    return Workspace(
        workshop=found.workshop,
        settings=settings,
        target=connection.target,
        clients={account: client},
        journal=found.journal,
        clock=found.place.clock,
        run="check",
    )


def _planned_steps(
    found: _Materials, settings: Settings, workspace: Workspace | None
) -> tuple[tuple[PlannedStep, ...], EventPlan, tuple[str, ...]]:
    """Every step in every region with its context, the minutes and the cost of a setup, and all regions, home first."""
    if workspace is None:
        return (), found.event, settings.regions
    try:
        plan, regions = workspace.plan(), workspace.everywhere()
    except DefinitionError:
        if not found.problems:
            raise  # it comes from a parameter that was given, and is wrong usage
        return (), found.event, settings.regions  # lint has named it among the problems
    contexts = Contexts(workspace, lambda _: None)
    contexts.remember(plan)
    steps: list[PlannedStep] = []
    for node in plan.nodes:
        try:
            step, ctx = contexts.context(node)
            complete = not _awaits_outputs(step, ctx)
        except MissingOutputError:
            complete = False
        except DefinitionError:
            continue  # lint has named it among the problems
        if not complete:
            step, ctx = contexts.context(node, missing="blank")
        steps.append(PlannedStep(step, ctx, node.key.region if node.key.region in regions else "", complete))
    minutes = plan.minutes(lambda node: estimate_of(node.spec).minutes)
    usd = sum(estimate_of(node.spec).usd for node in plan.nodes)
    return tuple(steps), replace(found.event, setup_minutes=minutes, usd=usd), regions


def _required(found: _Materials, settings: Settings, account: str, *, secrets_read: bool) -> dict[str, UsageError | None]:
    """The parameters that others ask for, each with the error of a missing one. Secrets that were not read count as given."""
    workshop = found.workshop
    if workshop is None or found.problems:
        return {}
    known = settings if secrets_read else with_masks(workshop, settings)
    return required(workshop, known, plan_variables(workshop.definition, known, found.place.target, account))


def _given_pool(workshop: Workshop | None, settings: Settings, target: str, account: str) -> str:
    """The ARN of the user pool in which people sign in, where it is given; empty where a step makes it."""
    definition = workshop.definition if workshop else None
    if definition is None or definition.signin is None:
        return ""
    given = given_pool(definition.signin, plan_variables(definition, settings, target, account))
    return given.arn if given else ""


def _given_client(workspace: Workspace, pool: PoolArn | None) -> GivenClient | None:
    """The client of a pool that is given, with the addresses of the pages as far as the journal knows them."""
    spec = workspace.workshop.definition.signin
    if spec is None or pool is None:
        return None
    (account,) = workspace.clients
    contexts = Contexts(workspace, lambda _: None)
    contexts.remember(workspace.plan())
    variables = template_variables(workspace.plan_variables(account), workspace.home, contexts.made(account))
    client, scope, redirect, signed_out = (
        known_text(spec, field, variables) for field in ("client", "scope", "redirect", "signed_out")
    )
    return GivenClient(pool, client, scope, redirect, signed_out) if client else None


def _machine_pool(workshop: Workshop | None, given: str) -> str | None:
    """The pool in which drills make their app client: `given`, or empty where a step makes it. None for drills without one."""
    definition = workshop.definition if workshop else None
    if definition is None or definition.drill is None or definition.signin is None:
        return None
    return given if definition.drill.write.token or definition.drill.read.token else None


def _awaits_outputs(step: Step[Any], ctx: Context[Any]) -> bool:
    """Whether a file that the step names is filled in with outputs of earlier steps, as its settings may be."""
    try:
        step.check_files(ctx)
    except MissingOutputError:
        return True
    except WorkshopError:
        return False  # a check of its own reports it
    return False


def _definition(name: str) -> tuple[Workshop | None, list[Problem]]:
    """The workshop and its problems; one that cannot be read at all is None, one that does not exist raises."""
    problems = lint(name)
    try:
        return load(name), problems
    except DefinitionError:
        if not problems:
            raise
        return None, problems


def _journal(scratch: Path) -> tuple[Path, Journal, WorkshopError | None]:
    """The state folder and its journal; where it cannot be used, a journal in `scratch` and the error."""
    try:
        folder = open_folder()
        return folder, Journal(folder / "runs.db"), None
    except WorkshopError as error:
        return scratch, Journal(scratch / "runs.db"), error


def _settings(workshop: Workshop | None, invocation: Invocation, installed: Installation | None) -> Settings:
    if workshop is None:
        return Settings(dict(invocation.parameters), invocation.regions or FALLBACK_REGIONS)
    if installed is None:
        return resolve(workshop, invocation.parameters, invocation.regions)
    kept, _ = still_valid(workshop, installed.parameters)
    return resolve(workshop, {**kept, **invocation.parameters}, invocation.regions or installed.regions)
