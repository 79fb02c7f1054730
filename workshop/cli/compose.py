"""The composition root: from the command line's options to a workspace with real doors.

The only place where definition, journal, target, local cloud and AWS meet. Nothing is changed in any account here; the local
cloud is started when it is the target.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from workshop.aws.account import THREADS, Account
from workshop.aws.sessions import aws_account, known_regions, local_account, open_session, override
from workshop.aws.target import Target
from workshop.cli.folder import open_folder
from workshop.cli.options import Common, retyped, retyped_options
from workshop.clock import SystemClock
from workshop.cloud import daemon
from workshop.definition.loader import Workshop, load
from workshop.definition.parameters import Settings, resolve, still_valid
from workshop.drill.pending import pending_notices
from workshop.engine.grants import Grants
from workshop.engine.journal import Journal, Standing
from workshop.engine.scope import Scope
from workshop.engine.workspace import Workspace
from workshop.errors import UsageError
from workshop.redaction import redact
from workshop.shell import command_line

__all__ = ["Opened", "open_journal", "open_workspace"]

Notice = Callable[[str], None]
ANY_ACCOUNT = "111122223333"
"""Stands for the account where none is known yet and none is asked."""


@dataclass(frozen=True)
class Opened:
    """A workspace with what was said about it: `identity` is the caller's ARN, `standing` what stood before."""

    workspace: Workspace
    folder: Path
    account: str
    identity: str
    standing: Standing | None

    @property
    def scope(self) -> Scope:
        return self.workspace.scope(self.account)


def open_journal(notice: Notice) -> tuple[Path, Journal]:
    """The state folder and its journal; a damaged journal is set aside with a notice."""
    folder = open_folder()
    journal = Journal(folder / "runs.db")
    if journal.set_aside:
        notice(f"The journal was damaged. It was set aside as {journal.set_aside}; what stands in the cloud is not affected.")
    return folder, journal


@contextlib.asynccontextmanager
async def open_workspace(
    common: Common, notice: Notice, *, default_target: str = "", offline: bool = False
) -> AsyncIterator[Opened]:
    """Everything that a command needs. Without `default_target` the last recorded target is used.

    `offline` takes the account from the journal and makes no call (for commands that only explain).
    """
    workshop = load(common.workshop)
    folder, journal = open_journal(notice)
    for text in pending_notices(folder, journal):
        notice(text)
    with contextlib.closing(journal), ThreadPoolExecutor(THREADS, thread_name_prefix="aws") as executor:
        target = common.target or default_target or journal.last_target(workshop.name) or "local"
        standings = [s for s in journal.standings(workshop.name) if s.scope.target == target]
        profile = common.profile or _recorded_profile(standings)
        clock = SystemClock()

        async def connect(home: str) -> tuple[Account, str, Target]:
            if target == "local":
                return await _local(folder, clock, executor, notice, offline=offline)
            if offline:
                known = common.expect_account or next((s.scope.account for s in standings), ANY_ACCOUNT)
                return _aws_unasked(folder, profile, known, standings, clock, executor)
            return await _aws(folder, profile, home, clock, executor, notice)

        guess = resolve(workshop, {}, common.regions or (standings[0].regions if standings else ()))
        await _check_regions(guess.regions)
        account, identity, place = await connect(guess.home)
        _expect(common.expect_account, account.account, target)
        standing = next((s for s in standings if s.scope.account == account.account), None)
        _same_endpoint(standing, place)
        settings = _settings(workshop, common, _as_defined(workshop, standing, notice))
        _require_no_secret(settings)
        await _check_regions(settings.regions)
        workspace = Workspace(
            workshop=workshop, settings=settings, target=place, doors={account.account: account}, journal=journal,
            clock=clock, run=_run_id(), profile=profile, given=retyped_options(common, target),
            granted=not offline and Grants(folder).hold(workshop),
        )  # fmt: skip
        yield Opened(workspace, folder, account.account, identity, standing)


async def _local(
    folder: Path, clock: SystemClock, executor: ThreadPoolExecutor, notice: Notice, *, offline: bool
) -> tuple[Account, str, Target]:
    state = daemon.status(folder) if offline else await asyncio.to_thread(_started, folder, notice)
    gateway = f"127.0.0.1:{state.port}"
    account = local_account(f"http://{gateway}", daemon.ACCOUNT, clock=clock, executor=executor)
    target = Target("local", folder / "sites" / "local", endpoint=f"http://{gateway}", gateway=gateway, serves_sites=True)
    return account, f"arn:aws:iam::{daemon.ACCOUNT}:root", target


def _started(folder: Path, notice: Notice) -> daemon.CloudState:
    before = daemon.status(folder)
    state = daemon.start(folder)
    if not before.running:
        notice(f"Started the local cloud on {state.endpoint} (timing {state.timing}); stop it with: workshop cloud stop")
    for text in state.notices:
        notice(text)
    return state


