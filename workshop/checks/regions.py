"""Whether the regions exist and are enabled for the account. In: a context. Out: findings.

A disabled region refuses calls as if the credentials were bad, so those are tried in the home region first
(docs/aws-behaviours.md, section 8).
"""

from __future__ import annotations

import difflib
from typing import ClassVar

from workshop.aws.errors import AwsError, CredentialsError
from workshop.checks.base import Family, Finding, Key, RegionalCheck, failed, passed, warned
from workshop.steps.base import Permission, Phase

__all__ = ["FAMILY", "RegionEnabled", "RegionExists"]

MISTAKABLE = ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "RegionDisabledException")
"""Error codes of a region that the account has not enabled."""
ON = ("ENABLED", "ENABLED_BY_DEFAULT")


class RegionExists(RegionalCheck):
    """There is a region of this name: botocore would build an address out of any."""

    name = "name"
    title = "There is a region of this name"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        known = self.context.known_regions
        if self.region in known:
            role = "home" if self.region == self.context.home else "replica"
            return passed(role)
        near = difflib.get_close_matches(self.region, sorted(known), 1)
        others = [near[0] if near and region == self.region else region for region in self.context.regions]
        flags = "".join(f" --region {region}" for region in others)
        hint = "Choose another with --region; aws account list-regions shows them"
        if near:
            hint = f"Did you mean {near[0]}? Use: {flags.strip()}"
        return failed(f"AWS offers DynamoDB in no region called {self.region!r}.", hint)


class RegionEnabled(RegionalCheck):
    """The account may use the region."""

    name = "enabled"
    title = "The region is enabled for the account"

    @property
    def depends_on(self) -> tuple[Key, ...]:
        return (("identity.caller", ""), ("regions.name", self.region))

    async def run(self) -> Finding:
        context = self.context
        status = await self._status()
        if status == "ENABLING":
            return warned("It is being enabled.", f"Wait some minutes, then run: workshop check --only regions{context.flags()}")
        if status and status not in ON:
            return self._disabled(f"The account's setting for it is {status}.")
        try:
            # In an enabled region, STS refuses no caller (section 8).
            await context.aws.call("sts", self.region, "get_caller_identity")
        except CredentialsError as error:
            if error.code in MISTAKABLE and self.region != context.home:
                return self._disabled(f"It returns {error.code}, although the credentials work in {context.home}.")
            raise
        except AwsError as error:
            if error.code in MISTAKABLE:
                return self._disabled(f"It returns {error.code}.")
            if error.unreachable:
                return failed(
                    f"STS in {self.region} does not answer: {error.message}",
                    f"Check the network and firewalls: curl -sI https://sts.{self.region}.amazonaws.com",
                )
            raise
        return passed(status.lower().replace("_", " ") if status else "it answers")

    async def _status(self) -> str:
        """The account's setting for the region; empty when that may not be read."""
        try:
            # The account service has one endpoint for all regions.
            response = await self.context.aws.call("account", "us-east-1", "get_region_opt_status", RegionName=self.region)
        except AwsError:
            return ""
        return str(response.get("RegionOptStatus", ""))

    def _disabled(self, why: str) -> Finding:
        others = " ".join(f"--region {region}" for region in self.context.regions if region != self.region)
        return failed(
            f"The region {self.region} is not enabled for account {self.context.account}. {why}",
            f"aws account enable-region --region-name {self.region}, or choose another: {others} --region OTHER",
        )

    def permissions(self) -> list[Permission]:
        return [Permission("account:GetRegionOptStatus", f"arn:aws:account::{self.context.account}:account", "", Phase.CHECK)]


FAMILY = Family("regions", "Regions", (RegionExists, RegionEnabled))
