"""CloudFront in time: a distribution is InProgress after each change, and is deleted only once it is disabled and Deployed.

In: MiniStack's CloudFront; the label of `{label}.cloudfront.localhost`. Out: AWS's states, through the API and in stacks, which
follow from the times on a distribution's record (docs/aws-behaviours.md, section 6.10); the distribution of that label in any
account, whose pages are served over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, tostring

from ministack.core import responses
from ministack.services import cloudfront

from workshop.cloud.patches import patch_around, require_attribute, require_attributes
from workshop.cloud.stack_types import Properties, StackWaits, beginning, handled, register
from workshop.cloud.timing import Timing

__all__ = ["Distributions", "distribution_of"]

KIND = "AWS::CloudFront::Distribution"
NOT_DISABLED = "The distribution you are trying to delete has not been disabled."


def distribution_of(label: str) -> tuple[str, Any] | None:
    """Account and record of the distribution with this label."""
    domain = f"{label}.cloudfront.net"
    for (account, _), record in require_attribute(cloudfront, "_distributions").to_dict().items():
        if record.get("DomainName", "").lower() == domain:
            return account, record
    return None


class Distributions:
    """`now` returns the time in seconds; `released` is called when a distribution may have let go of its certificate."""

    def __init__(self, now: Callable[[], float], timing: Timing, waits: StackWaits, released: Callable[[], None]) -> None:
        self._now, self._timing, self._waits, self._released = now, timing, waits, released

    def apply(self) -> None:
        """Patch MiniStack's CloudFront, and its type in stacks."""
        require_attributes(cloudfront, "_distributions", "_error", "_dist_config_el", "_find", "new_uuid")
        patch_around(cloudfront, "find_distribution_for_label", _find)
        patch_around(cloudfront, "_check_viewer_protocol_policy", _as_https)
        patch_around(cloudfront, "_build_distribution_xml", self._build)
        patch_around(cloudfront, "_build_distribution_list_xml", self._build)
        patch_around(cloudfront, "_create_distribution", self._noting)
        patch_around(cloudfront, "_update_distribution", self._noting)
        patch_around(cloudfront, "_delete_distribution", self._delete)
        self._originals = {action: handled(KIND, action) for action in ("create", "update", "delete")}
        register(KIND, create=self._create_in_stack, update=self._update_in_stack, delete=self._delete_in_stack, waits=True)

    def settle(self, record: dict[str, Any]) -> str:
        """Bring a distribution's status up to this moment and return it. Every change gives it another ETag."""
        if record.get("_timed") != record["ETag"]:
            record["_timed"], record["_deployed"] = record["ETag"], self._now() + self._timing.seconds("cdn.deploy")
        record["Status"] = "Deployed" if self._now() >= record["_deployed"] else "InProgress"
        return str(record["Status"])

    def _build(self, original: Callable[[Element, Any], None], parent: Element, shown: Any) -> None:
        """Of one distribution, or of several."""
        for record in shown if isinstance(shown, list) else [shown]:
            self.settle(record)
        original(parent, shown)

    def _noting(self, original: Callable[..., Any], *arguments: Any) -> Any:
        response = original(*arguments)
        self._released()
        return response

    def _delete(self, original: Callable[..., Any], distribution: str, headers: dict[str, str]) -> Any:
        record = cloudfront._distributions.get(distribution)
        if record is not None and headers.get("if-match") == record["ETag"] and self.settle(record) != "Deployed":
            return cloudfront._error("DistributionNotDisabled", NOT_DISABLED, 409)
        return self._noting(original, distribution, headers)

    def _create_in_stack(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        found, attributes = self._originals["create"](logical_id, properties, stack)
        with beginning(stack, logical_id, KIND, found, properties, undo=lambda: self._originals["delete"](found, properties)):
            self._await_deployed(found)
        return found, attributes

    def _update_in_stack(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        found: tuple[str, Properties] = self._originals["update"](physical_id, old, new, stack, logical_id)
        self._await_deployed(found[0])
        return found

    def _delete_in_stack(self, distribution: str, properties: Properties) -> None:
        """CloudFormation disables a distribution and waits until that is deployed, before it deletes it."""
        record = cloudfront._distributions.get(distribution)
        if record is None:
            return
        if record["enabled"]:
            config = cloudfront._dist_config_el(record)
            enabled = cloudfront._find(config, "Enabled")
            if enabled is not None:
                enabled.text = "false"
            record.update(config_xml=tostring(config, encoding="unicode"), enabled=False, ETag=cloudfront.new_uuid())
        self._await_deployed(distribution)
        self._noting(self._originals["delete"], distribution, properties)

    def _await_deployed(self, distribution: str) -> None:
        def deployed() -> bool:
            record = cloudfront._distributions.get(distribution)
            return record is None or self.settle(record) == "Deployed"

        self._waits.until(deployed)
        self._released()


def _as_https(_: Callable[..., Any], *request: object) -> None:
    """No redirect to HTTPS: there is no TLS here, and what browsers call at loopback names counts as secure to them."""


def _find(_: Callable[[str], Any], label: str) -> Any:
    """For the request at hand, which goes on as one of the owner's account."""
    found = distribution_of(label)
    if found is None:
        return None
    responses.set_request_account_id(found[0])
    return found[1]
