"""Processes forked from a warm one behave as those that are started: ids, streams, signals, ends. A forked cloud is a cloud."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_room.conftest import free_port
from tests.warm import clouds, commands, processes, programs
from tests.warm.entries import SCRIPT
from workshop.cloud import daemon

BODIES = "tests.warm.bodies:"
PER_PROCESS = {"ministack.app._key", "ministack.app._name", "ministack.core.container_reaper._boot_nonce"}
"""What differs from process to process: the last of a set, a random name."""
on_linux = pytest.mark.skipif(not processes.WARM, reason="processes are started here, not forked")
either = pytest.mark.parametrize("warm", [pytest.param(True, marks=on_linux), False], ids=["forked", "started"])


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


@pytest.fixture
def kind(warm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forked, or started as an interpreter."""
    monkeypatch.setattr(processes, "WARM", warm)


def run(name: str, argument: str = "", **how: Any) -> tuple[int | None, str | None, str | None]:
    process = processes.start(BODIES + name, argument, cwd=how.pop("cwd", Path.cwd()), environment=environment(), **how)
    out, err = process.communicate(60)
    return process.returncode, out, err


def described(folder: Path, **how: Any) -> dict[str, Any]:
    (folder / "in").write_text("typed")
    with (folder / "in").open() as stdin:
        process = processes.start(
            BODIES + "describe", "a b", cwd=folder, environment=environment(WORD="ä"), stdin=stdin, **how
        )  # fmt: skip
        out, err = process.communicate(60)
    assert (process.returncode, err) == (7, "on stderr\n")
    found: dict[str, Any] = json.loads(out or "")
    assert found.pop("pid") == process.pid
    assert found.pop("session") == (process.pid if "new_session" in how else os.getsid(0))
    assert found.pop("group") == (process.pid if how else os.getpgid(0))
    return found


@on_linux
@pytest.mark.parametrize("how", [{}, {"new_session": True}, {"new_group": True}], ids=["plain", "session", "group"])
def test_a_forked_process_finds_what_a_started_one_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, bool]
) -> None:
    forked = described(tmp_path, **how)
    assert (forked["argument"], forked["cwd"], forked["word"], forked["typed"]) == ("a b", str(tmp_path), "ä", "typed")
    assert forked["files"] == [0, 1, 2]
    monkeypatch.setattr(processes, "WARM", False)
    assert described(tmp_path, **how) == forked


@either
@pytest.mark.usefixtures("kind")
def test_an_error_is_shown_with_its_place_and_ends_with_1() -> None:
    code, out, err = run("fail", "no such thing")
    assert (code, out) == (1, "")
    assert err and err.startswith("Traceback") and err.endswith("ValueError: no such thing\n")


@either
@pytest.mark.usefixtures("kind")
def test_words_instead_of_an_exit_code_go_to_stderr() -> None:
    assert run("leave", "why") == (1, "", "why\n")


@either
@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_is_reported_as_its_end(number: signal.Signals) -> None:
    process = processes.start(BODIES + "wait", cwd=Path.cwd(), environment=environment())
    assert process.stdout and process.stdout.readline() == "waiting\n" and process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.send_signal(number)
    assert process.wait(60) == -number
    assert process.communicate()[1] is not None
    process.kill()  # it is gone already


@either
@pytest.mark.usefixtures("kind")
def test_output_that_cannot_be_written_is_a_failure() -> None:
    with Path("/dev/full").open("w") as full:
        process = processes.start(BODIES + "leave", "0", cwd=Path.cwd(), environment=environment(), stdout=full)
        assert process.communicate(60)[0] is None
    assert process.returncode


