"""The machine's clock agrees with AWS's: requests are refused when they are 5 minutes off, and look like bad credentials then
(docs/aws-behaviours.md, section 8)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import ClassVar

import httpx

from workshop.checks.base import Check, Finding, failed, passed, skipped, warned
from workshop.checks.context import CheckContext
from workshop.checks.endpoints import knock

__all__ = ["TITLE", "ClockSkew", "checks"]

TITLE = "Clock"
NOTICED, REFUSED = 60.0, 300.0
"""Seconds off that deserve a word, and that AWS refuses."""
FIX = "Set the clock by the network: sudo timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com)"
SKEWED = ("SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired")


class ClockSkew(Check):
    """Compared with the Date of an answer that needs no credentials."""

    family = "clock"
    name = "skew"
    title = "This machine's clock is right"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        try:
            answer = await knock(self.context, self.context.address("sts", self.context.home))
        except httpx.HTTPError:
            return skipped("Nobody answers, so there is nothing to compare with.")
        if "date" not in answer.headers:
            return self._from_refusal() or skipped("The answers carry no date: the local cloud runs on this machine's own clock.")
        try:
            there = parsedate_to_datetime(answer.headers["date"])
        except ValueError:
            return skipped(f"The answer's date cannot be read: {answer.headers['date']!r}.")
        off = (self.context.clock.now() - there).total_seconds()
        shown = f"{abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"
        if abs(off) >= REFUSED:
            return failed(
                f"The clock is {shown} of AWS, which refuses {REFUSED:.0f} s and more as if the credentials were bad.", FIX
            )
        if abs(off) >= NOTICED:
            return warned(f"The clock is {shown} of AWS.", FIX)
        return passed(f"{abs(off):.0f} s off")

    def _from_refusal(self) -> Finding | None:
        error = self.context.caller_error
        if error is None or error.code not in SKEWED:
            return None
        return failed(f"AWS refused the signature: {error.why or error.code}", FIX)


def checks(context: CheckContext) -> list[Check]:
    """The checks of this family."""
    return [ClockSkew(context)]
