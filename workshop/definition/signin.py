"""The variable `signin`: the addresses at which people sign in, made from the `signin:` block.

In: the block, the variables of a global step, among them what turns a host into an address. Out: texts by name; none while an
output that they come from does not exist. For lint, problems. The forms of ARN, issuer and addresses: docs/aws-behaviours.md,
section 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from workshop.definition.filters import origin_of
from workshop.definition.form_errors import problem_at
from workshop.definition.model import Definition
from workshop.definition.problem import Problem, from_error
from workshop.definition.signin_model import SigninSpec
from workshop.definition.templating import render_value
from workshop.errors import DefinitionError
from workshop.quoting import shown

__all__ = ["MEMBERS", "PoolArn", "given_pool", "known_text", "pool_arn", "signin", "signin_problems", "signin_texts"]

MEMBERS = ("pool", "issuer", "client_id", "authorize_url", "token_url", "logout_url", "redirect_uri", "scope")
"""What templates see below `signin`."""
FIELDS = ("pool", "client", "host", "redirect", "scope")
"""The fields of the block that are templates."""
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):cognito-idp:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):userpool/(?P<pool>[\w-]+_[0-9A-Za-z]+)"
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class PoolArn:
    """The parts of a user pool's ARN."""

    partition: str
    region: str
    account: str
    pool: str

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:cognito-idp:{self.region}:{self.account}:userpool/{self.pool}"

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"https://cognito-idp.{self.region}.{suffix}/{self.pool}"


def pool_arn(text: str) -> PoolArn | None:
    """The parts of the ARN of a user pool; None for any other text."""
    found = _ARN.fullmatch(text)
    return PoolArn(**found.groupdict()) if found else None


def given_pool(spec: SigninSpec, plan: Mapping[str, Any]) -> PoolArn | None:
    """The user pool that the variables of the plan name; None for one that a step makes."""
    try:
        return pool_arn(render_value(spec, spec.pool, plan, "pool").strip())
    except DefinitionError:
        return None


def known_text(spec: SigninSpec, field: str, variables: Mapping[str, Any]) -> str:
    """One field of the block, rendered; empty while an output that it is made of does not exist."""
    try:
        return str(render_value(spec, getattr(spec, field), variables, field)).strip()
    except DefinitionError:
        return ""


def signin_texts(spec: SigninSpec, variables: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the block, rendered; raises `DefinitionError`, and `MissingOutputError` while an output does not exist."""
    return {field: render_value(spec, getattr(spec, field), variables, field).strip() for field in FIELDS}


def signin(spec: SigninSpec | None, variables: Mapping[str, Any]) -> dict[str, str]:
    """The members of `signin`; none without a block, or while one of its texts cannot be made."""
    try:
        texts = signin_texts(spec, variables) if spec is not None else {}
    except DefinitionError:
        return {}  # an output does not exist (any more); everything else was found by lint, before the first step
    pool = pool_arn(texts.get("pool", ""))
    if pool is None or any(_wrong(field, text) for field, text in texts.items()):
        return {}
    at = origin_of(variables)(texts["host"])
    return {
        "pool": texts["pool"],
        "issuer": pool.issuer,
        "client_id": texts["client"],
        "authorize_url": f"{at}/oauth2/authorize",
        "token_url": f"{at}/oauth2/token",
        "logout_url": f"{at}/logout",
        "redirect_uri": texts["redirect"],
        "scope": texts["scope"],
    }


def signin_problems(
    definition: Definition, variables: Mapping[str, Any], read: set[Any], kinds_of_users: Set[str]
) -> Iterator[Problem]:
    """What is wrong with the block. `read` collects the outputs that are read: what is made of one has no form yet."""
    spec = definition.signin
    if spec is None or spec.location is None:
        return
    document, base = spec.location.document, spec.location.base
    users = [step.id for step in definition.steps() if step.kind in kinds_of_users]
    if spec.user and spec.user not in users:
        fix = f"Name one of: {', '.join(users)}." if users else "Add a step of the kind cognito.user, or leave `user` out."
        yield problem_at(document, (*base, "user"), f"'{shown(spec.user)}' is no step that makes a user.", fix)
    for field in (*FIELDS, *(["signed_out"] if spec.signed_out else [])):
        read.clear()
        try:
            text = render_value(spec, getattr(spec, field), variables, field).strip()
        except DefinitionError as error:
            yield from_error(error)
            continue
        if not read and (wrong := _wrong(field, text)):
            yield problem_at(document, (*base, field), f"'{shown(text)}' {wrong[0]}", wrong[1])


def _wrong(field: str, text: str) -> tuple[str, str] | None:
    """Why a rendered field cannot be used, and the fix."""
    if not text:
        return "is empty.", "Give it a value, or leave the whole block out."
    if field == "pool" and pool_arn(text) is None:
        return (
            "is not the ARN of a user pool.",
            "It looks like arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEf123",
        )
    if field == "host" and not _HOST.fullmatch(text):
        return "is no host.", "Write it without https:// and path: tickets.auth.eu-central-1.amazoncognito.com"
    return None
