"""Cognito's user pools as the steps call them: MiniStack's own, one call after the other.

In: calls under their botocore names. Out: MiniStack's responses as botocore hands them on, or `AwsError`. What AWS refuses and
MiniStack does not is refused here: to delete a pool that is protected or has a domain (docs/aws-behaviours.md, section 7).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses
from ministack.services import cognito

from workshop.aws.errors import AwsError

__all__ = ["CloudCognito", "close_cognito"]

_open: list[CloudCognito] = []


def close_cognito() -> None:
    """Forget every pool; every test ends with it."""
    while _open:
        _open.pop()
        cognito.reset()


class CloudCognito:
    """The user pools of one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def call(self, region: str, operation: str, **request: Any) -> dict[str, Any]:
        """One call of a step."""
        _open.append(self)
        name = "".join(part.capitalize() for part in operation.split("_"))
        if name == "DeleteUserPool":
            self._require_deletable(region, request["UserPoolId"])
        with responses.request_scope(self._account, region):
            status, _, body = getattr(cognito, f"_{operation}")(request)
        content: dict[str, Any] = json.loads(body) if body else {}
        if status != 200:
            raise self._refusal(content["__type"].rpartition("#")[2], content.get("message", ""), name, region)
        for key, value in content.get("UserPool", {}).items():
            if key in ("CreationDate", "LastModifiedDate"):
                content["UserPool"][key] = datetime.fromtimestamp(value, UTC)
        return content

    # What exists before a test, and what is looked at afterwards.

    def put_pool(self, region: str, name: str = "tickets", *, tags: dict[str, str] | None = None, protected: bool = False) -> str:
        """A pool that exists already; returns its id."""
        protection = "ACTIVE" if protected else "INACTIVE"
        made = self.call(region, "create_user_pool", PoolName=name, UserPoolTags=tags or {}, DeletionProtection=protection)
        return str(made["UserPool"]["Id"])

    def users(self, region: str, pool: str) -> dict[str, dict[str, Any]]:
        """What MiniStack keeps of each user, by name."""
        found: dict[str, dict[str, Any]] = cognito._user_pools.get_scoped(self._account, region, pool)["_users"]
        return found

    def _require_deletable(self, region: str, pool: str) -> None:
        about = self.call(region, "describe_user_pool", UserPoolId=pool)["UserPool"]
        if about.get("DeletionProtection") == "ACTIVE":
            text = "The user pool cannot be deleted because deletion protection is activated."
            raise self._refusal("InvalidParameterException", text, "DeleteUserPool", region)
        if about.get("Domain"):
            text = "User pool cannot be deleted. It has a domain configured that should be deleted first."
            raise self._refusal("InvalidParameterException", text, "DeleteUserPool", region)

    @staticmethod
    def _refusal(code: str, message: str, operation: str, region: str) -> AwsError:
        return AwsError(code, message, service="cognito-idp", operation=operation, region=region, status=400)
