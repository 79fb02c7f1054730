"""A user's shell: the installed `workshop` command, a home, a state folder and a port of its own, and a look past the tool."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.cloud import in_process
from tests.warm import clouds, commands, programs
from tests.warm.processes import WARM, Process

__all__ = ["HOME_REGION", "OTHER_REGION", "REGIONS", "ROOT", "TABLE", "Result", "Shell", "answers", "eventually", "free_port"]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
REGIONS = HOME_REGION, OTHER_REGION = "us-west-2", "eu-west-1"
TABLE = "global-serverless"
LOCAL_ACCOUNT = "000000000000"
Inventory = list[tuple[str, str, str]]
Running = Process | subprocess.Popen[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Poll until the condition returns something true, and return that; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"did not come true within {seconds} s"
        time.sleep(0.02)
    return answer


def answers(url: str) -> bool:
    """Whether a server responds there."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


@functools.cache
def _session() -> boto3.session.Session:
    """One for all clients of this process: a session reads the models of a service once."""
    return boto3.session.Session()


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """stdout as the one JSON document that it must be."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Shell:
    """One user at one machine. `more` adds to the environment, which holds nothing of AWS or of workshop otherwise."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    tools: Path = BIN
    """The folder of the `workshop` command."""
    apart: bool = False
    """Each command in a process of its own."""
    _started: list[Running] = field(default_factory=list)
    _clients: dict[tuple[str, str, str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in (self.work, self.folder / "home"):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_", "_WORKSHOP"))}
        for name in ("NO_COLOR", "COLUMNS", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TERM"):
            kept.pop(name, None)
        return {
            **kept, "PATH": f"{self.tools}:{kept['PATH']}", "HOME": str(self.folder / "home"), "WORKSHOP_HOME": str(self.state),
            "WORKSHOP_PORT": str(self.port), "AWS_EC2_METADATA_DISABLED": "true", **self.more,
        }  # fmt: skip

    def run(self, *args: str, code: int = 0, text: str | None = None, env: Mapping[str, str | None] | None = None) -> Result:
        """Run `workshop ARGS` and hold it to its exit code. `env` sets variables, or with None takes them away.

        In the process of the test, unless the shell is `apart` or has tools of its own: half of the processor time of a command
        went into its process.
        """
        if self.tools != BIN:
            return self.call("workshop", *args, code=code, text=text, env=env)
        if self.apart:
            ended = commands.run(args, cwd=self.work, environment=self._environment(env), text=text or "", timeout=120)
        else:
            ended = in_process.run(args, cwd=self.work, environment=self._environment(env), text=text or "")
        return self._held(("workshop", *args), code, *ended)

    def document(self, *args: str, code: int = 0, env: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """The document of `workshop ARGS --json`."""
        return self.run(*args, "--json", code=code, env=env).document

    def bash(self, script: str, code: int = 0) -> Result:
        """Run a bash script that ends at its first error."""
        return self.call("bash", "-euo", "pipefail", "-c", script, code=code, env=self.for_scripts)

    @property
    def for_scripts(self) -> dict[str, str]:
        """The environment of a script: its `workshop` and its `aws` are warm (`tests.warm.programs`)."""
        warm = f"{programs.folder()}:" if self.tools == BIN and WARM else ""
        return {**self.environment, "PATH": warm + self.environment["PATH"]}

    def call(self, *command: str, code: int = 0, text: str | None = None, env: Mapping[str, str | None] | None = None) -> Result:
        done = subprocess.run(
            command, cwd=self.work, env=self._environment(env), input=text or "", capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        return self._held(command, code, done.returncode, done.stdout, done.stderr)

    @staticmethod
    def _held(command: tuple[str, ...], wanted: int, code: int, out: str, err: str) -> Result:
        assert code == wanted, f"{command}: exit {code}, not {wanted}\n{out}\n{err}"
        assert "Traceback" not in err + out
        return Result(code, out, err)

    def start(self, *args: str, env: Mapping[str, str | None] | None = None) -> Running:
        """Start `workshop ARGS` and let it run; the shell ends it when it is left."""
        process = commands.start(args, cwd=self.work, environment=self._environment(env))
        self._started.append(process)
        return process

    def at(self, terminal: int, *args: str, **more: str) -> Running:
        """Start `workshop ARGS` with its three streams at a terminal."""
        return commands.start(
            args, cwd=self.work, environment={**self.environment, **more}, stdin=terminal, stdout=terminal, stderr=terminal
        )

    def finish(self, process: Running, code: int) -> Result:
        """Wait for what `start` started."""
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"exit {process.returncode}, not {code}\n{out}\n{err}"
        assert "Traceback" not in err
        return Result(code, out, err)

    def cloud(self, timing: str = "instant", scale: float = 1.0) -> Shell:
        """Start the local cloud (or change its timing) and return the shell. Its process is warm: see `tests.warm.clouds`."""
        if self.tools == BIN:
            clouds.start(self.state, port=self.port, timing=timing, scale=scale)
        self.run("cloud", "start", "--timing", timing, "--time-scale", str(scale))
        return self

    def lose_the_journal(self) -> None:
        """Forget every earlier run."""
        for path in self.state.glob("runs.db*"):
            path.unlink()

    def start_over(self) -> Shell:
        """Empty the cloud, and forget every earlier run and the pages that it wrote."""
        self.run("cloud", "reset")
        self.lose_the_journal()
        shutil.rmtree(self.state / "sites", ignore_errors=True)
        return self

    def leave(self) -> None:
        """End every process of the shell."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        if self.state.is_dir():
            self.run("cloud", "stop")

    def client(self, service: str, region: str = HOME_REGION, *, account: str = LOCAL_ACCOUNT, endpoint: str = "") -> Any:
        """A boto3 client of the local cloud, past the tool."""
        key = (service, region, account, endpoint or self.endpoint)
        if key not in self._clients:
            self._clients[key] = _session().client(
                service, region_name=region, endpoint_url=key[3], aws_access_key_id=account, aws_secret_access_key="x",
                config=Config(retries={"total_max_attempts": 3}, account_id_endpoint_mode="disabled"),
            )  # fmt: skip
        return self._clients[key]

    def inventory(self, *regions: str, **where: str) -> Inventory:
        """Everything of every kind that a setup could leave, queried from the services themselves."""
        rows: Inventory = []
        for r in regions or REGIONS:
            ask = lambda service, r=r: self.client(service, r, **where)  # noqa: E731
            rows += [(r, "table", name) for name in ask("dynamodb").list_tables()["TableNames"]]
            rows += [(r, "stack", s["StackName"]) for s in ask("cloudformation").describe_stacks()["Stacks"]]
            rows += [(r, "rest-api", a["name"]) for a in ask("apigateway").get_rest_apis().get("items", [])]
            rows += [(r, "function", f["FunctionName"]) for f in ask("lambda").list_functions()["Functions"]]
            rows += [(r, "log-group", g["logGroupName"]) for g in ask("logs").describe_log_groups()["logGroups"]]
        roles = self.client("iam", **where).list_roles()["Roles"]
        rows += [("global", "role", role["RoleName"]) for role in roles if not role["RoleName"].startswith("AWSServiceRole")]
        return sorted(rows)

    def table(self, name: str = TABLE, region: str = HOME_REGION, keys: tuple[str, ...] = ("PK", "SK")) -> None:
        """A table that another tool made, ACTIVE."""
        dynamodb = self.client("dynamodb", region)
        dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, role in zip(keys, ("HASH", "RANGE"), strict=False)],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )  # fmt: skip
        eventually(lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")

    def count(self, region: str, table: str = TABLE) -> int:
        """The items of a table in one region."""
        return int(self.client("dynamodb", region).scan(TableName=table, Select="COUNT")["Count"])

    def tags(self, region: str, table: str = TABLE) -> dict[str, str]:
        """The tags of a table in one region."""
        dynamodb = self.client("dynamodb", region)
        arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        return {tag["Key"]: tag["Value"] for tag in dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]}

    def get(self, url: str) -> bytes:
        """The body of an address; names below localhost are this machine, whatever its resolver says."""
        host = url.split("/")[2]
        direct = url.replace(host, f"127.0.0.1:{host.rpartition(':')[2]}", 1)
        with urllib.request.urlopen(urllib.request.Request(direct, headers={"Host": host}), timeout=20) as answer:
            body: bytes = answer.read()
            return body

    def _environment(self, env: Mapping[str, str | None] | None) -> dict[str, str]:
        merged = {**self.environment, **(env or {})}
        return {name: value for name, value in merged.items() if value is not None}
