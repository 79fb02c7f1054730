"""A workshop that was really set up on the local cloud, for the browser tests.

In: nothing. Out: addresses of the pages, and what a facilitator does in the console: throttle a region's function, read a table.
Its state folder and port are its own, and it is stopped and removed at the end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.warm import clouds, commands
from workshop.cloud import daemon

__all__ = ["LocalWorkshop"]


@dataclass
class LocalWorkshop:
    """`workshop setup` in a state folder of its own; `setup` first, `remove` last. `name` is that of a built-in workshop."""

    name: str = "global-serverless"
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="workshop-browser-")))
    document: dict[str, Any] = field(default_factory=dict)

    def setup(self) -> None:
        """Set everything up on a free port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WORKSHOP_"))}
        self._environment = {**kept, "WORKSHOP_HOME": str(self.home), "WORKSHOP_PORT": port, "NO_COLOR": "1"}
        clouds.start(self.home, port=int(port))
        self.document = self.tool("setup")
        text = self._run("cloud", "env")
        self._aws = dict(re.findall(r"^export (AWS_\w+)=(\S+)$", text, re.MULTILINE))

    def remove(self) -> None:
        """Stop the cloud and delete its state."""
        daemon.stop(self.home)
        shutil.rmtree(self.home, ignore_errors=True)

    def tool(self, *arguments: str) -> dict[str, Any]:
        """The document of a command for this workshop."""
        return dict(json.loads(self._run(*arguments, "--workshop", self.name, "--json")))

    def _run(self, *arguments: str) -> str:
        code, out, err = commands.run(arguments, cwd=self.home, environment=self._environment, text="", timeout=180)
        assert code == 0, f"workshop {' '.join(arguments)}: {err or out}"
        return out

    def client(self, service: str, region: str) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self._aws["AWS_ENDPOINT_URL"],
            aws_access_key_id=self._aws["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._aws["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    def page(self, name: str) -> str:
        """The address of a page of the site."""
        return next(iter(self.document["web"].values())).rsplit("/", 1)[0] + "/" + name

    def _function(self, region: str) -> str:
        functions = self.client("lambda", region).list_functions()["Functions"]
        return next(f["FunctionName"] for f in functions if f["FunctionName"].startswith("global-serverless"))

    def throttle(self, region: str) -> None:
        """Reserved concurrency 0: what the console calls Throttle."""
        self.client("lambda", region).put_function_concurrency(
            FunctionName=self._function(region), ReservedConcurrentExecutions=0
        )

    def release(self, region: str) -> None:
        """Remove the setting again."""
        self.client("lambda", region).delete_function_concurrency(FunctionName=self._function(region))

    def item(self, region: str, pk: str, sk: str) -> dict[str, Any] | None:
        """The item as that region's table has it."""
        key = {"PK": {"S": pk}, "SK": {"S": sk}}
        return self.client("dynamodb", region).get_item(TableName="global-serverless", Key=key, ConsistentRead=True).get("Item")
