"""Who we are: sessions for the local cloud and for AWS, and the account behind them.

In: profile, endpoint. Out: an `BotoClient` whose id AWS itself told us. Nothing is changed anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, ProfileNotFound

from workshop.aws.boto_client import BotoClient
from workshop.errors import UsageError

__all__ = [
    "Identity",
    "aws_account",
    "local_account",
    "local_session",
    "override",
    "profile_session",
]


SERVICES = ("apigateway", "cloudformation", "dynamodb", "iam", "lambda", "logs", "sts")
"""What every workshop calls."""
OUTAGE = 120.0
"""Seconds for which a call waits for the network to come back."""
AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller: account id and ARN, as STS says."""

    account: str
    arn: str


def local_account(endpoint: str, account: str, *, executor: Executor) -> BotoClient:
    """The local cloud's account."""
    return BotoClient(local_session(account), account, executor=executor, endpoint=endpoint)


def local_session(account: str) -> botocore.session.Session:
    """A session of the local cloud. No profile, no configuration file and no variable of the user's has a say."""
    session = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
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

    Who we are is asked with little patience; after that a gap in the network is waited out, with a notice.
    """
    session = profile_session(profile)
    caller = await BotoClient(session, "", executor=executor).call("sts", region, "get_caller_identity")
    identity = Identity(str(caller["Account"]), str(caller["Arn"]))
    aws = BotoClient(session, identity.account, executor=executor, outage=OUTAGE, notice=notice)
    return aws, identity


def override(profile: str | None, region: str) -> str:
    """The endpoint that the user's settings send calls to instead of AWS; empty when they go to AWS.

    Asked of real clients, because variables and configuration files both have a say (docs/aws-behaviours.md, section 10.1).
    Raises `UsageError` when only some services are sent elsewhere: half a workshop would stand on AWS.
    """
    session = profile_session(profile)
    session.set_credentials("unused", "unused")
    urls = {name: str(session.create_client(name, region_name=region).meta.endpoint_url) for name in SERVICES}
    elsewhere = {name: url for name, url in urls.items() if not (urlsplit(url).hostname or "").endswith(AWS_HOSTS)}
    if elsewhere and len(elsewhere) < len(urls):
        name, url = next(iter(elsewhere.items()))
        raise UsageError(
            f"Your settings send only some services elsewhere: {', '.join(elsewhere)}.",
            f"{name} goes to {url}, the others to AWS.",
            "Unset AWS_ENDPOINT_URL_<SERVICE> (and `services` of the profile), or set AWS_ENDPOINT_URL for all",
            code="MixedEndpoints",
        )
    return elsewhere.get(SERVICES[0], "")


def profile_session(profile: str | None) -> botocore.session.Session:
    """A session of the usual AWS settings; raises `UsageError` for an unknown profile or an unreadable file."""
    session = botocore.session.Session(profile=profile)
    try:
        session.get_scoped_config()
    except ProfileNotFound as error:
        names = ", ".join(sorted(session.available_profiles)) or "none"
        raise UsageError(
            f"There is no AWS profile {profile or os.environ.get('AWS_PROFILE', '')!r}.",
            f"Profiles on this machine: {names}.",
            "Name one of them: --profile NAME, or unset AWS_PROFILE",
            code="ProfileNotFound",
        ) from error
    except BotoCoreError as error:
        raise UsageError(
            "The AWS configuration cannot be read.", f"{error}.", "Mend ~/.aws/config", code="AwsConfiguration"
        ) from error
    return session
