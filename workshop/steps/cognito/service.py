"""Cognito as the step kinds declare it: the service, its resource types, its quota (docs/aws-behaviours.md, section 7)."""

from __future__ import annotations

from workshop.aws.client import AwsClient
from workshop.aws.resources.user_pools import user_pool_count
from workshop.steps.declarations import SERVICE_QUOTAS, AccessProof, Quota, ResourceType, Service

__all__ = ["COGNITO", "USER", "USER_POOL", "PoolQuota"]

COGNITO = Service("cognito-idp", AccessProof("list_user_pools", "cognito-idp:ListUserPools", {"MaxResults": 1}))
USER_POOL = ResourceType("user-pool", "user pool", upkeep="nothing while no one signs in")
USER = ResourceType("user", "user of a user pool")


class PoolQuota(Quota):
    """User pools of a region."""

    name = "user-pools"
    what = "user pools"
    action = "cognito-idp:CreateUserPool"
    service = "cognito-idp"
    code = "L-66E6DF30"
    default = 1000
    actions = (SERVICE_QUOTAS, ("cognito-idp:ListUserPools", "*"))

    async def used(self, aws: AwsClient, region: str) -> int:
        return await user_pool_count(aws, region)
