"""What Cognito's sign-in refuses and MiniStack's lets pass.

In: the settings of a client of a user pool, requests to the sign-in pages and for tokens. Out: AWS's refusals: for a client that
may not sign people in, a sign-out that leads elsewhere, the refresh token of another client, a client whose scopes or providers
do not exist (docs/aws-behaviours.md, section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.services import cognito

from workshop.cloud.patches import patch_around, require_attributes

__all__ = ["patch_sign_in_rules"]

OWN_USERS = "COGNITO"
"""The provider that stands for the users of the pool itself."""
STANDARD = frozenset({"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"})
NOT_ALLOWED = ("unauthorized_client", "The client may not sign people in this way.")


def patch_sign_in_rules() -> None:
    """Patch MiniStack's Cognito."""
    require_attributes(cognito, "_find_pool_by_client_id", "_oauth2_error", "_authenticate_client")
    require_attributes(cognito, "_refresh_tokens", "_user_pools", "error_response_json")
    patch_around(cognito, "handle_oauth2_authorize", _authorize)
    patch_around(cognito, "handle_login_submit", _login)
    patch_around(cognito, "handle_logout", _logout)
    patch_around(cognito, "_oauth2_token", _token)
    patch_around(cognito, "_create_user_pool_client", _set_client)
    patch_around(cognito, "_update_user_pool_client", _set_client)


def _authorize(original: Callable[..., Any], method: str, path: str, headers: Any, query: Mapping[str, Any]) -> Any:
    client = cognito._find_pool_by_client_id(_first(query, "client_id"))[2]
    if client is not None and not _may_sign_in(client):
        return cognito._oauth2_error(*NOT_ALLOWED)
    providers = (client or {}).get("SupportedIdentityProviders") or [OWN_USERS]
    if OWN_USERS not in providers and not _first(query, "identity_provider"):
        query = {**query, "identity_provider": [providers[0]]}  # the pool's own form is not for this client
    return original(method, path, headers, query)


def _login(original: Callable[..., Any], method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    client = cognito._find_pool_by_client_id(_first(form, "client_id"))[2]
    if client is not None and not (_may_sign_in(client) and _takes_own_users(client)):
        return cognito._oauth2_error(*NOT_ALLOWED)
    return original(method, path, headers, body, query)


def _logout(original: Callable[..., Any], method: str, path: str, headers: Any, query: Mapping[str, Any]) -> Any:
    client = cognito._find_pool_by_client_id(_first(query, "client_id"))[2]
    if client is not None and _first(query, "logout_uri") not in (client.get("LogoutURLs") or []):
        return cognito._oauth2_error("invalid_request", "The sign-out address is none of the client's.")
    return original(method, path, headers, query)


def _token(original: Callable[..., Any], data: Any, query: Any, body: bytes = b"", headers: Any = None) -> Any:
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if _first(form, "grant_type") == "refresh_token":
        named, secret = cognito._authenticate_client(headers or {}, {name: values[0] for name, values in form.items()})
        entry = cognito._refresh_tokens.get(_first(form, "refresh_token"))
        if entry is not None and named and named != entry["client_id"]:
            return cognito._oauth2_error("invalid_grant", "The refresh token is another client's.")
        client = cognito._find_pool_by_client_id(named or (entry or {}).get("client_id", ""))[2]
        if client is not None and client.get("ClientSecret") and secret != client["ClientSecret"]:
            return cognito._oauth2_error("invalid_client", "Invalid client credentials.")
    return original(data, query, body, headers)


def _set_client(original: Callable[[Any], Any], data: Any) -> Any:
    pool = cognito._user_pools.get(data.get("UserPoolId"))
    if pool is not None:
        servers: Mapping[str, Any] = pool.get("_resource_servers") or {}
        own = {f"{name}/{scope['ScopeName']}" for name, server in servers.items() for scope in server.get("Scopes") or []}
        unknown = sorted(set(data.get("AllowedOAuthScopes") or []) - own - STANDARD)
        if unknown:
            return cognito.error_response_json("ScopeDoesNotExistException", f"Scopes do not exist: {', '.join(unknown)}", 400)
        known = {OWN_USERS, *(pool.get("_identity_providers") or {})}
        missing = next((name for name in data.get("SupportedIdentityProviders") or [] if name not in known), None)
        if missing is not None:
            text = f"The provider {missing} does not exist for User Pool {data['UserPoolId']}."
            return cognito.error_response_json("InvalidParameterException", text, 400)
    return original(data)


def _may_sign_in(client: Mapping[str, Any]) -> bool:
    return bool(client.get("AllowedOAuthFlowsUserPoolClient")) and "code" in (client.get("AllowedOAuthFlows") or [])


def _takes_own_users(client: Mapping[str, Any]) -> bool:
    return OWN_USERS in (client.get("SupportedIdentityProviders") or [OWN_USERS])


def _first(values: Mapping[str, Any], name: str) -> str:
    found = values.get(name, "")
    return str(found[0]) if isinstance(found, list) and found else str(found or "")
