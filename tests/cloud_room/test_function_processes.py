"""The processes that functions run in, forked from one that is warm: what they share with it, and when there is none."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop.cloud.function_processes import ForkedProcess, FunctionProcesses

ECHO = "import os, sys\nprint(os.getppid(), sorted(os.environ), os.getcwd(), sys.stdin.readline().strip(), flush=True)\n"


@pytest.fixture(scope="module")
def processes() -> Iterator[FunctionProcesses]:
    yield FunctionProcesses()


def script(folder: Path, text: str) -> str:
    (folder / "run.py").write_text(text)
    return str(folder / "run.py")


def started(processes: FunctionProcesses, folder: Path, text: str, **environment: str) -> ForkedProcess | None:
    return processes.start(script(folder, text), str(folder), {**kept(), **environment})


def kept() -> dict[str, str]:
    """The variables that an interpreter reads at its start, as they are: another value takes a fresh interpreter."""
    return {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}


def test_a_forked_function_has_its_own_environment_folder_and_streams(processes: FunctionProcesses, tmp_path: Path) -> None:
    process = started(processes, tmp_path, ECHO, TABLE="x")
    assert process is not None and process.poll() is None
    process.stdin.write("an event\n")
    process.stdin.flush()
    line = process.stdout.readline().split(maxsplit=1)[1]
    assert line == f"{sorted({*kept(), 'TABLE'})} {tmp_path} an event\n"
    process.wait(20)
    assert process.poll() is not None


def test_a_function_that_raises_ends_with_its_traceback(processes: FunctionProcesses, tmp_path: Path) -> None:
    process = started(processes, tmp_path, "raise ValueError('wrong event')")
    assert process is not None
    assert "ValueError: wrong event" in process.stderr.read()
    process.wait(20)


def test_a_function_is_waited_for_and_killed_like_any_process(processes: FunctionProcesses, tmp_path: Path) -> None:
    process = started(processes, tmp_path, "import sys\nsys.stdin.read()\n")
    assert process is not None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    process.kill()
    assert process.wait(20) < 0
    process.kill()  # its id may be another process's by now: nothing is sent


@pytest.mark.parametrize(
    "environment", [{"_LAMBDA_LAYERS_DIRS": "/opt"}, {"PYTHONPATH": "/elsewhere"}, {"LD_PRELOAD": "x.so"}, {"LC_ALL": "tr_TR"}]
)
def test_what_an_interpreter_reads_at_its_start_takes_a_fresh_one(
    processes: FunctionProcesses, tmp_path: Path, environment: dict[str, str]
) -> None:
    assert started(processes, tmp_path, ECHO, **environment) is None


@pytest.mark.parametrize("name", ["boto3.py", "urllib3", "json"])
def test_a_function_with_its_own_version_of_a_loaded_module_takes_a_fresh_interpreter(
    processes: FunctionProcesses, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    assert started(processes, tmp_path, ECHO) is None


def test_when_the_warm_process_has_ended_the_next_function_takes_a_fresh_interpreter_and_the_one_after_another_fork(
    tmp_path: Path,
) -> None:
    processes = FunctionProcesses()
    first = started(processes, tmp_path, ECHO)
    assert first is not None
    first.stdin.write("\n")
    first.stdin.flush()
    warm = int(first.stdout.readline().split()[0])
    os.kill(warm, signal.SIGKILL)
    assert started(processes, tmp_path, ECHO) is None
    again = started(processes, tmp_path, ECHO)
    assert again is not None
    again.stdin.write("\n")
    again.stdin.flush()
    assert int(again.stdout.readline().split()[0]) != warm
    again.wait(20)
