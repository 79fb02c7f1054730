"""The composition root: from what was asked for to a workshop with everything that works on it.

In: an invocation. Out: a `Session`. The only place where definition, journal, target and account meet. Nothing is changed in any
account here; the local cloud is started when it is the target.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from workshop.app.connections import Connection, Notice, Place, connect, offline
from workshop.app.invocation import Invocation
from workshop.app.secrets import with_masks, with_secrets
from workshop.aws.boto_client import THREADS
from workshop.aws.regions import known_regions
from workshop.aws.target import Target
from workshop.definition.loader import Workshop, load
from workshop.definition.parameters import Settings, resolve, still_valid
from workshop.definition.secrets import secret_names
from workshop.drill.pending import pending_notices
from workshop.engine.grants import Grants
from workshop.engine.journal import Installation, Journal
from workshop.engine.scope import Scope
from workshop.engine.workspace import Workspace
from workshop.errors import UsageError, WorkshopError
from workshop.redaction import redact
from workshop.shell import command_line
from workshop.state_dir import folder_to_read, open_folder
from workshop.waiting import SystemClock

__all__ = ["OpenJournal", "Session", "open_journal", "open_journal_if_possible", "open_session"]

OpenJournal = Callable[[Notice, Path | None], tuple[Path, Journal]]
"""Opens the journal of a state folder, the usual one by default."""

ANY_ACCOUNT = "111122223333"
"""A placeholder for the account where none is known yet and no call is made."""


@dataclass(frozen=True)
class Session:
    """One workshop in one account, opened: `identity` is the caller's ARN, `installed` the earlier setup."""

    invocation: Invocation
    workspace: Workspace
    folder: Path
    account: str
    identity: str
    installed: Installation | None
    began: float
    """When it began to be opened, by the monotonic clock."""

    @property
    def scope(self) -> Scope:
        return self.workspace.scope(self.account)

    @property
    def since(self) -> str:
        """Since when the workshop has been installed here; empty when it was not."""
        return self.installed.since if self.installed else ""

    @property
    def on_aws(self) -> bool:
        return self.workspace.target.name == "aws"

    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began

    def next_run(self) -> Session:
        """The same for another run of its own in the journal."""
        return replace(self, workspace=replace(self.workspace, run=_run_id()))

    def command_line(self, command: str) -> str:
        """The line that runs `command` on the same workshop in the same place, with the options that were given."""
        return self.invocation.command_line(command, self.workspace.target.name)

    def next_command(self, command: str) -> str:
        """The same without the options that the journal has by now."""
        return replace(self.invocation.recorded(), expect_account="").command_line(command, self.workspace.target.name)


def open_journal(notice: Notice, state: Path | None = None) -> tuple[Path, Journal]:
    """The state folder and its journal; a damaged journal is set aside with a notice."""
    folder = open_folder(state)
    return folder, _noticed(Journal(folder / "runs.db"), notice)


def open_journal_if_possible(notice: Notice, state: Path | None = None) -> tuple[Path, Journal]:
    """The same for what only looks or removes: on a disk that is full or read-only it goes on without a record, with a notice."""

    def unrecorded(error: WorkshopError) -> None:
        notice(f"! {error.what} {error.why} Nothing is recorded from now on; what is deployed is read from the cloud itself.")

    folder = folder_to_read(state)
    return folder, _noticed(Journal(folder / "runs.db", unrecorded), notice)


def _noticed(journal: Journal, notice: Notice) -> Journal:
    if journal.set_aside:
        notice(f"The journal was damaged. It was set aside as {journal.set_aside}; what is deployed is not affected.")
    return journal


@contextlib.asynccontextmanager
async def open_session(
    invocation: Invocation,
    notice: Notice,
    *,
    default_target: str = "",
    no_calls: bool = False,
    state: Path | None = None,
    journal: OpenJournal = open_journal,
) -> AsyncIterator[Session]:
    """Everything that a command needs. Without `default_target` the last recorded target is used.

    `no_calls` takes the account from the journal (for commands that only explain); `state` is a state folder of its own.
    """
    began, workshop = time.monotonic(), load(invocation.workshop)
    folder, opened = journal(notice, state)
    with contextlib.closing(opened), ThreadPoolExecutor(THREADS, thread_name_prefix="aws") as executor:
        for text in pending_notices(folder, opened):
            notice(text)
        target = invocation.target or default_target or opened.last_target(workshop.name) or "local"
        installations = [s for s in opened.installations(workshop.name) if s.scope.target == target]
        place = await _place(invocation, workshop, installations, Place(target, folder, "", "", SystemClock(), executor))
        connection = _remembered(place, invocation, installations) if no_calls else await connect(place, notice)
        account = _expected(invocation.expect_account, connection.client.account, target)
        installed = next((s for s in installations if s.scope.account == account), None)
        _same_endpoint(installed, connection.target)
        settings = await _checked_settings(workshop, invocation, _as_defined(workshop, installed, notice))
        workspace = Workspace(
            workshop=workshop,
            settings=with_masks(workshop, settings) if no_calls else await with_secrets(workshop, settings, connection.client),
            target=connection.target,
            clients={account: connection.client},
            journal=opened,
            clock=place.clock,
            run=_run_id(),
            profile=place.profile,
            given=invocation.options(target),
            granted=not no_calls and Grants(folder).hold(workshop),
        )
        await _check_regions(workspace.everywhere())
        yield Session(invocation, workspace, folder, account, connection.arn, installed, began)


