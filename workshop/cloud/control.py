"""The cloud's own endpoints below `/_workshop/`: health, timing, reset, faults, replication, names.

What comes in: a method, a path, a body. What goes out: a JSON document. Every wrong request is told what is right.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from workshop.cloud.connections import Connections
from workshop.cloud.fault_model import fault_from
from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.layout import Record, validated_timing
from workshop.cloud.responses import Response, document, refusal
from workshop.cloud.timing import Timing
from workshop.errors import UsageError

__all__ = ["Action", "Control"]

Action = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""From the request's JSON object to the response's."""
FAULTS = "/_workshop/faults"


class Control:
    """`on_reset` empties everything; `on_change` writes the record of the process; `on_healed` is told that faults ended;
    `backlog` lists what replication holds back, `saving` what keeping the state costs, `unsaved` why it cannot be
    kept ("" when it can); `more` are controls of other parts, by method and path."""

    def __init__(
        self,
        record: Record,
        pacing: Timing,
        faults: FaultRegistry,
        connections: Connections,
        *,
        on_reset: Callable[[], Awaitable[None]],
        on_change: Callable[[], None],
        on_healed: Callable[[], None],
        backlog: Callable[[], list[dict[str, Any]]],
        saving: Callable[[], dict[str, float]],
        unsaved: Callable[[], str] = lambda: "",
        more: Mapping[tuple[str, str], Action],
    ) -> None:
        self._record, self._pacing, self._faults = record, pacing, faults
        self._connections = connections
        self._on_reset, self._on_change, self._on_healed = on_reset, on_change, on_healed
        self._backlog, self._saving, self._unsaved = backlog, saving, unsaved
        self._more = more
        self.notices: list[str] = []

    async def answer(self, method: str, path: str, body: bytes) -> Response:
        actions: dict[tuple[str, str], Action] = {
            ("GET", "/_workshop/health"): self._health,
            ("POST", "/_workshop/reset"): self._reset,
            ("PUT", "/_workshop/timing"): self._timing,
            ("PUT", "/_workshop/access"): self._access,
            ("GET", FAULTS): self._list,
            ("POST", FAULTS): self._add,
            ("DELETE", FAULTS): self._clear,
            ("GET", "/_workshop/replication"): self._replication,
            **self._more,
        }
        action = actions.get((method, path))
        if method == "DELETE" and path.startswith(FAULTS + "/"):
            action = functools.partial(self._end, path[len(FAULTS) + 1 :])
        if action is None:
            known = ", ".join(sorted(f"{verb} {place}" for verb, place in actions))
            return refusal(404, "NotFound", f"No such control: {method} {path}. Known: {known}.", "application/json")
        try:
            content = json.loads(body) if body.strip() else {}
            if not isinstance(content, dict):
                raise UsageError("The body has to be a JSON object.")
            return document(await action(content))
        except UsageError as error:
            return refusal(400, error.code, str(error), "application/json")
        except (ValueError, RecursionError) as error:
            return refusal(400, "MalformedJson", f"The body is not JSON: {error}.", "application/json")

    async def _health(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "instance": self._record.instance,
            "pid": self._record.pid,
            "port": self._record.port,
            "dns_port": self._record.dns_port,
            "timing": self._pacing.profile,
            "scale": self._pacing.scale,
            "other_users": self._connections.others,
            "notices": self.notices,
            "unsaved": self._unsaved(),
            "saving": self._saving(),
        }

    async def _reset(self, _: dict[str, Any]) -> dict[str, Any]:
        await self._on_reset()
        return {"reset": True}

    async def _timing(self, content: dict[str, Any]) -> dict[str, Any]:
        scale = content.get("scale", self._pacing.scale)
        if not isinstance(scale, int | float) or isinstance(scale, bool):
            raise UsageError("`scale` has to be a number.")
        timing, scale = validated_timing(str(content.get("timing", self._pacing.profile)), float(scale))
        self._pacing.change(timing, scale)
        self._on_change()
        return {"timing": timing, "scale": scale}

    async def _access(self, content: dict[str, Any]) -> dict[str, Any]:
        others = content.get("other_users")
        if not isinstance(others, bool):
            raise UsageError("`other_users` has to be true or false.")
        self._connections.others = others
        self._on_change()
        return {"other_users": others}

    async def _list(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"faults": self._faults.document()}

    async def _add(self, content: dict[str, Any]) -> dict[str, Any]:
        return {"fault": asdict(self._faults.add(fault_from(content)))}

    async def _clear(self, _: dict[str, Any]) -> dict[str, Any]:
        cleared = self._faults.clear()
        self._on_healed()
        return {"cleared": cleared}

    async def _end(self, name: str, _: dict[str, Any]) -> dict[str, Any]:
        if not self._faults.clear(name):
            known = ", ".join(row["id"] for row in self._faults.document()) or "none"
            raise UsageError(f"There is no fault {name!r}.", f"In force: {known}.", code="Fault")
        self._on_healed()
        return {"cleared": 1}

    async def _replication(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"held": self._backlog()}
