"""Which API a custom domain leads to: by its own name, or by the regional name that DNS records point at.

In: a host name and a path. Out: account, region, API and stage, in any account of this cloud. It reads MiniStack's API Gateway
and changes nothing (docs/aws-behaviours.md, section 6.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import apigateway_v1

from workshop.cloud.names.records import plain_name
from workshop.cloud.patches import require_attribute

__all__ = ["ApiTarget", "domain_target", "has_domain", "region_of_domain_target", "regional_zone"]

ROOT = "(none)"
ZONES = {
    "us-east-1": "Z1UJRXOUMOOFQ8",
    "us-east-2": "ZOJJZC49E0EPZ",
    "us-west-1": "Z2MUQ32089INYE",
    "us-west-2": "Z2OJLYMUO9EFXC",
    "ca-central-1": "Z19DQILCV0OWEC",
    "sa-east-1": "ZCMLWB8V5SYIT",
    "eu-west-1": "ZLY8HYME6SFDD",
    "eu-west-2": "ZJ5UAJN8Y3Z2Q",
    "eu-west-3": "Z3KY65QIEKYHQQ",
    "eu-central-1": "Z1U9ULNL0V5AJ3",
    "eu-north-1": "Z3UWIKFBOOGXPP",
    "ap-south-1": "Z3VO1THU9YC4UR",
    "ap-northeast-1": "Z1YSHQZHG15GKL",
    "ap-northeast-2": "Z20JF4UZKIW1U8",
    "ap-southeast-1": "ZL327KTPIQFUL",
    "ap-southeast-2": "Z2RPCDW04V8134",
}
"""The hosted zones of API Gateway's regional endpoints, for alias records."""
OTHER_ZONE = "Z1UJRXOUMOOFQ8"


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """What a request by a custom domain calls; `path` is the rest of its path behind the base path, with a slash in front."""

    account: str
    region: str
    api: str
    stage: str
    path: str


def domain_target(host: str, path: str = "/", region: str = "") -> ApiTarget | None:
    """What a custom domain's name or its regional name calls at a path; None when no domain of that name maps it.

    A name that exists in several regions means the one in `region`, without one the first.
    """
    for (account, found, stored), _ in _named(host):
        if region in ("", found):
            mappings = require_attribute(apigateway_v1, "_base_path_mappings").get_scoped(account, found, stored, {})
            target = _mapped(account, found, mappings, path)
            if target is not None:
                return target
    return None


def has_domain(host: str) -> bool:
    """Whether the name is one of a custom domain or its regional name, whatever it maps."""
    return next(_named(host), None) is not None


def region_of_domain_target(host: str) -> str:
    """The region of a custom domain's regional name; "" for any other name."""
    name = plain_name(host)
    return next((key[1] for key, record in _named(host) if plain_name(record["regionalDomainName"]) == name), "")


def regional_zone(region: str) -> str:
    """The id of the hosted zone in which API Gateway's regional names of a region are, for alias records."""
    return ZONES.get(region, OTHER_ZONE)


def _named(host: str) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    name = plain_name(host)
    for key, record in require_attribute(apigateway_v1, "_domain_names").all_items():
        stored = plain_name(key[2])
        wildcard = stored.startswith("*.") and name.partition(".")[2] == stored[2:]
        if wildcard or name in (stored, plain_name(record.get("regionalDomainName") or "")):
            yield key, record


def _mapped(account: str, region: str, mappings: Mapping[str, Any], path: str) -> ApiTarget | None:
    """The longest base path that the path begins with; a mapping without a stage takes it from the path."""
    best: tuple[int, Mapping[str, Any], str] | None = None
    for base, mapping in mappings.items():
        prefix = "" if base in ("", ROOT) else f"/{base}"
        matches = path == prefix or path.startswith(f"{prefix}/")
        if matches and (best is None or len(prefix) > best[0]):
            best = len(prefix), mapping, path[len(prefix) :] or "/"
    if best is None:
        return None
    _, mapping, rest = best
    stage = mapping.get("stage") or ""
    if not stage:
        stage, _, rest = rest.lstrip("/").partition("/")
        rest = f"/{rest}"
    return ApiTarget(account, region, mapping["restApiId"], stage, rest)
