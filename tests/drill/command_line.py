"""What the tests of drills from the command line look at: the settings of the functions, the drills' items, a running drill."""

from __future__ import annotations

import signal
import subprocess
import threading

from tests.cloud.shell import HOME_REGION, TABLE, Shell, eventually

__all__ = ["QUICK", "function", "kill", "own_items", "reserve", "reserved", "running", "until"]

QUICK = ("--failures", "2", "--countdown", "1")


def function(shell: Shell, region: str = HOME_REGION) -> str:
    return str(shell.client("lambda", region).list_functions()["Functions"][0]["FunctionName"])


def reserve(shell: Shell, number: int | None) -> None:
    client = shell.client("lambda")
    if number is None:
        client.delete_function_concurrency(FunctionName=function(shell))
    else:
        client.put_function_concurrency(FunctionName=function(shell), ReservedConcurrentExecutions=number)


def reserved(shell: Shell, region: str = HOME_REGION) -> int | None:
    found = shell.client("lambda", region).get_function_concurrency(FunctionName=function(shell, region))
    return found.get("ReservedConcurrentExecutions")


def own_items(shell: Shell, region: str) -> list[str]:
    found = shell.client("dynamodb", region).scan(TableName=TABLE, ConsistentRead=True)["Items"]
    return [item["PK"]["S"] for item in found if item["PK"]["S"].startswith(("drill-", "observe-"))]


def running(shell: Shell, *more: str, pace: tuple[str, ...] = QUICK) -> tuple[subprocess.Popen[str], list[str]]:
    """A drill that is running, and the lines that it has printed so far."""
    process = shell.start("drill", "run", *pace, *more)
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(process.stderr or ()), daemon=True).start()
    return process, lines


def until(lines: list[str], word: str) -> None:
    eventually(lambda: any(f" s  {word}" in line for line in list(lines)), 60)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
