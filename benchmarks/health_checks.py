"""What the checkers of two health checks cost in the profile `fast`, as a share of one core: one cloud with and without them.

Run: python benchmarks/health_checks.py [SECONDS PER CELL, default 20]
Both cells are measured in turn, three times each. The time is that of the cloud's processes, those of its functions included; the
checks are of the shortest interval, on two APIs whose functions respond.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psutil

from workshop.cloud import daemon

TEMPLATE = Path(__file__).parent.parent / "tests" / "cloud_room" / "stack.json"
REGIONS = ("us-west-2", "eu-west-1")
ROUNDS = 3
SETTLE_SECONDS = 5.0
MOST = 0.05
"""The share of one core that two checks may cost."""


def client(port: int, service: str, region: str) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=daemon.ACCOUNT,
        aws_secret_access_key="x",  # noqa: S106 - any value is accepted
    )


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the cloud did not get that far")
        time.sleep(0.05)


def api(port: int, region: str) -> str:
    """An API with a function behind it; returns its id."""
    stacks = client(port, "cloudformation", region)
    stacks.create_stack(
        StackName="web", TemplateBody=TEMPLATE.read_text().replace("@NAME@", "web"), Capabilities=["CAPABILITY_IAM"]
    )

    def outputs() -> list[dict[str, str]]:
        return stacks.describe_stacks(StackName="web")["Stacks"][0].get("Outputs", [])

    wait_for(lambda: bool(outputs()))
    return outputs()[0]["OutputValue"]


def create(port: int, host: str, number: int) -> str:
    """A health check; returns its id once each of its checkers has seen a good response."""
    names = client(port, "route53", "us-east-1")
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": host,
        "Port": 443,
        "ResourcePath": "/api/",
        "RequestInterval": 10,
        "EnableSNI": True,
    }
    check = names.create_health_check(CallerReference=f"{number}", HealthCheckConfig=config)["HealthCheck"]["Id"]

    def responded() -> bool:
        seen = names.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return len(seen) == 3 and all(row["StatusReport"]["Status"].startswith("Success") for row in seen)

    wait_for(responded)
    return str(check)


def spent(pid: int) -> float:
    """Seconds of processor time of a process and of all that it started."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:4]) for process in family)


def share(pid: int, seconds: float) -> float:
    """How much of one core the cloud takes for so long."""
    time.sleep(SETTLE_SECONDS)
    began, before = time.perf_counter(), spent(pid)
    time.sleep(seconds)
    return (spent(pid) - before) / (time.perf_counter() - began)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    cells: dict[str, list[float]] = {"idle": [], "two checks": []}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        try:
            state = daemon.start(home, timing="fast")
            port, pid = state.port or 0, state.pid or 0
            hosts = [f"{api(port, region)}.execute-api.{region}.amazonaws.com" for region in REGIONS]
            for turn in range(ROUNDS):
                cells["idle"].append(share(pid, seconds))
                checks = [create(port, host, turn * len(hosts) + number) for number, host in enumerate(hosts)]
                cells["two checks"].append(share(pid, seconds))
                for check in checks:
                    client(port, "route53", "us-east-1").delete_health_check(HealthCheckId=check)
        finally:
            daemon.stop(home)
    idle, busy = (statistics.median(values) for values in cells.values())
    figures = {"idle": round(idle, 4), "with two checks": round(busy, 4), "of one core for the checks": round(busy - idle, 4)}
    print(json.dumps({**figures, "over idle": round(busy / max(idle, 1e-4), 1), "allowed": MOST}))
    return 0 if busy - idle <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
