"""Who calls AWS, and how long the credentials last.

In: a client, or a botocore session. Out: an `Identity`, a `CredentialExpiry`, or an `AwsError`. Nothing is changed anywhere.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from workshop.aws.client import AwsClient
from workshop.aws.errors import translate

__all__ = ["CredentialExpiry", "Identity", "credential_expiry", "who_calls"]

NEVER_RENEWED = frozenset({"env"})
"""Sources, in botocore's words, whose credentials end for good."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller as STS reports it: account id and ARN."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class CredentialExpiry:
    """Where the credentials come from (botocore's word) and until when they are good; `expires` is None when that is unknown."""

    source: str
    temporary: bool
    expires: datetime | None
    renews: bool


async def who_calls(aws: AwsClient, region: str) -> Identity:
    """The caller behind a client; raises `AwsError`."""
    caller = await aws.call("sts", region, "get_caller_identity")
    return Identity(str(caller["Account"]), str(caller["Arn"]))


async def credential_expiry(session: Session, region: str) -> CredentialExpiry | None:
    """Where the session's credentials come from and how long they last; None without any. Raises `AwsError`."""
    try:
        return await asyncio.to_thread(_expiry, session)
    except BotoCoreError as error:
        raise translate(error, "sts", "get_credentials", region) from error


def _expiry(session: Session) -> CredentialExpiry | None:
    credentials = session.get_credentials()
    if credentials is None:
        return None
    frozen = credentials.get_frozen_credentials()
    # Only credentials that know their end carry it (docs/aws-behaviours.md, section 8); botocore offers no public name.
    expires = getattr(credentials, "_expiry_time", None) if isinstance(credentials, RefreshableCredentials) else None
    source = str(credentials.method or "")
    known = expires.astimezone(UTC) if isinstance(expires, datetime) else None
    return CredentialExpiry(source, bool(frozen.token), known, renews=known is not None and source not in NEVER_RENEWED)
