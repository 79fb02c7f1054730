"""Identity providers of Cognito user pools in stacks (AWS::Cognito::UserPoolIdentityProvider).

In: the properties of the type. Out: the provider in MiniStack's Cognito, made, changed and deleted by its API's own functions
(docs/aws-behaviours.md, section 6.10).
"""

from __future__ import annotations

import json

from ministack.services import cognito

from workshop.cloud.patches import require_attribute, require_attributes
from workshop.cloud.stack_types import Properties, failed, register

__all__ = ["patch_identity_providers"]

KIND = "AWS::Cognito::UserPoolIdentityProvider"
FIXED = ("UserPoolId", "ProviderName", "ProviderType")
"""What only a new provider can have."""
CHANGEABLE = ("ProviderDetails", "AttributeMapping", "IdpIdentifiers")
GONE = "ResourceNotFoundException"


def patch_identity_providers() -> None:
    """Register the type."""
    require_attributes(cognito, "_create_identity_provider", "_update_identity_provider", "_delete_identity_provider")
    register(KIND, create=_create, update=_update, delete=_delete)


def _create(_: str, properties: Properties, __: str) -> tuple[str, Properties]:
    _call("_create_identity_provider", {name: properties[name] for name in (*FIXED, *CHANGEABLE) if name in properties})
    return str(properties["ProviderName"]), {}


def _update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None) -> tuple[str, Properties]:
    """In place, or by another provider. One that keeps its name cannot exist beside its successor: it goes first in the same
    pool, and in another pool CloudFormation would not see that it is another."""
    if all(old.get(name) == new.get(name) for name in FIXED):
        values = {name: new.get(name, [] if name == "IdpIdentifiers" else {}) for name in CHANGEABLE}
        _call("_update_identity_provider", {"UserPoolId": new["UserPoolId"], "ProviderName": physical_id, **values})
        return physical_id, {}
    same_pool = old.get("UserPoolId") == new.get("UserPoolId")
    if new.get("ProviderName") != physical_id:
        return _create(logical_id or "", new, stack)
    if same_pool:
        _delete(physical_id, old)
    created = _create(logical_id or "", new, stack)
    if not same_pool:
        _delete(physical_id, old)
    return created


def _delete(physical_id: str, properties: Properties) -> None:
    _call("_delete_identity_provider", {"UserPoolId": properties["UserPoolId"], "ProviderName": physical_id}, missing_ok=True)


def _call(operation: str, data: Properties, *, missing_ok: bool = False) -> None:
    """Call the API's function. Raises what CloudFormation shows of a refusal."""
    status, _, body = require_attribute(cognito, operation)(data)
    if status < 400:
        return
    refused = json.loads(body)
    code = str(refused.get("__type", "")).rpartition("#")[2]
    if not (missing_ok and code == GONE):
        raise failed("CognitoIdentityProvider", refused.get("message", code), status=status)
