"""The command line: parse, call, render, exit code. `main` is the entry point of the `workshop` command."""

from __future__ import annotations

from workshop.cli.main import main

__all__ = ["main"]
