"""CloudFormation takes its time, and does not take what is somebody else's.

What comes in: MiniStack's CloudFormation. What goes out: the same, one resource after the other at the profile's pace, and a
failure where a name is taken (docs/aws-behaviours.md, sections 3.6 and 8).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from workshop.cloud.pacing import Pacing
from workshop.cloud.patches import replace_point

__all__ = ["extend_stacks"]

TAKEN = (
    'Resource handler returned message: "{kind} with name {name} already exists. (Service: {service}, Status Code: 409)" '
    "(HandlerErrorCode: AlreadyExists)"
)


def extend_stacks(stacks: Any, roles: Any, pacing: Pacing) -> None:
    """Waiting happens in MiniStack's worker threads, so the server goes on answering."""

    def threaded(original: Callable[[str], bool]) -> Callable[[str], bool]:
        return lambda kind: pacing.seconds("stack.resource") > 0 or original(kind)

    def provision(original: Callable[..., Any]) -> Callable[..., Any]:
        def create(kind: str, logical_id: str, properties: Any, *rest: Any) -> Any:
            name = properties.get("RoleName") if isinstance(properties, dict) else None
            if kind == "AWS::IAM::Role" and isinstance(name, str) and name in roles:
                raise ValueError(TAKEN.format(kind="Role", name=name, service="Iam"))
            _pause(pacing)
            return original(kind, logical_id, properties, *rest)

        return create

    def delete(original: Callable[..., Any]) -> Callable[..., Any]:
        def remove(*args: Any, **kwargs: Any) -> Any:
            _pause(pacing)
            return original(*args, **kwargs)

        return remove

    replace_point(stacks, "_runs_on_worker_thread", threaded)
    replace_point(stacks, "_provision_keeping_seed", provision)
    replace_point(stacks, "_delete_resource", delete)


def _pause(pacing: Pacing) -> None:
    """Take a resource's time, unless MiniStack works on the server's own thread (then nothing else could be answered)."""
    seconds = pacing.seconds("stack.resource")
    if seconds and threading.current_thread() is not threading.main_thread():
        time.sleep(seconds)