def test_the_command_is_the_installed_one(tmp_path: Path) -> None:
    where = environment(WORKSHOP_HOME=str(tmp_path / "home"), PATH=f"{SCRIPT.parent}:{os.environ['PATH']}")
    for words in (["--version"], ["cloud", "nonsense"], []):
        forked = commands.run(words, cwd=tmp_path, environment=where, text="", timeout=60)
        cold = subprocess.run([SCRIPT, *words], cwd=tmp_path, env=where, capture_output=True, text=True, check=False)
        assert forked == (cold.returncode, cold.stdout, cold.stderr)


def test_where_an_interpreter_would_behave_differently_one_is_started(tmp_path: Path) -> None:
    started = processes.start(BODIES + "describe", cwd=tmp_path, environment=environment(PYTHONHASHSEED="1"))
    assert isinstance(started, subprocess.Popen)
    started.communicate(60)


SCRIPT_LINES = """
workshop definition lint ./nowhere --json | head -c 10; echo ${PIPESTATUS[0]}
mkdir -p below && cd below && umask 000 && workshop definition new here && stat -c %a here here/workshop.yaml && cd ..
(ulimit -f 0; workshop --version > file; echo $?; wc -c < file)
workshop --version >&-; echo $?
PYTHONIOENCODING=ascii workshop --version
aws nonsense 2>&1 | tail -n 1; echo ${PIPESTATUS[0]}
AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y aws sts get-caller-identity --endpoint-url http://127.0.0.1:9 2>&1
which -a workshop | tail -n 1
"""


@on_linux
def test_a_script_does_the_same_with_the_warm_programs_and_with_the_real_ones(tmp_path: Path) -> None:
    done = []
    for place, folders in (("warm", [programs.folder(), SCRIPT.parent]), ("real", [SCRIPT.parent])):
        (tmp_path / place).mkdir()
        path = ":".join(map(str, [*folders, os.environ["PATH"]]))
        done.append(subprocess.run(
            ["bash", "-uc", SCRIPT_LINES], cwd=tmp_path / place, capture_output=True, text=True, check=False, timeout=120,
            env=environment(PATH=path, WORKSHOP_HOME="home", AWS_MAX_ATTEMPTS="1", AWS_DEFAULT_REGION="us-west-2"),
        ))  # fmt: skip
    warm, real = done
    assert warm.stdout.replace(str(tmp_path / "warm"), str(tmp_path / "real")) == real.stdout
    assert (warm.returncode, warm.stderr) == (real.returncode, real.stderr)
    assert "Could not connect" in warm.stdout and "777" in warm.stdout


@on_linux
def test_a_forked_cloud_has_the_emulator_that_a_started_one_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plain value of every module of MiniStack, which reads folder and port from its environment when it is imported."""
    home = tmp_path / "home"
    clouds.prepared(home)
    forked = json.loads(run("emulator", str(home), handles=(2,))[1] or "")
    monkeypatch.setattr(processes, "WARM", False)
    values, wanted = forked["values"], json.loads(run("emulator", str(home))[1] or "")["values"]
    assert {name for name in values | wanted if values.get(name) != wanted.get(name)} <= PER_PROCESS
    assert forked["mentions"] == [], "the folder of no cloud is left"


@on_linux
def test_a_forked_cloud_is_an_ordinary_cloud(tmp_path: Path) -> None:
    home = tmp_path / "home"
    state = clouds.start(home, port=free_port(), timing="instant", scale=0.5)
    try:
        assert daemon.status(home) == state == clouds.start(home)
        assert (state.timing, state.scale, state.notices) == ("instant", 0.5, ())
        assert state.pid and os.getsid(state.pid) == state.pid
        assert clouds.start(home, timing="fast").timing == "fast"
        assert daemon.stop(home) and not daemon.status(home).running
        again = clouds.start(home)
        assert (again.port, again.dns_port, again.timing, again.scale) == (state.port, state.dns_port, "fast", 0.5)
        assert again.pid != state.pid
        assert not [path for path in (home / "cloud").rglob("*") if path.stat().st_mode & 0o077]
        assert daemon.log_path(home).read_text().count("listens on") == 2
    finally:
        daemon.stop(home)
