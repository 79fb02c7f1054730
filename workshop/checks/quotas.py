"""What the account still has room for. In: the applied quotas and what is in use. Out: findings.

The services' own figures are preferred; the rest is read from Service Quotas, which may be missing or denied
(docs/aws-behaviours.md, section 8).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.tables import list_tables
from workshop.checks.base import Check, Family, Finding, RegionalCheck, failed, passed, refused, skipped, warned
from workshop.steps.base import Permission, Phase

__all__ = ["FAMILY", "ApiQuota", "ConcurrencyQuota", "RoleQuota", "StackQuota", "TableQuota"]

SMALL = 100
"""Concurrent executions that Lambda keeps unreserved: with fewer, no function can be given a reserve of its own (section 4)."""
FULL = 0.9
"""The share of a quota above which it is worth a word."""


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


class _Room(Check):
    """One quota: how much is used, how much the steps add."""

    action: str
    """The action that makes one more."""
    service: str
    code: str
    usual: int
    """What AWS gives by default."""
    what: str

    @abstractmethod
    async def used(self) -> int:
        """How many there are; raises `AwsError` when it may not be asked."""

    async def limit(self) -> int:
        """The applied value; raises `AwsError` when it may not be asked."""
        answer = await self.context.aws.call(
            "service-quotas", self.region or "us-east-1", "get_service_quota", ServiceCode=self.service, QuotaCode=self.code
        )
        return int(answer["Quota"]["Value"])

    def adds(self) -> int:
        """How many the steps will make here."""
        return len(self.context.needed(self.action, self.region))

    async def run(self) -> Finding:
        adds = self.adds()
        if not adds:
            return skipped(f"The steps make no {self.what} here.")
        try:
            used = await self.used()
        except AwsError as error:
            return refused(error, f"The number of {self.what}")
        unknown = ""
        try:
            limit = await self.limit()
        except AwsError as error:
            why = "denied" if error.denied else error.code if self.context.on_aws else "the local cloud has none"
            unknown = f" The applied quota could not be read ({why}): compared with AWS's default."
            limit = self.usual
        shown = f"{used:,} of {limit:,} in use, this workshop adds {adds}.{unknown}"
        if used + adds > limit:
            return failed(shown, self.raise_command(limit + max(10, adds)))
        if used + adds > limit * FULL:
            return warned(shown, self.raise_command(limit * 2))
        return skipped(shown) if unknown else passed(shown.rstrip("."))

    def raise_command(self, value: int) -> str:
        """The line that asks AWS for more."""
        return (
            f"Remove some {self.what} that nobody needs, or ask for more: aws service-quotas request-service-quota-increase"
            f" --region {self.region or 'us-east-1'} --service-code {self.service} --quota-code {self.code}"
            f" --desired-value {value}"
        )

    def permissions(self) -> list[Permission]:
        return [Permission("servicequotas:GetServiceQuota", "*", self.region, Phase.CHECK)]


class TableQuota(_Room, RegionalCheck):
    """Tables of a region."""

    name = "tables"
    title = "There is room for the tables"
    action, service, code, usual, what = "dynamodb:CreateTable", "dynamodb", "L-F98FE922", 2500, "tables"

    async def used(self) -> int:
        return len(await list_tables(self.context.aws, self.region))

    def permissions(self) -> list[Permission]:
        return [*super().permissions(), Permission("dynamodb:ListTables", "*", self.region, Phase.CHECK)]


class StackQuota(_Room, RegionalCheck):
    """Stacks of a region, those that failed included."""

    name = "stacks"
    title = "There is room for the stacks"
    action, service, code, usual, what = "cloudformation:CreateStack", "cloudformation", "L-0485CB21", 2000, "stacks"

    async def used(self) -> int:
        return await _count(self, "cloudformation", "describe_stacks", "Stacks", "NextToken")

    async def limit(self) -> int:
        answer = await self.context.aws.call("cloudformation", self.region, "describe_account_limits")
        for entry in answer.get("AccountLimits", []):
            if entry.get("Name") == "StackLimit":
                return int(entry["Value"])
        return self.usual

    def permissions(self) -> list[Permission]:
        return [
            Permission(f"cloudformation:{action}", "*", self.region, Phase.CHECK)
            for action in ("DescribeAccountLimits", "DescribeStacks")
        ]


class ApiQuota(_Room, RegionalCheck):
    """Regional REST APIs."""

    name = "rest-apis"
    title = "There is room for the REST APIs"
    action, service, code, usual, what = "apigateway:POST", "apigateway", "L-AA0FF27B", 600, "REST APIs"

    def adds(self) -> int:
        # The same verb makes an API, its parts and its tags; only the first is counted.
        return sum(resource.endswith("/restapis") for resource in self.context.needed(self.action, self.region))

    async def used(self) -> int:
        return await _count(self, "apigateway", "get_rest_apis", "items", "position", limit=500)

    def permissions(self) -> list[Permission]:
        listing = Permission("apigateway:GET", f"arn:aws:apigateway:{self.region}::/restapis", self.region, Phase.CHECK)
        return [*super().permissions(), listing]


class RoleQuota(_Room):
    """Roles of the account: IAM is global."""

    name = "roles"
    title = "There is room for the roles"
    action, service, code, usual, what = "iam:CreateRole", "iam", "L-FE177D64", 1000, "roles"

    async def used(self) -> int:
        return int((await self._summary()).get("Roles", 0))

    async def limit(self) -> int:
        return int((await self._summary()).get("RolesQuota", self.usual))

    async def _summary(self) -> dict[str, Any]:
        answer = await self.context.aws.call("iam", self.context.home, "get_account_summary")
        return dict(answer.get("SummaryMap", {}))

    def permissions(self) -> list[Permission]:
        return [Permission("iam:GetAccountSummary", "*", "", Phase.CHECK)]


async def _count(check: Check, service: str, operation: str, member: str, cursor: str, **first: Any) -> int:
    """How many entries all pages of a listing hold."""
    count, page = 0, dict(first)
    while True:
        answer = await check.context.aws.call(service, check.region, operation, **page)
        count += len(answer.get(member, []))
        if not answer.get(cursor):
            return count
        page = {**first, cursor: answer[cursor]}


FAMILY = Family("quotas", "Quotas", (ConcurrencyQuota, TableQuota, StackQuota, ApiQuota, RoleQuota))
