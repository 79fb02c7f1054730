"""Whether the caller may do what the steps will do. In: the permissions of the steps. Out: findings.

IAM's simulation covers identity and organization policies, not session, endpoint and resource policies, so harmless
reads are tried as well (docs/aws-behaviours.md, section 8).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from workshop.aws.errors import AwsError
from workshop.checks.base import Check, Family, Finding, failed, passed, refused, skipped
from workshop.checks.context import CheckContext
from workshop.steps.base import Permission, Phase
from workshop.steps.declarations import AccessProof
from workshop.steps.registry import services

__all__ = ["FAMILY", "LinkedRoles", "Reads", "Simulated"]

ACTIONS = 80
"""Action names of one simulation."""
SHOWN = 12
"""Denied actions that a finding names."""
LINKED = "iam:CreateServiceLinkedRole"


class _EverywhereCheck(Check):
    """A check of each region, and of what belongs to none."""

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        return [cls(context, region) for region in (*context.regions, "")]


class Simulated(_EverywhereCheck):
    """IAM's prediction for every action that the steps need, on its resource, in its region."""

    name = "simulation"
    title = "IAM allows what the steps will do"
    deadline = 45.0

    async def run(self) -> Finding:
        context = self.context
        wanted = [p for p in context.permissions() if p.region == self.region]
        if not wanted:
            return skipped("The steps need nothing here.")
        try:
            principal = await self._principal()
        except AwsError as error:
            return refused(error, "The role behind the session")
        if not principal:
            return passed("no policy of the account limits the root user" if context.on_aws else "nothing is forbidden locally")
        try:
            denied = await self._denied(principal, wanted)
        except AwsError as error:
            return refused(error, "IAM's prediction")
        if not denied:
            return passed(f"{len({p.action for p in wanted})} actions")
        shown = ", ".join(f"{action} ({why})" for action, why in list(denied.items())[:SHOWN])
        more = f", and {len(denied) - SHOWN} more" if len(denied) > SHOWN else ""
        fix = f"workshop policy{context.flags()} > policy.json, and have it attached to {principal}"
        if "organization" in shown:
            fix = f"Ask who runs the organization to allow these actions{f' in {self.region}' if self.region else ''}; then {fix}"
        return failed(f"{len(denied)} of {len({p.action for p in wanted})} actions are denied: {shown}{more}", fix)

    async def _principal(self) -> str:
        """The ARN that IAM simulates: of a user, or of the role behind an assumed-role session, path and all; empty for root."""
        caller = self.context.caller
        arn = caller.arn if caller else ""
        resource = arn.split(":", 5)[-1]
        kind, _, rest = resource.partition("/")
        if kind == "root":
            return ""
        if kind != "assumed-role":
            return arn
        # The session's ARN lacks the role's path, and roles of single sign-on have one (section 8).
        role = rest.partition("/")[0]
        response = await self.context.aws.call("iam", self.context.home, "get_role", RoleName=role)
        return str(response["Role"]["Arn"])

    async def _denied(self, principal: str, wanted: Sequence[Permission]) -> dict[str, str]:
        """The denied actions, each with the reason that IAM gives."""
        # One resource may be passed to several services: roles whose names begin the same have one ARN here.
        by_target: dict[tuple[str, str], set[str]] = defaultdict(set)
        for permission in wanted:
            for service in permission.passed_to or ("",):
                by_target[permission.resource, service].add(permission.action)
        batches = [
            (sorted(actions)[start : start + ACTIONS], *target)
            for target, actions in sorted(by_target.items())
            for start in range(0, len(actions), ACTIONS)
        ]
        denials = await asyncio.gather(*(self._simulate(principal, *batch) for batch in batches))
        found = {name: why for each in denials for name, why in each.items()}
        return dict(sorted(found.items()))

    async def _simulate(self, principal: str, actions: Sequence[str], resource: str, passed_to: str) -> dict[str, str]:
        """The denied ones of these actions on a resource, each with the reason that IAM gives. A role is given to `passed_to`,
        which the reason names."""
        # Policies have conditions on these keys, and a simulation knows only the values that it is given.
        context = {
            "aws:RequestedRegion": self.region,
            "iam:AWSServiceName": _owner(resource),
            "iam:PassedToService": passed_to,
        }
        request: dict[str, Any] = {
            "PolicySourceArn": principal,
            "ActionNames": list(actions),
            "ResourceArns": [resource],
            "ContextEntries": [
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in context.items()
                if value
            ],
        }
        denied: dict[str, str] = {}
        while True:
            response = await self.context.aws.call("iam", self.context.home, "simulate_principal_policy", **request)
            for result in response.get("EvaluationResults", []):
                if result["EvalDecision"] != "allowed":
                    denied[result["EvalActionName"]] = _why(result) + (f", for {passed_to}" if passed_to else "")
            if not response.get("IsTruncated"):
                return denied
            request["Marker"] = response["Marker"]

    def permissions(self) -> list[Permission]:
        account = self.context.account
        return [
            Permission("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{account}:role/*", "", Phase.CHECK),
            Permission("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{account}:user/*", "", Phase.CHECK),
            Permission("iam:GetRole", f"arn:aws:iam::{account}:role/*", "", Phase.CHECK),
        ]