async def _place(invocation: Invocation, workshop: Workshop, installations: list[Installation], place: Place) -> Place:
    """`place` with its profile and home. The account decides which settings were recorded, and a region has to be asked for
    the account: the latest home will do.
    """
    latest = resolve(workshop, {}, invocation.regions or (installations[0].regions if installations else ()))
    await _check_regions(latest.regions)
    return replace(place, profile=invocation.profile or _recorded_profile(installations), home=latest.home)


def _remembered(place: Place, invocation: Invocation, installations: list[Installation]) -> Connection:
    """The account of the last setup, without a call."""
    account = invocation.expect_account or next((s.scope.account for s in installations), ANY_ACCOUNT)
    return offline(place, account, next((s.endpoint for s in installations if s.scope.account == account), ""))


async def _checked_settings(workshop: Workshop, invocation: Invocation, installed: Installation | None) -> Settings:
    settings = _settings(workshop, invocation, installed)
    _require_no_secret(settings)
    await _check_regions(settings.regions)
    return settings


def _recorded_profile(installations: list[Installation]) -> str:
    """The profile of the last setup, unless the shell names another."""
    named = any(name in os.environ for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"))
    return installations[0].profile if installations and not named else ""


def _same_endpoint(installed: Installation | None, place: Target) -> None:
    """What was set up through an endpoint is not looked for behind another one that happens to have the same account."""
    if installed is None or place.name == "local" or installed.endpoint == place.endpoint:
        return
    was, now = (endpoint or "AWS itself" for endpoint in (installed.endpoint, place.endpoint))
    words = ["export", f"AWS_ENDPOINT_URL={installed.endpoint}"] if installed.endpoint else ["unset", "AWS_ENDPOINT_URL"]
    raise UsageError(
        what=f"{installed.scope.workshop} was set up through {was}, and your settings lead to {now}.",
        why="Nothing was changed.",
        fix=f"Go back to that endpoint: {command_line(words)}",
        code="OtherEndpoint",
    )


def _as_defined(workshop: Workshop, installed: Installation | None, notice: Notice) -> Installation | None:
    """The earlier setup, with the parameters that the definition still has."""
    if installed is None:
        return None
    kept, dropped = still_valid(workshop, installed.parameters)
    for name in (name for name in dropped if name not in secret_names(workshop)):
        notice(f"! It was set up with {name}={installed.parameters[name]}, which its definition does not take any more.")
    return replace(installed, parameters=kept)


def _settings(workshop: Workshop, invocation: Invocation, installed: Installation | None) -> Settings:
    """The settings asked for, over those of the earlier setup: home and parameters are fixed until the teardown,
    except those that the definition lists as changeable."""
    if installed is None:
        return resolve(workshop, invocation.parameters, invocation.regions)
    settings = resolve(workshop, {**installed.parameters, **invocation.parameters}, invocation.regions or installed.regions)
    specs, before = workshop.definition.parameters, installed.parameters
    changed = [k for k, v in settings.parameters.items() if before.get(k, v) != v and not specs[k].changeable]
    if settings.regions[0] != installed.regions[0]:
        changed.append("home region")
    if changed:
        target = installed.scope.target
        removal = replace(invocation.recorded(), target=target).command_line("teardown", target)
        raise UsageError(
            what=f"{workshop.name} is already deployed with another {changed[0]}.",
            why=f"It has been on {installed.scope.target} with home {installed.regions[0]} since {installed.since}.",
            fix=f"Remove it first: {removal}",
            code="Stands",
        )
    kept = [*settings.regions, *(r for r in installed.regions if r not in settings.regions)]
    return replace(settings, regions=tuple(kept))


def _require_no_secret(settings: Settings) -> None:
    """Parameters are kept in the journal and travel in templates, so none may be a key, a token or a signed address."""
    for name, value in settings.parameters.items():
        if redact(value) != value:
            raise UsageError(
                what=f"The parameter {name} holds a key, a token or a signed address.",
                why="Parameters are written to the journal and into templates, where a secret does not belong.",
                fix="Give the address without its signature, or keep the secret in Secrets Manager and pass its name",
                code="SecretParameter",
            )


def _expected(expected: str, account: str, target: str) -> str:
    """The account; raises `UsageError` when it is not the one that was expected."""
    if expected and expected != account:
        raise UsageError(
            what=f"This is account {account}, not {expected}.",
            why=f"--expect-account guards the {target} target; nothing was changed.",
            fix="Choose the right profile (--profile NAME) or correct --expect-account",
            code="WrongAccount",
        )
    return account


async def _check_regions(regions: tuple[str, ...]) -> None:
    known = await known_regions()
    for region in regions:
        if region not in known:
            near = difflib.get_close_matches(region, sorted(known), 1)
            hint = f"Did you mean {near[0]}?" if near else "List them: aws account list-regions"
            raise UsageError(
                what=f"There is no region {region!r}.",
                why="AWS does not offer DynamoDB in a region of that name.",
                fix=hint,
                code="BadRegion",
            )


def _run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
