"""Whether the machine's clock agrees with AWS's. In: the Date of a response. Out: a finding.

Requests that are 5 minutes off are refused, as if the credentials were bad (docs/aws-behaviours.md, section 8).
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import ClassVar

import httpx

from workshop.checks.base import Check, Family, Finding, failed, passed, skipped, warned
from workshop.checks.endpoints import probe

__all__ = ["FAMILY", "ClockSkew"]

NOTICED = 60.0
"""Seconds off that are worth a warning."""
REFUSED = 300.0
"""Seconds off that AWS refuses."""
FIX = "Set the clock by the network: sudo timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com)"
SKEWED = ("SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired")


class ClockSkew(Check):
    """Compares with the Date of a response that needs no credentials."""

    name = "skew"
    title = "This machine's clock is right"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        try:
            response = await probe(self.context, self.context.address("sts", self.context.home))
        except httpx.HTTPError:
            return skipped("STS does not answer, so there is nothing to compare with.")
        if "date" not in response.headers:
            return self._from_refusal() or skipped(
                "The responses have no date: the local cloud runs on this machine's own clock."
            )
        try:
            there = parsedate_to_datetime(response.headers["date"])
        except ValueError:
            return skipped(f"The response's date cannot be read: {response.headers['date']!r}.")
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


FAMILY = Family("clock", "Clock", (ClockSkew,))
