"""Connects to the account of a target: the local cloud, started when it is not running, or AWS through the usual settings.

In: a target, a state folder, a profile. Out: a `Connection`. `connect` raises what keeps it from connecting; `try_*` return
it as part of the connection, for reports that must not end at the first problem. Nothing is changed in any account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from workshop.aws.boto_client import QUICK, BotoClient
from workshop.aws.dns import Dns, NameServer
from workshop.aws.identity import CredentialExpiry, Identity, credential_expiry, who_calls
from workshop.aws.sessions import AwsSession, aws_account, local_account, local_session, override, profile_session
from workshop.aws.target import Target
from workshop.cloud import daemon
from workshop.errors import WorkshopError
from workshop.state_dir import UnwritableError
from workshop.steps.registry import services
from workshop.waiting import Clock

__all__ = ["NO_ACCOUNT", "Connection", "Notice", "Place", "connect", "offline", "try_aws", "try_local", "unconnected"]

Notice = Callable[[str], None]
NO_ACCOUNT = "000000000000"
"""The account while the caller is unknown, so that names and addresses can still be shown."""
CLOSED_PORT = 9
"""The discard port, where no process listens: without a cloud the calls have to go somewhere, and arrive nowhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect: the target, the state folder, for AWS the profile and the region in which STS is called."""

    target: str
    folder: Path
    profile: str
    home: str
    clock: Clock
    executor: Executor


@dataclass(frozen=True)
class Connection:
    """An account that can be called. `identity` is None when the caller is unknown, for the reason in `error`."""

    client: BotoClient
    target: Target
    identity: Identity | None = None
    endpoint: str = ""
    """The endpoint that the user's settings send every call to; empty when there is none."""
    error: WorkshopError | None = None
    life: CredentialExpiry | None = None
    cloud_error: WorkshopError | None = None
    cloud_port: int | None = None
    cloud_unsaved: str = ""
    """Why the local cloud cannot save its state; empty when it can."""

    @property
    def arn(self) -> str:
        """The caller's; empty when it is unknown."""
        return self.identity.arn if self.identity else ""


async def connect(place: Place, notice: Notice) -> Connection:
    """The account behind a target. Raises `WorkshopError` when there is none."""
    if place.target == "local":
        state = await asyncio.to_thread(_started, place.folder, notice)
        return _local_connection(place, state)
    endpoint = await asyncio.to_thread(override, place.profile or None, place.home, services())
    if endpoint:
        notice(f"NOT AWS: your settings send every call to {endpoint} (AWS_ENDPOINT_URL or a profile's endpoint_url).")
    client, identity = await aws_account(place.profile or None, place.home, executor=place.executor, notice=notice)
    return Connection(client, aws_target(place.folder, identity.account, endpoint), identity, endpoint)


def offline(place: Place, account: str, endpoint: str) -> Connection:
    """The account as it is remembered: no call is made, so neither credentials nor a running cloud are needed."""
    if place.target == "local":
        return _local_connection(place, daemon.status(place.folder))
    client = BotoClient(profile_session(place.profile or None), account, executor=place.executor)
    return Connection(client, aws_target(place.folder, account, endpoint), Identity(account, ""), endpoint)


async def try_local(place: Place, folder_error: WorkshopError | None, notice: Notice) -> Connection:
    """The local cloud's account, with the first error on the way."""
    error, state = folder_error, daemon.status(place.folder)
    if not state.running and error is None:  # in a folder that is gone with this command, a cloud would be left behind
        try:
            state = await asyncio.to_thread(_started, place.folder, notice)
        except WorkshopError as refusal:
            error = refusal
    target = local_target(place.folder, state.port if state.running and state.port else CLOSED_PORT, state.dns_port)
    client = local_account(target.endpoint, daemon.ACCOUNT, executor=place.executor, config=QUICK)
    if error is not None:
        return Connection(client, target, error=error, cloud_error=error)
    try:
        caller = await who_calls(client, daemon.HOME_REGION)
    except WorkshopError as refusal:
        return Connection(client, target, error=refusal, cloud_port=state.port, cloud_unsaved=state.unsaved)
    return Connection(client, target, caller, cloud_port=state.port, cloud_unsaved=state.unsaved)


async def try_aws(place: Place) -> Connection:
    """The account on AWS, with the first error on the way and with how long the credentials live."""
    profile = place.profile or None
    nowhere = aws_target(place.folder, NO_ACCOUNT, "")
    try:
        session = await asyncio.to_thread(profile_session, profile)
        endpoint = await asyncio.to_thread(override, profile, place.home, services())
    except WorkshopError as error:
        return replace(unconnected(place, NO_ACCOUNT), identity=None, error=error)
    unknown = _quick_client(place, session, "")
    try:
        life = await credential_expiry(session, place.home)
        caller = await who_calls(unknown, place.home)
    except WorkshopError as error:
        return Connection(unknown, nowhere, error=error, endpoint=endpoint)
    client = _quick_client(place, session, caller.account)
    return Connection(client, aws_target(place.folder, caller.account, endpoint), caller, endpoint, life=life)


def unconnected(place: Place, account: str) -> Connection:
    """An account on AWS with credentials that no service accepts, for what makes no call."""
    client = _quick_client(place, local_session(NO_ACCOUNT), account)
    return Connection(client, aws_target(place.folder, account, ""), Identity(account, f"arn:aws:iam::{account}:root"))


def local_target(folder: Path, port: int | None, dns_port: int | None = None) -> Target:
    """The local cloud of a state folder, which serves the sites and the zones too."""
    gateway = f"127.0.0.1:{port}"
    return Target(
        "local",
        folder / "sites" / "local",
        endpoint=f"http://{gateway}",
        gateway=gateway,
        serves_sites=True,
        name_server=NameServer("127.0.0.1", dns_port or CLOSED_PORT),
        dns=Dns(https=()),
    )


def aws_target(folder: Path, account: str, endpoint: str) -> Target:
    """AWS, or what the user's settings put in its place. Sites are kept by account."""
    gateway = urlsplit(endpoint).netloc if endpoint else ""
    return Target("aws", folder / "sites" / f"aws-{account}", endpoint=endpoint, gateway=gateway)


def _quick_client(place: Place, session: AwsSession, account: str) -> BotoClient:
    """A client for reports, which gives up within seconds."""
    return BotoClient(session, account, executor=place.executor, config=QUICK)


def _local_connection(place: Place, state: daemon.CloudState) -> Connection:
    target = local_target(place.folder, state.port, state.dns_port)
    client = local_account(target.endpoint, daemon.ACCOUNT, executor=place.executor)
    return Connection(client, target, Identity(daemon.ACCOUNT, f"arn:aws:iam::{daemon.ACCOUNT}:root"), cloud_port=state.port)


def _started(folder: Path, notice: Notice) -> daemon.CloudState:
    before = daemon.status(folder)
    try:
        state = daemon.start(folder)
    except UnwritableError:
        if not before.running:
            raise
        state = before  # it runs, so nothing has to be written for it
    if not before.running:
        notice(f"Started the local cloud on {state.endpoint} (timing {state.timing}); stop it with: workshop cloud stop")
    for text in state.notices:
        notice(text)
    return state
