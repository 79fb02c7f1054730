"""RTO and RPO of drills on the local cloud, and whether every setting is as it was afterwards.

    python benchmarks/drill_rto.py --runs 20            one table: run by run
    python benchmarks/drill_rto.py --thresholds 1 3 10  one table: fault by fault and threshold by threshold

Each in a state folder and on a port of its own. The settings are read back past the tool, with boto3.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[1]
WITH_HEALTH = ROOT / "tests" / "drill" / "with_health"
REGION = "us-west-2"
BEFORE = (None, 37, 5)
"""What is reserved before the runs, in turn; None is no setting."""


def main() -> None:
    """Run what was asked for and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=0, help="drills with the player's own settings")
    parser.add_argument("--thresholds", type=int, nargs="*", default=[], help="failed writes before a switch, without countdown")
    parser.add_argument("--json", type=Path, help="keep the documents of all drills here")
    given = parser.parse_args()
    with cloud() as environment:
        documents = by_run(environment, given.runs) if given.runs else []
        documents += by_threshold(environment, given.thresholds) if given.thresholds else []
    if given.json:
        given.json.write_text(json.dumps(documents, indent=1))


def by_run(environment: dict[str, str], runs: int) -> list[dict[str, Any]]:
    """The same drill again and again; the setting before it changes from run to run."""
    tool(environment, "setup")
    client = service(environment, "lambda")
    name = client.list_functions()["Functions"][0]["FunctionName"]
    print(
        "| run | RTO s | detected s | lost / acknowledged | failed / requests | availability | reserved before, read back after |"
    )
    print("|---|---|---|---|---|---|---|")
    documents = []
    for run in range(1, runs + 1):
        before = BEFORE[run % len(BEFORE)]
        if before is None:
            client.delete_function_concurrency(FunctionName=name)
        else:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)
        found = tool(environment, "drill", "run")
        after = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        assert after == before, (after, before)
        documents.append(found)
        print(
            f"| {run} | {found['rto']['seconds']:.2f} | {found['detection_seconds']:.2f} | {found['rpo']['lost_writes']} /"
            f" {found['rpo']['acknowledged_writes']} | {found['failed_requests']} / {found['requests']} |"
            f" {found['availability']:.1%} | {before} {after} |",
            flush=True,
        )
    times = [each["rto"]["seconds"] for each in documents]
    print(f"\nRTO: median {statistics.median(times):.2f} s, {min(times):.2f} to {max(times):.2f} s\n", flush=True)
    return documents


def by_threshold(environment: dict[str, str], thresholds: list[int]) -> list[dict[str, Any]]:
    """Every fault that stops writes, with every threshold and no countdown, then with the player's own settings."""
    tool(environment, "setup", "--workshop", str(WITH_HEALTH), "--yes")
    print("| fault | threshold | countdown s | RTO s | bound s | failed / requests | lost |")
    print("|---|---|---|---|---|---|---|")
    documents = []
    for fault in ("throttle", "health", "bad-deploy"):
        for options in [*(["--failures", str(each), "--countdown", "0"] for each in thresholds), []]:
            found = tool(environment, "drill", "run", "--workshop", str(WITH_HEALTH), "--fault", fault, *options)
            documents.append(found)
            settings = found["failover"]
            print(
                f"| {fault} | {settings['minFailures']} | {settings['countdownMs'] / 1000:g} | {found['rto']['seconds']:.2f} |"
                f" {found['rto']['bound']:.2f} | {found['failed_requests']} / {found['requests']} |"
                f" {found['rpo']['lost_writes']} |",
                flush=True,
            )
    return documents


@contextmanager
def cloud() -> Iterator[dict[str, str]]:
    """The environment of a state folder and a port of its own; stopped and removed afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    with tempfile.TemporaryDirectory(prefix="workshop-drill-") as home:
        environment = {**kept, "WORKSHOP_HOME": home, "WORKSHOP_PORT": str(port), "NO_COLOR": "1"}
        try:
            yield environment
        finally:
            subprocess.run([*command(), "cloud", "stop"], env=environment, check=False, capture_output=True)


def tool(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """One command of the tool; its document."""
    done = subprocess.run(
        [*command(), *arguments, "--json"], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit(f"workshop {' '.join(arguments)}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def service(environment: dict[str, str], name: str) -> Any:
    """A client of the local cloud in the region that is failed."""
    endpoint = f"http://127.0.0.1:{environment['WORKSHOP_PORT']}"
    return boto3.client(
        name,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="000000000000",
        aws_secret_access_key="local",  # noqa: S106
    )


def command() -> list[str]:
    """The tool of this environment."""
    return [sys.executable, "-m", "workshop"]


if __name__ == "__main__":
    main()
