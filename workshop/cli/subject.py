"""Opens what `workshop check` and `workshop policy` look at, as far as it goes.

In: the command line's options. Out: a `Subject`, in which everything that failed on the way is kept as an error, because a
report that stops at the first problem is no report. Only what is plainly wrong usage raises. Nothing is changed but that the
local cloud is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from workshop.aws.account import THREADS
from workshop.aws.door import Door
from workshop.aws.inquiry import Inquiry, Life, credential_life, who_calls
from workshop.aws.sessions import Identity, known_regions, local_session, open_session, override
from workshop.aws.target import Target
from workshop.checks.readonly import ReadOnly
from workshop.checks.subject import Event, Machine, Stop, Subject
from workshop.cli.folder import open_folder
from workshop.cli.options import Common, retyped_options
from workshop.clock import SystemClock
from workshop.cloud import daemon
from workshop.definition.lint import Problem, lint
from workshop.definition.loader import Workshop, load
from workshop.definition.parameters import Settings, resolve, still_valid
from workshop.definition.templating import MissingOutputError
from workshop.engine.journal import Journal, Standing
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import DefinitionError, WorkshopError
from workshop.steps.registry import kinds

__all__ = ["Wanted", "open_subject", "open_unconnected"]

Notice = Callable[[str], None]
NOBODY = "000000000000"
"""Stands in for the account while there is no caller: names and addresses are then still shown."""
FALLBACK_REGIONS = ("us-west-2",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is planned, as the command line says it."""

    participants: int = 1
    minutes: float = 120.0


@dataclass(frozen=True)
class _Connected:
    """What came of connecting."""

    door: Inquiry
    target: Target
    caller: Identity | None = None
    error: WorkshopError | None = None
    life: Life | None = None
    cloud_error: WorkshopError | None = None
    cloud_port: int | None = None
    override: str = ""


@contextlib.asynccontextmanager
async def open_subject(common: Common, wanted: Wanted, notice: Notice) -> AsyncIterator[Subject]:
    """Everything that the checks look at. Raises `UsageError` for options that mean nothing."""
    async with _opened(common, wanted) as opened:
        if opened.target == "local":
            connected = await _local(opened, notice)
        else:
            connected = await _aws(opened)
        yield await opened.subject(connected)


@contextlib.asynccontextmanager
async def open_unconnected(common: Common, account: str) -> AsyncIterator[Subject]:
    """What the steps and checks would do in an account, without calling anybody: for the policy."""
    async with _opened(common, Wanted()) as opened:
        door = Inquiry(local_session(NOBODY), account, clock=SystemClock(), executor=opened.executor)
        place = Target("aws", opened.folder / "sites" / f"aws-{account}")
        yield await opened.subject(_Connected(door, place, Identity(account, f"arn:aws:iam::{account}:root")))


@contextlib.asynccontextmanager
async def _opened(common: Common, wanted: Wanted) -> AsyncIterator[_Opened]:
    workshop, problems = _definition(common)
    folder, error = _folder()
    with tempfile.TemporaryDirectory(prefix="workshop-check-") as scratch, ThreadPoolExecutor(THREADS) as executor:
        work = folder if error is None else Path(scratch)
        try:
            journal = Journal(work / "runs.db")
        except WorkshopError as refusal:
            work, error = Path(scratch), refusal
            journal = Journal(work / "runs.db")
        with contextlib.closing(journal):
            yield _Opened(common, wanted, workshop, problems, work, error, journal, executor)


@dataclass(frozen=True)
class _Opened:
    """What is known before anybody is called."""

    common: Common
    wanted: Wanted
    workshop: Workshop | None
    problems: list[Problem]
    folder: Path
    folder_error: WorkshopError | None
    journal: Journal
    executor: Executor

    @property
    def target(self) -> str:
        return self.common.target or "local"

    @property
    def standings(self) -> list[Standing]:
        name = self.workshop.name if self.workshop else ""
        return [standing for standing in self.journal.standings(name) if standing.scope.target == self.target]

    @property
    def profile(self) -> str:
        standings = self.standings
        return self.common.profile or (standings[0].profile if standings and not self.common.expect_account else "")

    @property
    def home(self) -> str:
        regions = self.common.regions or (self.standings[0].regions if self.standings else ())
        return (regions or (self.workshop.definition.regions if self.workshop else FALLBACK_REGIONS))[0]

    async def subject(self, connected: _Connected) -> Subject:
        common, workshop = self.common, self.workshop
        account = connected.caller.account if connected.caller else common.expect_account or NOBODY
        standing = next((s for s in self.standings if s.scope.account == account), None)
        settings = _settings(workshop, common, standing)
        door = ReadOnly(connected.door)
        stops, event = self._stops(settings, connected.target, account, door)
        return Subject(
            workshop=workshop.name if workshop else common.workshop,
            source=str(workshop.source) if workshop else common.workshop,
            target=self.target, regions=settings.regions, known_regions=await known_regions(),
            account=account, door=door, address=connected.door.address, override=connected.override,
            caller=connected.caller, caller_error=connected.error, life=connected.life,
            expected_account=common.expect_account, stops=stops, problems=tuple(self.problems), event=event,
            machine=Machine(self.folder, self.folder_error, connected.cloud_error, connected.cloud_port),
            since=standing.since if standing else "", clock=SystemClock(), words=_words(common),
        )  # fmt: skip

    def _stops(self, settings: Settings, target: Target, account: str, door: Door) -> tuple[tuple[Stop, ...], Event]:
        """Every step in every place with its context, and what setup takes."""
        if self.workshop is None:
            return (), Event(self.wanted.participants, self.wanted.minutes)
        workspace = Workspace(
            workshop=self.workshop, settings=settings, target=target, doors={account: door}, journal=self.journal,
            clock=SystemClock(), run="check",
        )  # fmt: skip
        contexts, plan = Contexts(workspace, lambda _: None), workspace.plan()
        contexts.remember(plan)
        stops: list[Stop] = []
        for node in plan.nodes:
            complete = True
            try:
                step, ctx = contexts.strict(node)
            except MissingOutputError:
                complete = False
                step, ctx = contexts.lenient(node)
            except DefinitionError:
                continue  # lint has named it among the problems
            stops.append(Stop(step, ctx, node.key.region if node.key.region in settings.regions else "", complete))
        minutes = plan.minutes(lambda node: kinds()[node.spec.kind].estimate.minutes)
        usd = sum(kinds()[node.spec.kind].estimate.usd for node in plan.nodes)
        return tuple(stops), Event(self.wanted.participants, self.wanted.minutes, minutes, usd)


