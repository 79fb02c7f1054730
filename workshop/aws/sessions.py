"""Sessions of the local cloud and of AWS, and the clients of the accounts behind them.

In: a profile, an endpoint. Out: a `BotoClient` whose account id is AWS's own. Nothing is changed anywhere.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp

from workshop.aws.boto_client import PATIENT, BotoClient, ClientConfig, Clients
from workshop.aws.identity import Identity, who_calls
from workshop.errors import UsageError

__all__ = [
    "AwsSession",
    "aws_account",
    "bare_session",
    "local_account",
    "local_session",
    "override",
    "profile_session",
]

AwsSession: TypeAlias = botocore.session.Session
"""Credentials and settings, as botocore keeps them."""
OUTAGE = 120.0
"""Seconds for which a call waits for the network to come back."""
AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def local_account(endpoint: str, account: str, *, executor: Executor, config: ClientConfig = PATIENT) -> BotoClient:
    """The local cloud's account."""
    clients = _local_clients(endpoint, account, config, frozenset(_what_clients_read()))
    clients.disconnect()  # what was served there before may have ended
    return BotoClient(clients.session, account, executor=executor, endpoint=endpoint, config=config, clients=clients)


@functools.lru_cache(maxsize=2)
def _local_clients(endpoint: str, account: str, config: ClientConfig, _environment: frozenset[tuple[str, str]]) -> Clients:
    """Kept for the next command of the same process: making the clients takes longer than their calls."""
    return Clients(local_session(account), endpoint, config)


def _what_clients_read() -> Iterator[tuple[str, str]]:
    """The variables that botocore reads when a client is made: its own, and the proxies."""
    return ((name, value) for name, value in os.environ.items() if name.startswith("AWS_") or name.lower().endswith("_proxy"))


def bare_session() -> AwsSession:
    """A session that reads no profile, no configuration file and no variable of the user's."""
    session = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return _made_quick(session, "")


def _made_quick(session: AwsSession, models: str) -> AwsSession:
    """The same session. Botocore's own parser of times knows every format, and took a fifth of a teardown."""
    session.register_component("data_loader", _service_models(models))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return session


def _moment(value: Any) -> datetime:
    """A time of a response: the ISO 8601 of the XML services here, all else by botocore."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment
    parsed: datetime = parse_timestamp(value)
    return parsed


@functools.cache
def _service_models(path: str) -> Loader:
    """The models of the services that botocore brings, and those of the user's AWS_DATA_PATH: megabytes of JSON, which each
    session would read again."""
    return create_loader(path or None)


def local_session(account: str) -> AwsSession:
    """A bare session with the credentials of an account of the local cloud."""
    session = bare_session()
    session.set_credentials(account, "local", None)
    return session


async def aws_account(
    profile: str | None,
    region: str,
    *,
    executor: Executor,
    notice: Callable[[str], None] = lambda _: None,
) -> tuple[BotoClient, Identity]:
    """The account that the usual AWS settings lead to; raises `UsageError` for an unknown profile.

    Who calls is asked without waiting for a network that is gone; all later calls wait for it, with a notice.
    """
    session = profile_session(profile)
    identity = await who_calls(BotoClient(session, "", executor=executor), region)
    config = replace(PATIENT, retry=replace(PATIENT.retry, outage=OUTAGE))
    return BotoClient(session, identity.account, executor=executor, config=config, notice=notice), identity


def override(profile: str | None, region: str, services: Collection[str]) -> str:
    """The endpoint that the user's settings send calls to `services` and STS to, instead of AWS; empty when they go to AWS.

    Asked of real clients, because variables and configuration files both count (docs/aws-behaviours.md, section 10.1).
    Raises `UsageError` when only some services are sent elsewhere: half of a workshop would be deployed on AWS.
    """
    session = profile_session(profile)
    session.set_credentials("unused", "unused")
    urls = {name: str(session.create_client(name, region_name=region).meta.endpoint_url) for name in sorted({*services, "sts"})}
    elsewhere = {name: url for name, url in urls.items() if not (urlsplit(url).hostname or "").endswith(AWS_HOSTS)}
    if elsewhere and len(elsewhere) < len(urls):
        name, url = next(iter(elsewhere.items()))
        raise UsageError(
            what=f"Your settings send only some services elsewhere: {', '.join(elsewhere)}.",
            why=f"{name} goes to {url}, the others to AWS.",
            fix="Unset AWS_ENDPOINT_URL_<SERVICE> (and `services` of the profile), or set AWS_ENDPOINT_URL for all",
            code="MixedEndpoints",
        )
    return elsewhere.get("sts", "")


def profile_session(profile: str | None) -> AwsSession:
    """A session of the usual AWS settings; raises `UsageError` for an unknown profile or an unreadable file."""
    session = botocore.session.Session(profile=profile)
    try:
        session.get_scoped_config()
        return _made_quick(session, session.get_config_variable("data_path") or "")
    except ProfileNotFound as error:
        names = ", ".join(sorted(session.available_profiles)) or "none"
        raise UsageError(
            what=f"There is no AWS profile {profile or os.environ.get('AWS_PROFILE', '')!r}.",
            why=f"Profiles on this machine: {names}.",
            fix="Name one of them: --profile NAME, or unset AWS_PROFILE",
            code="ProfileNotFound",
        ) from error
    except BotoCoreError as error:
        raise UsageError(
            what="The AWS configuration cannot be read.",
            why=f"{error}.",
            fix="Fix ~/.aws/config",
            code="AwsConfiguration",
        ) from error
