"""The JSON documents that `--json` prints: one per command, versioned."""

from __future__ import annotations

from typing import Any

from workshop.console.echo import say_json

__all__ = ["VERSION", "print_document"]

VERSION = 1


def print_document(command: str, ok: bool, content: dict[str, Any]) -> None:
    """Print `{"version": 1, "command": ..., "ok": ..., ...content}` as the one thing on stdout."""
    say_json({"version": VERSION, "command": command, "ok": ok, **content})
