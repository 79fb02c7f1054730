"""A local cloud of its own for a test: fresh state folder, free port, ended by its process id."""

from __future__ import annotations

import functools
import json
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.warm import clouds
from workshop.cloud import daemon

HERE = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _session() -> boto3.session.Session:
    """One for all clients of this process: a session reads the models of a service once."""
    return boto3.session.Session()


@dataclass
class Cloud:
    """A running cloud as a test sees it."""

    home: Path
    state: daemon.CloudState
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "us-west-2", account: str = daemon.ACCOUNT) -> Any:
        key = (service, region, account)
        if key not in self._clients:
            self._clients[key] = _session().client(
                service,
                region_name=region,
                endpoint_url=self.state.endpoint,
                aws_access_key_id=account,
                aws_secret_access_key="x",
                config=Config(
                    retries={"total_max_attempts": 1},
                    read_timeout=20,
                    max_pool_connections=32,
                    account_id_endpoint_mode="disabled",
                ),
            )
        return self._clients[key]

    def http(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(self.state.endpoint + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def control(self, method: str, path: str, document: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        status, _, body = self.http(
            f"/_workshop/{path}", method=method, body=None if document is None else json.dumps(document).encode()
        )
        return status, json.loads(body)

    def table(self, name: str = "things", region: str = "us-west-2", account: str = daemon.ACCOUNT, **more: Any) -> None:
        """A table with PK and SK, ACTIVE."""
        dynamodb = self.client("dynamodb", region, account)
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )
        eventually(lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")

    def replica(self, region: str = "eu-west-1", name: str = "things", source: str = "us-west-2") -> None:
        """A replica, ACTIVE as seen from both sides."""
        home = self.client("dynamodb", source)
        home.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": region}}])

        def both() -> bool:
            table = home.describe_table(TableName=name)["Table"]
            listed = {"RegionName": region, "ReplicaStatus": "ACTIVE"} in table.get("Replicas", [])
            return listed and table["TableStatus"] == "ACTIVE"

        eventually(both, 60)

    def stack(self, region: str = "us-west-2", name: str = "web", **values: Any) -> str:
        """A stack with a function behind a REST API; returns the API's id."""
        cloudformation = self.client("cloudformation", region)
        text = (HERE / "stack.json").read_text()
        for key, value in {"NAME": name, **values}.items():
            text = text.replace(f"@{key}@", value)
        cloudformation.create_stack(StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_IAM"])

        def complete() -> bool:
            status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            assert "ROLLBACK" not in status and "FAILED" not in status, status
            return bool(status == "CREATE_COMPLETE")

        eventually(complete, 60)
        outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        return str(next(row["OutputValue"] for row in outputs if row["OutputKey"] == "ApiId"))


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Poll until the condition holds; fail when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"did not come true within {seconds} s"
        time.sleep(0.02)


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and message of the error that the call returns."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A state folder; a cloud that a test leaves running in it is stopped."""
    folder = tmp_path / "home"
    yield folder
    daemon.stop(folder)


@pytest.fixture
def cloud(home: Path) -> Cloud:
    """A fresh cloud in the profile `instant`."""
    return Cloud(home, clouds.start(home, port=free_port(), timing="instant"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for the tests of a module that do not disturb each other, in the profile `instant`."""
    folder = tmp_path_factory.mktemp("shared-cloud")
    yield Cloud(folder, clouds.start(folder, port=free_port(), timing="instant"))
    daemon.stop(folder)


@pytest.fixture(scope="module")
def reused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The cloud behind `emptied`: one process for the tests of a module."""
    folder = tmp_path_factory.mktemp("reused-cloud")
    yield Cloud(folder, clouds.start(folder, port=free_port(), timing="instant"))
    daemon.stop(folder)


@pytest.fixture
def emptied(reused: Cloud) -> Cloud:
    """As `cloud`, without a process of its own: the module's, emptied, for tests that neither stop nor damage it."""
    daemon.reset(reused.home)
    daemon.start(reused.home, timing="instant", scale=1.0)
    return reused


@pytest.fixture(autouse=True)
def _no_port_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("AWS_", "WORKSHOP_"))]:
        monkeypatch.delenv(name)
