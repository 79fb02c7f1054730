"""Imports what any command may need, for the process that the warm commands are forked from."""

from __future__ import annotations

import gc
import importlib
import pkgutil

import workshop

LATE = ("anyio._backends._asyncio", "botocore.endpoint", "botocore.session", "httpcore", "httpx", "rich.table")
"""What libraries import at their first use."""
ROOMS = ("aws", "checks", "cli", "console", "definition", "drill", "engine", "steps")

for room in ROOMS:
    package = importlib.import_module(f"{workshop.__name__}.{room}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
for name in LATE:
    importlib.import_module(name)
gc.collect()
gc.freeze()  # a collection in a forked process need not copy all of this