def _words(common: Common) -> tuple[str, ...]:
    """The options that were given, so that the commands of a fix mean the same workshop in the same place."""
    return retyped_options(replace(common, expect_account=""), common.target)


def _definition(common: Common) -> tuple[Workshop | None, list[Problem]]:
    """The workshop and its problems; one that cannot be read at all is None, one that there is not raises."""
    problems = lint(common.workshop)
    try:
        return load(common.workshop), problems
    except DefinitionError:
        if not problems:
            raise
        return None, problems


def _folder() -> tuple[Path, WorkshopError | None]:
    try:
        return open_folder(), None
    except WorkshopError as error:
        return Path(), error


async def _local(opened: _Opened, notice: Notice) -> _Connected:
    folder, error = opened.folder, opened.folder_error
    state = daemon.status(folder)
    if not state.running and error is None:  # in a folder that is gone with this command, a cloud would be left behind
        try:
            state = await asyncio.to_thread(daemon.start, folder)
            notice(f"Started the local cloud on {state.endpoint}; stop it with: workshop cloud stop")
        except WorkshopError as refusal:
            error = refusal
    # Port 9 is nobody's: without a cloud the calls have to go somewhere, and reach nobody.
    gateway = f"127.0.0.1:{state.port if state.running else 9}"
    door = Inquiry(
        local_session(daemon.ACCOUNT), daemon.ACCOUNT, clock=SystemClock(), executor=opened.executor, endpoint=f"http://{gateway}"
    )
    place = Target("local", folder / "sites" / "local", endpoint=f"http://{gateway}", gateway=gateway, serves_sites=True)
    if error is not None:
        return _Connected(door, place, error=error, cloud_error=error)
    try:
        caller = await door.call("sts", daemon.HOME_REGION, "get_caller_identity")
    except WorkshopError as refusal:
        return _Connected(door, place, error=refusal, cloud_port=state.port)
    return _Connected(door, place, Identity(str(caller["Account"]), str(caller["Arn"])), cloud_port=state.port)


async def _aws(opened: _Opened) -> _Connected:
    clock, executor, home, profile = SystemClock(), opened.executor, opened.home, opened.profile
    sites = opened.folder / "sites"
    place = Target("aws", sites / f"aws-{NOBODY}")
    try:
        session = await asyncio.to_thread(open_session, profile or None)
        elsewhere = await asyncio.to_thread(override, profile or None, home)
    except WorkshopError as error:
        return _Connected(Inquiry(local_session(NOBODY), NOBODY, clock=clock, executor=executor), place, error=error)
    door = Inquiry(session, "", clock=clock, executor=executor)
    try:
        life = await credential_life(session, home)
        caller = await who_calls(session, home, clock=clock, executor=executor)
    except WorkshopError as error:
        return _Connected(door, place, error=error, override=elsewhere)
    gateway = urlsplit(elsewhere).netloc if elsewhere else ""
    place = Target("aws", sites / f"aws-{caller.account}", endpoint=elsewhere, gateway=gateway)
    door = Inquiry(session, caller.account, clock=clock, executor=executor)
    return _Connected(door, place, caller, life=life, override=elsewhere)


def _settings(workshop: Workshop | None, common: Common, standing: Standing | None) -> Settings:
    if workshop is None:
        return Settings(dict(common.parameters), common.regions or FALLBACK_REGIONS)
    if standing is None:
        return resolve(workshop, common.parameters, common.regions)
    kept, _ = still_valid(workshop, standing.parameters)
    return resolve(workshop, {**kept, **common.parameters}, common.regions or standing.regions)
