"""CloudFront in time: a distribution is InProgress after each change, and can only be deleted once it is disabled and Deployed.

In: MiniStack's CloudFront. Out: the same service with AWS's states, through the API and in stacks. A status follows from the
times on a distribution's record (docs/aws-behaviours.md, section 6.10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, tostring

from ministack.services import cloudfront

from workshop.cloud.patches import patch_around, require_attribute
from workshop.cloud.stack_types import forget_beginning, handled, note_beginning, register, work_in_threads
from workshop.cloud.stack_waits import StackWaits
from workshop.cloud.timing import Timing

__all__ = ["DistributionStatus"]

KIND = "AWS::CloudFront::Distribution"
Properties = dict[str, Any]
NOT_DISABLED = "The distribution you are trying to delete has not been disabled."


class DistributionStatus:
    """`now` returns the time in seconds; `released` is called when a distribution may have let go of its certificate."""

    def __init__(
        self, now: Callable[[], float], timing: Timing, waits: StackWaits, released: Callable[[], None] = lambda: None
    ) -> None:
        self._now, self._timing, self._waits, self._released = now, timing, waits, released

    def apply(self) -> None:
        """Patch MiniStack's CloudFront, and its type in stacks."""
        for name in ("_distributions", "_error", "_dist_config_el", "_find", "new_uuid"):
            require_attribute(cloudfront, name)
        patch_around(cloudfront, "_build_distribution_xml", self._build)
        patch_around(cloudfront, "_build_distribution_list_xml", self._build_list)
        patch_around(cloudfront, "_create_distribution", self._noting)
        patch_around(cloudfront, "_update_distribution", self._noting)
        patch_around(cloudfront, "_delete_distribution", self._delete)
        self._create_original, self._update_original = handled(KIND, "create"), handled(KIND, "update")
        self._delete_original = handled(KIND, "delete")
        register(KIND, create=self._create_in_stack, update=self._update_in_stack, delete=self._delete_in_stack)
        work_in_threads({KIND})

    def settle(self, record: dict[str, Any]) -> str:
        """Bring a distribution's status up to this moment and return it. Every change gives it another ETag."""
        if record.get("_timed") != record["ETag"]:
            record["_timed"], record["_deployed"] = record["ETag"], self._now() + self._timing.seconds("cdn.deploy")
        record["Status"] = "Deployed" if self._now() >= record["_deployed"] else "InProgress"
        return str(record["Status"])

    def _build(self, original: Callable[[Element, Any], None], parent: Element, record: dict[str, Any]) -> None:
        self.settle(record)
        original(parent, record)

    def _build_list(self, original: Callable[[Element, Any], None], root: Element, records: list[dict[str, Any]]) -> None:
        for record in records:
            self.settle(record)
        original(root, records)

    def _noting(self, original: Callable[..., Any], *arguments: Any) -> Any:
        response = original(*arguments)
        self._released()
        return response

    def _delete(self, original: Callable[..., Any], distribution: str, headers: dict[str, str]) -> Any:
        record = cloudfront._distributions.get(distribution)
        current = record is not None and headers.get("if-match") == record["ETag"]
        if current and self.settle(record) != "Deployed":
            return cloudfront._error("DistributionNotDisabled", NOT_DISABLED, 409)
        response = original(distribution, headers)
        self._released()
        return response

    def _create_in_stack(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        found, attributes = self._create_original(logical_id, properties, stack)
        note_beginning(stack, logical_id, KIND, found, properties)
        try:
            self._await_deployed(found)
        except Exception:
            forget_beginning(stack, logical_id)
            self._delete_original(found, properties)
            raise
        self._released()
        return found, attributes

    def _update_in_stack(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        found: tuple[str, Properties] = self._update_original(physical_id, old, new, stack, logical_id)
        self._await_deployed(found[0])
        self._released()
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
        self._delete_original(distribution, properties)
        self._released()

    def _await_deployed(self, distribution: str) -> None:
        def deployed() -> bool:
            record = cloudfront._distributions.get(distribution)
            return record is None or self.settle(record) == "Deployed"

        self._waits.until(deployed)
