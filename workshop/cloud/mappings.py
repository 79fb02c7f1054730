"""What a custom domain name of API Gateway makes of a path: its base path mappings, in any account.

In: a domain name, a region, a path. Out: the API, the stage and the rest of the path, or None: API Gateway then returns 403.
"""

from __future__ import annotations

from dataclasses import dataclass

from ministack.services import apigateway_v1

from workshop.cloud.patches import require_attribute

__all__ = ["MappedPath", "mapped_path"]

ROOT = ("", "(none)")
"""The base path of everything that no other takes."""


@dataclass(frozen=True, slots=True)
class MappedPath:
    """An API, the stage of the mapping ("": the rest of the path begins with it), and what is left of the path."""

    api: str
    stage: str
    rest: str


def mapped_path(name: str, region: str, path: str) -> MappedPath | None:
    """By the longest base path that the path begins with. As API Gateway of that region knows the name, and no other region."""
    best: tuple[int, MappedPath] | None = None
    for (account, here, stored), _ in require_attribute(apigateway_v1, "_domain_names").all_items():
        if here != region or stored.lower() != name:
            continue
        mappings = require_attribute(apigateway_v1, "_base_path_mappings").get_scoped(account, here, stored, {})
        for base, mapping in mappings.items():
            rest, length = _rest(base, path), 0 if base in ROOT else len(base)
            if rest is not None and (best is None or length > best[0]):
                best = length, MappedPath(mapping["restApiId"], mapping.get("stage") or "", rest)
    return best[1] if best is not None else None


def _rest(base: str, path: str) -> str | None:
    """What is left of a path below a base path, None when it is not below it."""
    if base in ROOT:
        return path
    if path == f"/{base}":
        return "/"
    return path[len(base) + 1 :] if path.startswith(f"/{base}/") else None
