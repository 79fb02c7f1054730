"""Imports what any command, cloud or worker may need, for the process that the warm ones are forked from.

MiniStack reads its environment when it is imported. It is given the one that a cloud gives it, but for a folder and a port that
exist nowhere else; `for_cloud` puts those of a cloud in their place, wherever a module of MiniStack kept them.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import workshop
from workshop.aws.sessions import local_session
from workshop.cloud import server
from workshop.cloud.layout import Layout, Record

__all__ = ["for_cloud", "ministack_modules"]

LATE = ("anyio._backends._asyncio", "botocore.endpoint", "botocore.session", "httpcore", "httpx", "rich.table")
"""What libraries import at their first use."""
ROOMS = ("aws", "checks", "cli", "console", "definition", "drill", "engine", "steps")
CLOUD = (
    "hypercorn.asyncio",
    "hypercorn.asyncio.tcp_server",
    "hypercorn.config",
    "workshop.cloud.addresses",
    "workshop.cloud.app",
    "workshop.cloud.emulator",
)
"""What the cloud's process imports after it has set its environment."""
SERVICES = (
    "acm", "apigateway", "cloudformation", "cloudwatch", "dynamodb", "iam", "lambda", "logs", "resourcegroupstaggingapi",
    "route53", "s3", "ssm", "sts",
)  # fmt: skip
WORKERS = ("tests.warm.entries", "tests.torture.worker")
PORT = 64_738


def for_cloud(home: Path, port: int) -> None:
    """Put the folder and the port of a cloud where MiniStack would have kept them, had it been imported in that cloud."""
    for module, name, value in _kept:
        setattr(module, name, type(value)(str(value).replace(_HOME, str(home)).replace(str(PORT), str(port))))


def ministack_modules() -> list[Any]:
    return [module for name, module in sorted(sys.modules.items()) if name.partition(".")[0] == "ministack"]


def _import_commands() -> None:
    for room in ROOMS:
        package = importlib.import_module(f"{workshop.__name__}.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    for name in LATE + WORKERS:
        importlib.import_module(name)


def _import_cloud(home: str) -> None:
    """As the cloud's process does; nothing of its environment is left afterwards."""
    kept = dict(os.environ)
    layout = Layout.of(Path(home))
    layout.root.mkdir()
    try:
        server._prepare(layout, Record(0, PORT, "", "instant", 1.0))
        for name in CLOUD:
            importlib.import_module(name)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        tempfile.tempdir = None
        del sys.modules["docker"]
        logging.root.handlers.clear()
        server.logger.setLevel(logging.NOTSET)
        shutil.rmtree(home)


def _mentions() -> Iterator[tuple[Any, str, str | Path]]:
    """Every attribute of a module of MiniStack that holds the folder or the port."""
    for module in ministack_modules():
        for name, value in vars(module).items():
            if isinstance(value, str | Path) and (_HOME in str(value) or str(PORT) in str(value)):
                yield module, name, value


def _read_service_models() -> None:
    """What every client needs of botocore: the process of a command keeps these models from its first client to its end."""
    session = local_session("")
    for service in SERVICES:
        session.create_client(service, region_name="us-west-2", endpoint_url="http://127.0.0.1:9")


_HOME = tempfile.mkdtemp(prefix="no-cloud-")
_import_cloud(_HOME)
_kept = list(_mentions())
_import_commands()
_read_service_models()