class Reads(_EverywhereCheck):
    """A harmless read of every service that the steps use: what any policy denies shows here."""

    name = "reads"
    title = "Harmless reads are allowed"

    async def run(self) -> Finding:
        proofs = self._proofs()
        if not proofs:
            return skipped("The steps use no service here that can be read without any resource.")
        found = await asyncio.gather(*(self._read(service, proof) for service, proof in proofs.items()))
        denied = [error for error in found if error is not None and error.denied]
        broken = [error for error in found if error is not None and not error.denied]
        if denied:
            names = ", ".join(f"{error.service} {error.operation}" for error in denied)
            who = f"workshop policy{self.context.flags()} > policy.json, and have it attached to the caller"
            if any(error.mentions("service control policy") for error in denied):
                who = "Ask who runs the organization: a service control policy denies it"
            return failed(f"Denied: {names} ({denied[0].message or denied[0].code})", who)
        if broken:
            shown = "; ".join(f"{error.what}: {error.why}".rstrip(": ") for error in broken)
            return failed(shown, broken[0].fix or "Look at https://health.aws.amazon.com, then run it again")
        return passed(", ".join(proofs))

    def _proofs(self) -> dict[str, AccessProof]:
        """The proofs of access that the step kinds declare, for the services that the steps use here."""
        declared = services()
        used = (declared[name] for name in self.context.services(self.region) if name in declared)
        return {service.name: service.proof for service in used if service.proof is not None}

    async def _read(self, service: str, proof: AccessProof) -> AwsError | None:
        try:
            await self.context.aws.call(service, self.region or self.context.home, proof.operation, **proof.parameters)
        except AwsError as error:
            return error
        return None

    def permissions(self) -> list[Permission]:
        return [
            Permission(proof.action, proof.resource.format(region=self.region), self.region, Phase.CHECK)
            for proof in self._proofs().values()
        ]


class LinkedRoles(Check):
    """The service-linked roles that the steps need exist, or will be made by the first use."""

    name = "linked-role"
    title = "The service-linked role for replication"

    async def run(self) -> Finding:
        notes: list[str] = []
        for owner in sorted({_owner(p.resource) for p in self.context.permissions() if p.action == LINKED}):
            try:
                response = await self.context.aws.call(
                    "iam", self.context.home, "list_roles", PathPrefix=f"/aws-service-role/{owner}/", MaxItems=10
                )
            except AwsError as error:
                return refused(error, "The service-linked role")
            names = [role["RoleName"] for role in response.get("Roles", [])]
            notes.append(f"{names[0]} exists" if names else f"{owner} makes its role with the first use, which {LINKED} allows")
        return passed("; ".join(notes)) if notes else skipped("The steps need none.")

    def permissions(self) -> list[Permission]:
        return [Permission("iam:ListRoles", "*", "", Phase.CHECK)]


def _why(result: Mapping[str, Any]) -> str:
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return "by the organization"
    if result["EvalDecision"] == "explicitDeny":
        return "by an explicit deny"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return "by the permissions boundary"
    return "not granted"


def _owner(resource: str) -> str:
    return resource.partition("/aws-service-role/")[2].partition("/")[0]


FAMILY = Family("permissions", "Permissions", (Simulated, Reads, LinkedRoles))
