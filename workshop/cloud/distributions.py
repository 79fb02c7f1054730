"""CloudFront distributions of every account, at their host names.

In: the label of `{label}.cloudfront.localhost`. Out: the distribution, and MiniStack's CloudFront, which then serves it in the
account that owns it: a viewer names no account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import cloudfront

from workshop.cloud.patches import patch_around, require_attribute

__all__ = ["distribution_of", "patch_distributions"]


def patch_distributions() -> None:
    patch_around(cloudfront, "find_distribution_for_label", _find)


def distribution_of(label: str) -> tuple[str, Any] | None:
    """Account and record of the distribution with this label."""
    domain = f"{label}.cloudfront.net"
    for (account, _), record in require_attribute(cloudfront, "_distributions").to_dict().items():
        if record.get("DomainName", "").lower() == domain:
            return account, record
    return None


def _find(_: Callable[[str], Any], label: str) -> Any:
    """For the request at hand, which goes on as one of the owner's account."""
    found = distribution_of(label)
    if found is None:
        return None
    responses.set_request_account_id(found[0])
    return found[1]
