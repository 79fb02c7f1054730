"""Reads the secrets of a workshop from the environment and from Systems Manager.

In: a workshop, its settings, a client. Out: the settings with the secrets. From here on each is known to `workshop.redaction`,
which keeps it out of everything that is shown or written.
"""

from __future__ import annotations

import os
from dataclasses import replace

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.definition.loader import Workshop
from workshop.definition.parameters import Settings
from workshop.definition.secrets import environment_name, faulty, secret_names, store_line, store_name
from workshop.errors import UsageError
from workshop.redaction import MASK, keep_secret

__all__ = ["with_masks", "with_secrets"]


async def with_secrets(workshop: Workshop, settings: Settings, aws: AwsClient) -> Settings:
    """The settings with every secret that is given; what could not be read is an error in `unread`, which a setup raises."""
    secrets: dict[str, str] = {}
    unread: dict[str, UsageError] = {}
    for name in secret_names(workshop):
        variable = environment_name(name)
        try:
            value, origin = os.environ.get(variable, ""), variable
            if not value:
                value, origin = await _stored(workshop, name, settings.home, aws), store_name(workshop.name, name)
        except UsageError as error:
            unread[name] = error
            continue
        keep_secret(value)
        wrong = faulty(workshop, name, value, origin) if value else None
        if wrong:
            unread[name] = wrong
        else:
            secrets[name] = value
    return replace(settings, secrets=secrets, unread=unread)


def with_masks(workshop: Workshop, settings: Settings) -> Settings:
    """The settings for what only explains: a mask in place of each secret, and nothing is read."""
    return replace(settings, secrets=dict.fromkeys(secret_names(workshop), MASK))


async def _stored(workshop: Workshop, name: str, region: str, aws: AwsClient) -> str:
    """The value of its SecureString, without line breaks at the end; empty when there is none. Raises `UsageError` when it cannot
    be read or is no SecureString (docs/aws-behaviours.md, section 13)."""
    where = store_name(workshop.name, name)
    try:
        found = (await aws.call("ssm", region, "get_parameter", Name=where, WithDecryption=True))["Parameter"]
    except AwsError as error:
        if error.code == "ParameterNotFound":
            return ""
        raise UsageError(
            what=f"The secret '{name}' could not be read: {error.what}",
            why=error.why,
            fix=error.fix or f"Allow ssm:GetParameter on {where}, or set {environment_name(name)}",
            code="UnreadSecret",
        ) from error
    value = str(found["Value"]).rstrip("\r\n")  # `--value file://...` takes the break at the end of a file along
    keep_secret(value)
    if found.get("Type") != "SecureString":
        raise UsageError(
            what=f"The parameter {where} in {region} is no SecureString.",
            why="Everyone who may list parameters can read it.",
            fix=f"Delete it, and store the secret with: {store_line(workshop.name, name, region)}",
            code="NoSecureString",
        )
    return value
