"""The cloud's own endpoints below `/_workshop/`: health, timing, reset.

What comes in: a method, a path, a body. What goes out: a JSON document. Every wrong request is told what is right.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.answers import Answer, document, refusal
from workshop.cloud.layout import Record, validated_timing
from workshop.cloud.pacing import Pacing
from workshop.errors import UsageError

__all__ = ["Control"]


class Control:
    """`on_reset` empties everything; `on_timing` remembers the pair for the next start."""

    def __init__(
        self,
        record: Record,
        pacing: Pacing,
        *,
        on_reset: Callable[[], Awaitable[None]],
        on_timing: Callable[[str, float], None],
    ) -> None:
        self._record, self._pacing = record, pacing
        self._on_reset, self._on_timing = on_reset, on_timing
        self.notices: list[str] = []

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        actions = {
            ("GET", "/_workshop/health"): self._health,
            ("POST", "/_workshop/reset"): self._reset,
            ("PUT", "/_workshop/timing"): self._timing,
        }
        action = actions.get((method, path))
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
        except ValueError as error:
            return refusal(400, "MalformedJson", f"The body is not JSON: {error}.", "application/json")

    async def _health(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "instance": self._record.instance,
            "pid": self._record.pid,
            "port": self._record.port,
            "timing": self._pacing.profile,
            "scale": self._pacing.scale,
            "notices": self.notices,
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
        self._on_timing(timing, scale)
        return {"timing": timing, "scale": scale}
