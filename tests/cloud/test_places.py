"""Where the state lies and which port is used: taken ports, folders that are none, a user without a home."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.cloud.shell import Shell, free_port

pytestmark = pytest.mark.cloud


@pytest.fixture
def taken():
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        yield other.getsockname()[1]


def test_a_port_in_use_is_refused_with_a_way_out(fresh, taken):
    for words in (("setup",), ("cloud", "start")):
        done = fresh.run(*words, code=2, env={"WORKSHOP_PORT": str(taken)})
        assert f"Port {taken} on 127.0.0.1 cannot be used." in done.err
        assert "Another program uses it." in done.err
        assert "→ Choose another one: WORKSHOP_PORT=" in done.err
    assert fresh.document("cloud", "status")["running"] is False


@pytest.mark.parametrize("port", ["70000", "http", "-1", "0"])
def test_a_port_that_is_none_is_refused(fresh, port):
    done = fresh.run("setup", code=2, env={"WORKSHOP_PORT": port})
    assert port in done.err
    assert "65535" in done.err


def test_a_cloud_that_runs_is_found_whatever_port_is_configured(fresh):
    fresh.cloud()
    found = fresh.document("cloud", "start", env={"WORKSHOP_PORT": None})
    assert found["port"] == fresh.port
    done = fresh.run("cloud", "start", "--port", str(free_port()), code=2)
    assert f"The local cloud is already running, on port {fresh.port}" in done.err
    assert "workshop cloud stop" in done.err


def test_a_file_in_place_of_the_state_folder_is_refused(fresh):
    occupied = fresh.work / "state"
    occupied.write_text("mine")
    for words in (("setup",), ("status",), ("cloud", "start"), ("teardown",)):
        done = fresh.run(*words, code=2, env={"WORKSHOP_HOME": str(occupied)})
        assert f"The state folder cannot be used: {occupied}." in done.err
        assert "WORKSHOP_HOME" in done.err
    assert occupied.read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody can make anything")
def test_a_state_folder_that_cannot_be_written_is_refused(fresh):
    done = fresh.run("setup", code=2, env={"WORKSHOP_HOME": "/proc/self/workshop"})
    assert "The state folder cannot be used: /proc/self/workshop." in done.err
    assert "→ Point WORKSHOP_HOME at a folder that you can write" in done.err


def test_a_state_folder_that_every_user_may_write_is_refused(fresh):
    fresh.state.mkdir(mode=0o777)
    fresh.state.chmod(0o777)
    assert "every user may write to it" in fresh.run("setup", code=2).err.lower()
    fresh.state.chmod(0o700)


def test_no_home_is_fine_while_the_state_folder_is_named(fresh):
    fresh.run("cloud", "status", env={"HOME": None})


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs to become a user without an entry")
def test_a_user_without_any_home_is_told_to_name_a_folder():
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        shell = Shell(Path(place) / "shell")
        nobody = ("setpriv", "--reuid", "54321", "--clear-groups")
        done = shell.call(*nobody, "workshop", "cloud", "status", code=2, env={"HOME": None, "WORKSHOP_HOME": None})
    assert "The state folder cannot be used: it is not known where it is." in done.err
    assert "export WORKSHOP_HOME=" in done.err


@pytest.mark.parametrize("name", ["", "cloud", "sites/local", "cloud/cloud.log"])
def test_a_link_in_the_place_of_what_is_written_is_refused_before_a_cloud_starts(fresh, tmp_path, name):
    victim = tmp_path / "victim"
    victim.write_text("precious") if name.endswith(".log") else victim.mkdir()
    link = fresh.state / name
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    link.symlink_to(victim)
    done = fresh.run("cloud", "start", code=2)
    assert f"The state folder cannot be used: {link}." in done.err and "It is a symbolic link" in done.err
    assert victim.read_text() == "precious" if name.endswith(".log") else list(victim.iterdir()) == []
    link.unlink()


def test_everything_that_is_written_is_private(fresh):
    fresh.cloud().run("setup", "--through", "backend")
    folders = [fresh.state, *(path for path in fresh.state.iterdir() if path.is_dir())]
    assert {path.name for path in folders} >= {"state", "cloud", "locks"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folders)
    files = [path for path in fresh.state.iterdir() if path.is_file()]
    assert fresh.state / "runs.db" in files
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert list(fresh.work.iterdir()) == []
