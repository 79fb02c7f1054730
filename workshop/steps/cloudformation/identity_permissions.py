"""The IAM actions of sign-in in a stack: user pools, their clients, scopes, domains and identity providers.

In: the type of a resource. Out: permissions. All of it is checked on the pool, whose id is not known before it exists, so it is
granted on the account's pools in the stack's region (docs/aws-behaviours.md, section 7).
"""

from __future__ import annotations

from workshop.steps.base import Permission, Phase
from workshop.steps.cloudformation.actions import Actions, by_phase

__all__ = ["IDENTITY", "USER_POOL", "identity_permissions", "search_permissions"]

USER_POOL = "AWS::Cognito::UserPool"
IDENTITY = {
    USER_POOL: Actions(
        make=(
            "cognito-idp:CreateUserPool",
            "cognito-idp:UpdateUserPool",
            "cognito-idp:SetUserPoolMfaConfig",
            "cognito-idp:GetUserPoolMfaConfig",
            "cognito-idp:TagResource",
            "cognito-idp:UntagResource",
            "cognito-idp:ListTagsForResource",
        ),
        remove=("cognito-idp:DeleteUserPool",),
        look=("cognito-idp:DescribeUserPool",),
    ),
    "AWS::Cognito::UserPoolClient": Actions(
        make=("cognito-idp:CreateUserPoolClient", "cognito-idp:UpdateUserPoolClient", "cognito-idp:DescribeUserPoolClient"),
        remove=("cognito-idp:DeleteUserPoolClient",),
    ),
    "AWS::Cognito::UserPoolResourceServer": Actions(
        make=("cognito-idp:CreateResourceServer", "cognito-idp:UpdateResourceServer", "cognito-idp:DescribeResourceServer"),
        remove=("cognito-idp:DeleteResourceServer",),
    ),
    "AWS::Cognito::UserPoolDomain": Actions(
        make=("cognito-idp:CreateUserPoolDomain", "cognito-idp:UpdateUserPoolDomain", "cognito-idp:DescribeUserPoolDomain"),
        remove=("cognito-idp:DeleteUserPoolDomain", "cognito-idp:DescribeUserPoolDomain"),
    ),
    "AWS::Cognito::UserPoolIdentityProvider": Actions(
        make=(
            "cognito-idp:CreateIdentityProvider",
            "cognito-idp:UpdateIdentityProvider",
            "cognito-idp:DescribeIdentityProvider",
        ),
        remove=("cognito-idp:DeleteIdentityProvider", "cognito-idp:DescribeIdentityProvider"),
    ),
}
"""By type, in IAM's names."""
LISTING = "cognito-idp:ListUserPools"


def search_permissions(account: str, region: str) -> set[Permission]:
    """What a teardown needs to look for user pools by their tags in any region of the workshop."""
    pools = f"arn:aws:cognito-idp:{region}:{account}:userpool/*"
    needed = ((LISTING, "*"), ("cognito-idp:DescribeUserPool", pools))
    return {Permission(action, resource, region, Phase.TEARDOWN) for action, resource in needed}


def identity_permissions(kind: str, account: str, region: str) -> set[Permission]:
    """What setup, teardown and check of one such resource need in this region."""
    pools = f"arn:aws:cognito-idp:{region}:{account}:userpool/*"
    needed = by_phase(IDENTITY[kind], [pools], region)
    if kind == USER_POOL:
        needed |= {Permission(LISTING, "*", region, phase) for phase in (Phase.SETUP, Phase.TEARDOWN, Phase.CHECK)}
    return needed
