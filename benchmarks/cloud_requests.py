"""Requests per second of the local cloud beside plain MiniStack: PutItem, GetItem and one API route through the gateway.

Run: python benchmarks/cloud_requests.py [SECONDS PER CELL, default 3]
Both servers run at the same time on this machine and are asked in turn; the client is one process with plain sockets.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from workshop.cloud import daemon

TEMPLATE = Path(__file__).parent.parent / "tests" / "cloud_room" / "stack.json"
Ask = tuple[str, str, dict[str, str], bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("a server did not come up")
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def plain(port: int, folder: str) -> subprocess.Popen[bytes]:
    """MiniStack as it comes, on loopback."""
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75"]
    environment = {**os.environ, **settings, "TMPDIR": folder, "DOCKER_HOST": f"unix://{folder}/none"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def furnish(port: int) -> str:
    """A table with one item and a stack with an API; answers the API's id."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-west-2",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=daemon.ACCOUNT,
            aws_secret_access_key="x",  # noqa: S106 - any value is accepted
        )

    dynamodb, cloudformation = client("dynamodb"), client("cloudformation")
    dynamodb.create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    wait_for(lambda: dynamodb.describe_table(TableName="things")["Table"]["TableStatus"] == "ACTIVE")
    dynamodb.update_table(TableName="things", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
    wait_for(lambda: "ACTIVE" in str(dynamodb.describe_table(TableName="things")["Table"].get("Replicas")))
    body = TEMPLATE.read_text().replace("@NAME@", "web")
    cloudformation.create_stack(StackName="web", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    wait_for(lambda: cloudformation.describe_stacks(StackName="web")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    return str(cloudformation.describe_stacks(StackName="web")["Stacks"][0]["Outputs"][0]["OutputValue"])


def requests(api: str) -> dict[str, Ask]:
    def call(operation: str, data: dict[str, Any]) -> Ask:
        scope = f"Credential={daemon.ACCOUNT}/20261121/us-west-2/dynamodb/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
        }
        return "POST", "/", headers, json.dumps({"TableName": "things", **data}).encode()

    key = {"PK": {"S": "p"}, "SK": {"S": "s"}}
    return {
        "PutItem": call("PutItem", {"Item": {**key, "v": {"N": "1"}}}),
        "GetItem": call("GetItem", {"Key": key}),
        "API route": ("GET", f"/_aws/execute-api/{api}/api/", {}, b""),
    }


def measure(port: int, ask: Ask, connections: int, seconds: float) -> tuple[float, float]:
    """Requests per second and the median milliseconds of one."""
    times: list[float] = []
    end = time.monotonic() + seconds

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            began = time.perf_counter()
            connection.request(ask[0], ask[1], body=ask[3] or None, headers=ask[2])
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / (time.monotonic() - began), statistics.median(times) * 1000


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory() as folder:
        home, ports = Path(folder) / "home", {"MiniStack": free_port(), "local cloud": free_port()}
        server = plain(ports["MiniStack"], folder)
        try:
            daemon.start(home, port=ports["local cloud"], timing="fast")
            wait_for(lambda: answers(ports["MiniStack"]))
            asks = {name: requests(furnish(port)) for name, port in ports.items()}
            print(f"{'request':<10} {'connections':>11} | " + " | ".join(f"{name:>24}" for name in ports))
            for kind in ("PutItem", "GetItem", "API route"):
                for connections in (1, 8):
                    cells: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
                    for name, port in ports.items():
                        measure(port, asks[name][kind], connections, 1.0)  # whatever has to start once has started
                    for _ in range(2):
                        for name, port in ports.items():
                            cells[name].append(measure(port, asks[name][kind], connections, seconds / 2))
                    means = {
                        name: [statistics.mean(column) for column in zip(*runs, strict=True)] for name, runs in cells.items()
                    }
                    row = " | ".join(f"{rate:>9.0f}/s {middle:>8.2f} ms " for rate, middle in means.values())
                    print(f"{kind:<10} {connections:>11} | {row}")
            saving = daemon.ask(home, "GET", "/_workshop/health")["saving"]
            milliseconds, thousands = saving["seconds"] * 1000, saving["characters"] / 1000
            print(f"keeping the state: {milliseconds:.1f} ms per look, {thousands:.0f} thousand characters")
        finally:
            server.terminate()
            server.wait(20)
            daemon.stop(home)


if __name__ == "__main__":
    main()
