"""Who is calling, in which account, and for how long. In: a context. Out: findings. See docs/aws-behaviours.md, section 8."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from workshop.checks.base import Check, Family, Finding, failed, passed, skipped, warned
from workshop.shell import command_line

__all__ = ["FAMILY", "CredentialLife", "ExpectedAccount", "KnownCaller", "Principal"]

SIGN_IN = "Sign in (aws sso login, or aws configure), or name a profile: workshop check --target aws --profile NAME"


class KnownCaller(Check):
    """There is a caller at all. Every check that calls AWS depends on this one."""

    name = "caller"
    title = "AWS knows who is calling"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        context = self.context
        if context.caller is not None:
            return passed(f"{context.caller.arn}")
        error = context.caller_error
        if error is None:
            return failed("There are no credentials.", SIGN_IN)
        return failed(" ".join(part for part in (error.what, error.why) if part), error.fix or SIGN_IN)


class ExpectedAccount(Check):
    """The right account, when one was named."""

    name = "account"
    title = "It is the right account"

    async def run(self) -> Finding:
        found, expected = self.context.account, self.context.expected_account
        if not expected:
            return skipped(f"No account was named; this is {found}. Guard it: --expect-account {found}")
        if found == expected:
            return passed(f"{found}, as expected")
        if not self.context.on_aws:
            return failed(
                f"The local cloud is account {found}, not {expected}.",
                f"Look at AWS: {command_line(['workshop', 'check', '--target', 'aws', '--expect-account', expected])}",
            )
        return failed(
            f"This is account {found}, not {expected}.",
            f"Choose the profile of {expected}: "
            + command_line(["workshop", "check", "--target", "aws", "--profile", "NAME", "--expect-account", expected]),
        )


class Principal(Check):
    """A role or a user, not the owner of the account."""

    name = "principal"
    title = "A role or a user is at work"

    async def run(self) -> Finding:
        caller = self.context.caller
        if caller is None:
            return skipped("There is no caller.")
        if not self.context.on_aws:
            return passed("the local cloud's own caller, who may do everything")
        kind = caller.arn.split(":", 5)[-1].partition("/")[0]
        if kind == "root":
            return warned(
                "The root user is calling: nothing can be forbidden to it, and its keys should not exist.",
                "Sign in as a role or a user instead: workshop check --target aws --profile NAME",
            )
        return passed({"assumed-role": "an assumed role", "user": "a user", "federated-user": "a federated user"}.get(kind, kind))


class CredentialLife(Check):
    """The credentials outlive the event: AWS needs them to the end of what it does in the background (section 1.8)."""

    name = "life"
    title = "The credentials last through the event"

    async def run(self) -> Finding:
        context = self.context
        life, planned = context.life, context.event.minutes
        if life is None or not context.on_aws:
            return passed("the local cloud's credentials never expire")
        if not life.temporary:
            return passed(f"permanent keys, from {life.source}")
        if life.expires is None:
            return warned(
                f"Temporary credentials from {life.source} whose expiry is unknown.",
                f"Make sure that they last {planned:.0f} minutes, or sign in again right before the event",
            )
        return self._remaining(life.expires, planned, renews=life.renews, source=life.source)

    def _remaining(self, expires: datetime, planned: float, *, renews: bool, source: str) -> Finding:
        left = (expires - self.context.clock.now()).total_seconds() / 60
        until = f"until {expires:%H:%M} UTC ({max(left, 0):.0f} minutes)"
        if renews:
            return passed(f"from {source}, good {until}, renewed by themselves")
        fix = f"Get fresh credentials that last {planned:.0f} minutes, then run: workshop check{self.context.flags()}"
        if left < self.context.event.setup_minutes * 2:
            return failed(f"The credentials are good {until}: setup and teardown alone take longer.", fix)
        if left < planned:
            return warned(f"The credentials are good {until}; the event is planned to take {planned:.0f}.", fix)
        return passed(f"from {source}, good {until}")


FAMILY = Family("identity", "Identity", (KnownCaller, ExpectedAccount, Principal, CredentialLife))
