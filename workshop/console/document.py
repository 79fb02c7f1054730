"""The JSON documents that `--json` prints: one per command, versioned from the first day."""

from __future__ import annotations

import json
from typing import Any

import click

__all__ = ["VERSION", "print_document"]

VERSION = 1


def print_document(command: str, ok: bool, content: dict[str, Any]) -> None:
    """Print `{"version": 1, "command": ..., "ok": ..., ...content}` as the one thing on stdout."""
    click.echo(json.dumps({"version": VERSION, "command": command, "ok": ok, **content}, indent=2, ensure_ascii=False))
