"""What the account still has room for. In: the applied quotas and what is in use. Out: findings.

The services' own figures are preferred; the rest is read from Service Quotas, which may be missing or denied
(docs/aws-behaviours.md, section 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workshop.aws.errors import AwsError
from workshop.checks.base import Check, Family, Finding, RegionalCheck, failed, passed, refused, skipped, warned
from workshop.checks.context import CheckContext
from workshop.steps.base import Permission, Phase
from workshop.steps.declarations import Quota
from workshop.steps.registry import quotas

__all__ = ["FAMILY", "ConcurrencyQuota", "QuotaRoom"]

SMALL = 100
"""Concurrent executions that Lambda keeps unreserved: with fewer, no function can be given a reserve of its own (section 4)."""
FULL = 0.9
"""The share of a quota above which its use is a warning."""


class ConcurrencyQuota(RegionalCheck):
    """How many functions may run at once, and what that means for the drill."""

    name = "lambda-concurrency"
    title = "Lambda runs enough functions at once"

    async def run(self) -> Finding:
        if not self.context.needed("lambda:CreateFunction", self.region):
            return skipped("The steps make no function here.")
        try:
            response = await self.context.aws.call("lambda", self.region, "get_account_settings")
        except AwsError as error:
            return refused(error, "Lambda's limit")
        limit = int(response.get("AccountLimit", {}).get("ConcurrentExecutions", 0))
        if limit < 1:
            return failed(
                f"Lambda may run {limit} functions at once in {self.region}.",
                f"aws service-quotas request-service-quota-increase --region {self.region} --service-code lambda"
                " --quota-code L-B99A9384 --desired-value 1000",
            )
        if limit < SMALL:
            return warned(
                f"{limit} at once, as new accounts have. Enough for one participant; a load test or a drill with many requests a"
                " second is throttled. The drill itself works: it sets a reserve of 0, which needs none.",
                f"aws service-quotas request-service-quota-increase --region {self.region} --service-code lambda"
                " --quota-code L-B99A9384 --desired-value 1000 (often granted within a day)",
            )
        return passed(f"{limit:,} at once")

    def permissions(self) -> list[Permission]:
        return [Permission("lambda:GetAccountSettings", "*", self.region, Phase.CHECK)]


@dataclass(frozen=True)
class QuotaRoom(Check):
    """One quota: how much is used, how much the steps add."""

    quota: Quota = field(kw_only=True)

    name = "quota"
    title = "There is room"

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One for each quota that a step kind declares, in each region unless the quota is of the account."""
        return [
            cls(context, region, quota=quota) for quota in quotas() for region in (("",) if quota.is_global else context.regions)
        ]

    @property
    def id(self) -> str:
        return f"{self.family}.{self.quota.name}"

    @property
    def heading(self) -> str:
        return f"There is room for the {self.quota.what}"

    async def run(self) -> Finding:
        quota, place = self.quota, self.region or self.context.home
        adds = self._adds()
        if not adds:
            return skipped(f"The steps make no {quota.what} here.")
        try:
            used = await quota.used(self.context.aws, place)
        except AwsError as error:
            return refused(error, f"The number of {quota.what}")
        unknown = ""
        try:
            limit = await quota.limit(self.context.aws, place)
        except AwsError as error:
            why = "denied" if error.denied else error.code if self.context.on_aws else "the local cloud has none"
            unknown = f" The applied quota could not be read ({why}): compared with AWS's default."
            limit = quota.default
        shown = f"{used:,} of {limit:,} in use, this workshop adds {adds}.{unknown}"
        if used + adds > limit:
            return failed(shown, self._increase(limit + max(10, adds)))
        if used + adds > limit * FULL:
            return warned(shown, self._increase(limit * 2))
        return skipped(shown) if unknown else passed(shown.rstrip("."))

    def _adds(self) -> int:
        """How many more the steps make here."""
        return sum(self.quota.counts(resource) for resource in self.context.needed(self.quota.action, self.region))

    def _increase(self, value: int) -> str:
        """The line that asks AWS for more."""
        return (
            f"Remove some {self.quota.what} that are not needed, or ask for more: aws service-quotas"
            f" request-service-quota-increase --region {self.region or 'us-east-1'} --service-code {self.quota.service}"
            f" --quota-code {self.quota.code} --desired-value {value}"
        )

    def permissions(self) -> list[Permission]:
        if not self._adds():
            return []  # nothing of it is asked
        known = {"region": self.region, "account": self.context.account, "service": self.quota.service, "code": self.quota.code}
        return [Permission(action, resource.format(**known), self.region, Phase.CHECK) for action, resource in self.quota.actions]


FAMILY = Family("quotas", "Quotas", (ConcurrencyQuota, QuotaRoom))
