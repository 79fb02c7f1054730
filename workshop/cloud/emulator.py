"""MiniStack, loaded and extended: the only place that knows which of its modules this room stands on.

What comes in: the process's environment, set before. What goes out: its ASGI application with our extensions, and its state.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime, persistence
from ministack.services import apigateway_v1

from workshop.cloud.answers import Asgi
from workshop.cloud.gateway import extend_gateway
from workshop.cloud.patches import point, replace_point
from workshop.cloud.persistence import Codec

__all__ = ["Emulator"]

logger = logging.getLogger("workshop.cloud")


class Emulator:
    """One extended MiniStack per process."""

    def __init__(self) -> None:
        replace_point(ministack, "_collect_scripts", lambda _: _no_scripts)
        extend_gateway()
        self.app: Asgi = point(ministack, "app")
        self.codec = Codec(point(persistence, "_json_default"), point(persistence, "_json_object_hook"))
        self.getters: Callable[[], Mapping[str, Callable[[], Any]]] = point(ministack, "_build_persistence_save_dict")

    def api_scope(self, api: str) -> tuple[str, str] | None:
        """Account and region of an API id."""
        found: tuple[str, str] | None = apigateway_v1.find_api_scope(api)
        return found

    def restore(self, name: str, state: Any) -> None:
        """Give a service its saved state back; a service that is gone or refuses it starts empty, with a line in the log."""
        module = point(ministack, "_state_map").get(name)
        if module is None:
            logger.warning("Saved state of an unknown service: %s.", name)
            return
        try:
            point(ministack, "_get_module")(module).load_persisted_state(state)
        except Exception:
            logger.exception("The saved state of %s could not be taken back; it starts empty.", name)

    async def empty(self) -> None:
        """Forget every resource, in memory and in the object store."""
        async with point(ministack, "_get_reset_lock")():
            await asyncio.to_thread(point(ministack, "_reset_all_state"))

    def end(self) -> None:
        """End the processes that ran functions."""
        point(lambda_runtime, "reset")()


def _no_scripts(*_: str) -> list[str]:
    """MiniStack runs start scripts that it finds in system folders; this cloud runs none."""
    return []