async def _aws(
    folder: Path, profile: str, home: str, clock: SystemClock, executor: ThreadPoolExecutor, notice: Notice
) -> tuple[Account, str, Target]:
    endpoint = await asyncio.to_thread(override, profile or None, home)
    if endpoint:
        notice(f"NOT AWS: your settings send every call to {endpoint} (AWS_ENDPOINT_URL or a profile's endpoint_url).")
    account, identity = await aws_account(profile or None, home, clock=clock, executor=executor, notice=notice)
    gateway = urlsplit(endpoint).netloc if endpoint else ""
    return account, identity.arn, Target("aws", folder / "sites" / f"aws-{identity.account}", endpoint=endpoint, gateway=gateway)


def _aws_unasked(
    folder: Path, profile: str, account: str, standings: list[Standing], clock: SystemClock, executor: ThreadPoolExecutor
) -> tuple[Account, str, Target]:
    """AWS as the journal remembers it: nobody is called, so no credentials are needed."""
    endpoint = next((s.endpoint for s in standings if s.scope.account == account), "")
    door = Account(open_session(profile or None), account, clock=clock, executor=executor)
    target = Target("aws", folder / "sites" / f"aws-{account}", endpoint=endpoint, gateway=urlsplit(endpoint).netloc)
    return door, "", target


def _recorded_profile(standings: list[Standing]) -> str:
    """The profile of the last setup, unless the shell names another."""
    named = any(name in os.environ for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"))
    return standings[0].profile if standings and not named else ""


def _same_endpoint(standing: Standing | None, place: Target) -> None:
    """What was set up through an endpoint is not looked for behind another one that happens to have the same account."""
    if standing is None or place.name == "local" or standing.endpoint == place.endpoint:
        return
    was, now = (endpoint or "AWS itself" for endpoint in (standing.endpoint, place.endpoint))
    words = ["export", f"AWS_ENDPOINT_URL={standing.endpoint}"] if standing.endpoint else ["unset", "AWS_ENDPOINT_URL"]
    raise UsageError(
        f"{standing.scope.workshop} was set up through {was}, and your settings lead to {now}.", "Nothing was changed.",
        f"Go back to that endpoint: {command_line(words)}", code="OtherEndpoint",
    )  # fmt: skip


def _as_defined(workshop: Workshop, standing: Standing | None, notice: Notice) -> Standing | None:
    """What stands, with the parameters that the definition still has."""
    if standing is None:
        return None
    kept, dropped = still_valid(workshop, standing.parameters)
    for name in dropped:
        notice(f"! It was set up with {name}={standing.parameters[name]}, which its definition does not take any more.")
    return replace(standing, parameters=kept)


def _settings(workshop: Workshop, common: Common, standing: Standing | None) -> Settings:
    """Today's wishes over what stands: a workshop that stands keeps its home and its parameters until it is torn down."""
    if standing is None:
        return resolve(workshop, common.parameters, common.regions)
    settings = resolve(workshop, {**standing.parameters, **common.parameters}, common.regions or standing.regions)
    changed = [k for k, v in settings.parameters.items() if k in standing.parameters and standing.parameters[k] != v]
    if settings.regions[0] != standing.regions[0]:
        changed.append("home region")
    if changed:
        target = standing.scope.target
        removal = retyped(replace(common, target=target, regions=(), parameters={}), "teardown", target)
        raise UsageError(
            f"{workshop.name} stands already with another {changed[0]}.",
            f"It was set up on {standing.scope.target} with home {standing.regions[0]} since {standing.since}.",
            f"Remove it first: {removal}",
            code="Stands",
        )
    kept = [*settings.regions, *(r for r in standing.regions if r not in settings.regions)]
    return Settings(settings.parameters, tuple(kept))


def _require_no_secret(settings: Settings) -> None:
    """Parameters are kept in the journal and travel in templates, so none may be a key, a token or a signed address."""
    for name, value in settings.parameters.items():
        if redact(value) != value:
            raise UsageError(
                f"The parameter {name} holds a key, a token or a signed address.",
                "Parameters are written to the journal and into templates, where a secret does not belong.",
                "Give the address without its signature, or keep the secret in Secrets Manager and pass its name",
                code="SecretParameter",
            )


def _expect(expected: str, account: str, target: str) -> None:
    if expected and expected != account:
        raise UsageError(
            f"This is account {account}, not {expected}.", f"--expect-account guards the {target} target; nothing was changed.",
            "Choose the right profile (--profile NAME) or correct --expect-account", code="WrongAccount",
        )  # fmt: skip


async def _check_regions(regions: tuple[str, ...]) -> None:
    known = await known_regions()
    for region in regions:
        if region not in known:
            near = difflib.get_close_matches(region, sorted(known), 1)
            hint = f"Did you mean {near[0]}?" if near else "List them: aws account list-regions"
            raise UsageError(
                f"There is no region {region!r}.", "AWS does not offer DynamoDB in a region of that name.", hint, code="BadRegion"
            )


def _run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
