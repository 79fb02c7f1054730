"""The app client of a user pool that exists already: whether the pages can sign people in with it.

In: what `signin:` names, as far as it is known. Out: a finding. Reads only, and only in the caller's own account: the client of
a pool elsewhere is its owner's to look at (docs/aws-behaviours.md, section 7.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workshop.aws.errors import AwsError
from workshop.checks.base import Check, Finding, failed, passed, refused, skipped
from workshop.checks.context import CheckContext, GivenClient
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import Permission, Phase

__all__ = ["Client"]


@dataclass(frozen=True)
class Client(Check):
    """The client of the given pool has the code flow, the scopes, and the addresses of these pages."""

    given: GivenClient = field(kw_only=True)

    name = "client"
    title = "The client of the given user pool fits the pages"

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One, where a pool is given."""
        return [cls(context, given=context.given_client)] if context.given_client else []

    async def run(self) -> Finding:
        given = self.given
        wanted = "; ".join(_wanted(given))
        if given.pool.account != self.context.account:
            return skipped(f"The pool is one of account {given.pool.account}. Its client needs: {wanted}")
        try:
            found = await self.context.aws.call(
                "cognito-idp", given.pool.region, "describe_user_pool_client", UserPoolId=given.pool.pool, ClientId=given.client
            )
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                return refused(error, "The client of the user pool")
            what = f"The pool {shown(given.pool.pool)} in {given.pool.region} has no client {shown(given.client)}."
            return failed(
                what, aws_line("cognito-idp list-user-pool-clients", region=given.pool.region, user_pool_id=given.pool.pool)
            )
        lacking = list(_lacking(given, found.get("UserPoolClient") or {}))
        if not lacking:
            return passed(wanted)
        look = aws_line(
            "cognito-idp describe-user-pool-client",
            region=given.pool.region,
            user_pool_id=given.pool.pool,
            client_id=given.client,
        )
        return failed(f"The client {shown(given.client)}: {'; '.join(lacking)}.", f"Change it, then look at it: {look}")

    def permissions(self) -> list[Permission]:
        pool = self.given.pool
        own = pool.account == self.context.account
        return [Permission("cognito-idp:DescribeUserPoolClient", pool.arn, pool.region, Phase.CHECK)] if own else []


def _wanted(given: GivenClient) -> Iterator[str]:
    """What the client needs, for its owner."""
    yield f"the code flow with the scopes {shown(given.scope)}"
    yield f"the callback {shown(given.redirect)}" if given.redirect else "the callback, which `workshop status` prints later"
    if given.signed_out:
        yield f"the sign-out address {shown(given.signed_out)}"


def _lacking(given: GivenClient, client: Mapping[str, Any]) -> Iterator[str]:
    """What the client lacks, in words."""
    if client.get("ClientSecret"):
        yield "it has a secret, which pages cannot keep"
    if not client.get("AllowedOAuthFlowsUserPoolClient") or "code" not in client.get("AllowedOAuthFlows", ()):
        yield "it lacks the code flow"
    if scopes := [scope for scope in given.scope.split() if scope not in client.get("AllowedOAuthScopes", ())]:
        yield f"it lacks the scopes {shown(' '.join(scopes))}"
    if given.redirect and given.redirect not in client.get("CallbackURLs", ()):
        yield f"it lacks the callback {shown(given.redirect)}"
    if given.signed_out and given.signed_out not in client.get("LogoutURLs", ()):
        yield f"it lacks the sign-out address {shown(given.signed_out)}"
