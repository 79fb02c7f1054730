"""Which of MiniStack's states are saved, and how the large ones are read without a copy.

In: MiniStack's modules. Out: functions that return a service's state, to be written out before anything else can run; and which
states a call to a service may change.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import responses
from ministack.services import apigateway, apigateway_v1, cloudformation, cloudwatch, cloudwatch_logs, dynamodb, iam, lambda_svc

from workshop.cloud.events import OWN
from workshop.cloud.patches import require_attribute

__all__ = ["check_attributes", "service_states", "states_changed_by"]


def _dynamodb_state() -> Any:
    """MiniStack's own document without its copies: it is written out before anything else can run."""
    state = {name: getattr(dynamodb, f"_{name}") for name in _DYNAMODB}
    tables = responses.AccountRegionScopedDict()
    for key, record in dynamodb._tables.all_items():
        tables.set_scoped(*key, {name: value for name, value in record.items() if name != dynamodb._INDEX_MEMBERS})
    return {**state, "tables": tables}


def _logs_state() -> Any:
    return {name: getattr(cloudwatch_logs, f"_{name}") for name in _LOGS}


def _metrics_state() -> Any:
    return {name: getattr(cloudwatch, f"_{name}") for name in _METRICS}


def _stacks_state() -> Any:
    return {name: getattr(cloudformation, f"_{name}") for name in _STACKS}


def _rest_apis_state() -> Any:
    return {name: getattr(apigateway_v1, f"_{name}") for name in _REST_APIS}


_DYNAMODB = (
    "tags",
    "ttl_settings",
    "pitr_settings",
    "kinesis_destinations",
    "contributor_insights",
    "backups",
    "resource_policies",
    "exports",
    "imports",
)
_LOGS = (
    "log_groups",
    "destinations",
    "resource_policies",
    "log_group_policies",
    "metric_filters",
    "queries",
    "log_records",
    "delivery_sources",
    "delivery_destinations",
    "deliveries",
)
_METRICS = (
    "metrics",
    "alarms",
    "composite_alarms",
    "composite_triggers",
    "alarm_history",
    "dashboards",
    "resource_tags",
)
_STACKS = ("stacks", "stack_events", "exports", "change_sets")
_REST_APIS = (
    "rest_apis",
    "resources",
    "stages_v1",
    "deployments_v1",
    "authorizers_v1",
    "models",
    "api_keys",
    "usage_plans",
    "usage_plan_keys",
    "domain_names",
    "base_path_mappings",
    "v1_tags",
    "account_settings",
    "request_validators",
    "gateway_responses",
    "deployed_gateway_responses",
    "documentation_parts",
)
# What this room reads of MiniStack without replacing it.
READ: dict[Any, tuple[str, ...]] = {
    dynamodb: (
        *("json", "json_response", "error_response_json", "get_account_id", "get_region", "request_scope", "new_uuid"),
        *("_normalize_table_name", "load_persisted_state", *(f"_{name}" for name in _DYNAMODB)),
    ),
    cloudwatch: tuple(f"_{name}" for name in _METRICS),
    cloudwatch_logs: tuple(f"_{name}" for name in _LOGS),
    cloudformation: tuple(f"_{name}" for name in _STACKS),
    apigateway_v1: tuple(f"_{name}" for name in _REST_APIS),
    apigateway: ("_apis",),
    lambda_svc: ("_functions", "error_response_json"),
    iam: ("_roles",),
    responses: ("get_account_id", "get_region", "request_scope", "AccountRegionScopedDict"),
}
UNCOPIED: dict[str, Callable[[], Any]] = {
    "dynamodb": _dynamodb_state,
    "cloudwatch_logs": _logs_state,
    "cloudwatch": _metrics_state,
    "cloudformation": _stacks_state,
    "apigateway_v1": _rest_apis_state,
}
"""The services that grow: their documents without MiniStack's copies, which cost more than all the rest of a save."""


def check_attributes() -> None:
    """Raises `PinnedVersionError` unless every member that is read exists."""
    for module, names in READ.items():
        for name in names:
            require_attribute(module, name)


def service_states() -> Mapping[str, Callable[[], Any]]:
    """How to read the state of every service that was used."""
    services: dict[str, Callable[[], Any]] = require_attribute(ministack, "_build_persistence_save_dict")()
    return {**services, **{name: get for name, get in UNCOPIED.items() if name in services}}


@functools.cache
def states_changed_by(service: str) -> frozenset[str] | None:
    """The saved states that a service's own calls change, besides ours."""
    if service == "cloudformation":
        return None
    entry = require_attribute(ministack, "SERVICE_REGISTRY").get(service, {})
    names = {entry.get("state_key", entry.get("module", "")), entry.get("module", ""), *entry.get("sub_modules", ())}
    return frozenset({*names, "cloudwatch", "cloudwatch_logs", OWN})
