"""The cloud's process: started once, found again, restarted, stopped, emptied."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cloud_room.conftest import Cloud, eventually, free_port
from tests.warm import clouds
from workshop.cloud import daemon
from workshop.cloud.hosts import ADDRESSES
from workshop.errors import UsageError


def test_start_returns_a_running_cloud_with_its_address(home: Path) -> None:
    port = free_port()
    state = daemon.start(home, port=port)
    assert state.running
    assert (state.port, state.endpoint, state.timing, state.scale) == (port, f"http://127.0.0.1:{port}", "fast", 1.0)
    assert state.pid and state.pid != os.getpid()
    assert daemon.status(home) == state


def test_a_second_start_finds_the_first(cloud: Cloud) -> None:
    assert daemon.start(cloud.home) == cloud.state


def test_starts_at_the_same_time_yield_one_cloud(home: Path) -> None:
    port = free_port()
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: daemon.start(home, port=port), range(4)))
    assert len({state.pid for state in states}) == 1


def test_stop_ends_the_process_and_reports_when_there_was_none(cloud: Cloud) -> None:
    assert daemon.stop(cloud.home) is True
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", cloud.state.port or 0), timeout=2):
        pass
    assert daemon.stop(cloud.home) is False
    state = daemon.status(cloud.home)
    assert (state.running, state.pid, state.endpoint) == (False, None, "")


def test_stop_and_status_of_a_folder_that_never_had_a_cloud_leave_it_alone(home: Path) -> None:
    assert daemon.stop(home) is False
    assert not daemon.status(home).running
    assert not home.exists()


def test_the_port_and_the_timing_are_remembered(home: Path) -> None:
    first = daemon.start(home, port=free_port(), timing="instant", scale=0.5)
    daemon.stop(home)
    again = daemon.start(home)
    assert (again.port, again.timing, again.scale) == (first.port, "instant", 0.5)


def test_a_running_cloud_takes_a_new_timing(cloud: Cloud) -> None:
    changed = daemon.start(cloud.home, timing="realistic", scale=0.1)
    assert (changed.pid, changed.timing, changed.scale) == (cloud.state.pid, "realistic", 0.1)


def test_a_killed_cloud_is_noticed_and_started_again(cloud: Cloud) -> None:
    assert cloud.state.pid
    os.kill(cloud.state.pid, signal.SIGKILL)
    eventually(lambda: not daemon.status(cloud.home).running)
    restarted = daemon.start(cloud.home)
    assert restarted.running
    assert restarted.pid != cloud.state.pid
    assert restarted.port == cloud.state.port


def test_another_program_on_the_remembered_port_is_not_our_cloud(cloud: Cloud) -> None:
    port = cloud.state.port or 0
    daemon.stop(cloud.home)
    with socket.create_server(("127.0.0.1", port)):
        assert not daemon.status(cloud.home).running
        moved = daemon.start(cloud.home)
        assert moved.running and moved.port != port


def test_a_reused_process_id_is_not_our_cloud(cloud: Cloud) -> None:
    daemon.stop(cloud.home)
    record = cloud.home / "cloud" / "cloud.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "pid": os.getpid()}))
    assert not daemon.status(cloud.home).running
    assert daemon.stop(cloud.home) is False


def test_another_cloud_on_the_recorded_port_is_not_ours(cloud: Cloud, tmp_path: Path) -> None:
    other = tmp_path / "other"
    try:
        port = clouds.start(other, port=free_port()).port
        record = cloud.home / "cloud" / "cloud.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), "port": port}))
        assert not daemon.status(cloud.home).running
    finally:
        daemon.stop(other)
        record.write_text(json.dumps({**json.loads(record.read_text()), "port": cloud.state.port}))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid":1,"port":0,"instance":"","timing":"no","scale":1}'])
def test_a_damaged_record_of_a_stopped_cloud_does_no_harm(home: Path, content: str) -> None:
    (home / "cloud").mkdir(parents=True)
    (home / "cloud" / "cloud.json").write_text(content)
    start = daemon.start if content == "{" else clouds.start  # all that differs is how the record is read, which both do alike
    assert start(home, port=free_port()).running


def test_a_port_in_use_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("WORKSHOP_PORT", str(port))
        with pytest.raises(UsageError) as caught:
            daemon.start(home)
    assert str(port) in caught.value.what and "Another program" in caught.value.why and "WORKSHOP_PORT" in caught.value.fix


@pytest.mark.parametrize("value", ["http", "-1", "0", "65536", "4566.0", "٤٥٦٦"])
def test_an_invalid_port_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WORKSHOP_PORT", value)
    with pytest.raises(UsageError, match="Not a port"):
        daemon.start(home)


@pytest.mark.parametrize(
    ("timing", "scale"), [("slow", 1.0), ("fast", 0.0), ("fast", 1e9), ("fast", -1.0), ("fast", float("nan"))]
)
def test_a_timing_that_does_not_exist_is_refused(home: Path, timing: str, scale: float) -> None:
    with pytest.raises(UsageError):
        daemon.start(home, port=free_port(), timing=timing, scale=scale)
    assert not daemon.status(home).running


def test_two_state_folders_are_two_clouds(cloud: Cloud, tmp_path: Path) -> None:
    other = tmp_path / "other"
    try:
        second = Cloud(other, clouds.start(other, port=free_port(), timing="instant"))
        cloud.table()
        assert second.client("dynamodb").list_tables()["TableNames"] == []
    finally:
        daemon.stop(other)


def test_reset_empties_the_cloud_and_what_was_saved(cloud: Cloud) -> None:
    cloud.table()
    cloud.client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert daemon.reset(cloud.home).running
    daemon.stop(cloud.home)
    clouds.start(cloud.home)
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_reset_of_a_stopped_cloud_forgets_its_state(cloud: Cloud) -> None:
    cloud.table()
    daemon.stop(cloud.home)
    assert not daemon.reset(cloud.home).running
    clouds.start(cloud.home)
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []


def test_the_environment_points_a_client_at_the_cloud(cloud: Cloud) -> None:
    values = daemon.environment(cloud.state)
    assert values["AWS_ENDPOINT_URL"] == cloud.state.endpoint
    assert values["AWS_ACCESS_KEY_ID"] == daemon.ACCOUNT
    assert cloud.client("sts").get_caller_identity()["Account"] == daemon.ACCOUNT


def test_everything_it_writes_is_private_and_below_its_folder(cloud: Cloud) -> None:
    cloud.table()
    cloud.stack()
    cloud.client("lambda").invoke(FunctionName="web", Payload=b'{"path": "/"}')
    daemon.stop(cloud.home)
    loose = [path for path in (cloud.home / "cloud").rglob("*") if path.stat().st_mode & 0o077]
    assert loose == []
    assert daemon.log_path(cloud.home).read_text().count("listens on") == 1


@pytest.mark.skipif(not Path("/proc/net").exists(), reason="open sockets are read from /proc")
def test_nothing_but_the_one_port_and_the_name_servers_is_bound_on_loopback(cloud: Cloud) -> None:
    cloud.table()
    cloud.stack()
    listening = {"0A"}
    inodes = {
        str(entry.readlink())[8:-1]
        for entry in Path(f"/proc/{cloud.state.pid}/fd").iterdir()
        if str(entry.readlink()).startswith("socket:[")
    }
    rows = [
        line.split()
        for name in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/{cloud.state.pid}/net/{name}").read_text().splitlines()[1:]
    ]
    bound = [row[1] for row in rows if row[9] in inodes and (row[3] in listening or row[2].endswith(":0000"))]
    regions = [
        f"{bytes(reversed(socket.inet_aton(address))).hex().upper()}:{cloud.state.port:04X}" for address in ADDRESSES.values()
    ]
    own = [f"0100007F:{cloud.state.port:04X}", *[f"0100007F:{cloud.state.dns_port:04X}"] * 2]
    assert sorted(bound) == sorted([*own, *regions])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are read from /proc")
def test_the_process_inherits_no_file_of_the_one_that_started_it(home: Path) -> None:
    program = f"""
from pathlib import Path
from workshop.cloud import daemon
print(daemon.start(Path({str(home)!r}), port={free_port()}).pid)
"""
    with Path(os.devnull).open("rb") as extra:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, timeout=60, check=True, pass_fds=(extra.fileno(),)
        )
    pid = int(done.stdout)  # reading to the end of the pipe proves that the server does not hold it
    targets = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    files = {target for target in targets if target.startswith("/") and target != os.devnull}
    assert all(target.startswith(str(home)) for target in files), files
    assert os.getsid(pid) == pid


def test_the_room_loads_quickly_without_the_emulator() -> None:
    heavy = ("ministack", "hypercorn", "boto3", "botocore")
    program = f"import sys, workshop.cloud.daemon; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_ctrl_c_ends_a_foreground_run_cleanly(home: Path) -> None:
    port = free_port()
    program = f"""
import sys
from pathlib import Path
from workshop.cloud import daemon
sys.exit(daemon.run(Path({str(home)!r}), port={port}))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        eventually(lambda: daemon.status(home).running)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr and "Traceback" not in process.stderr.read()
        assert not daemon.status(home).running
    finally:
        if process.stderr:
            process.stderr.close()
        if process.poll() is None:
            process.kill()
            process.wait()


def test_requests_during_a_stop_get_no_wrong_response(cloud: Cloud) -> None:
    cloud.table()
    wrong: list[int] = []

    def ask() -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", cloud.state.port or 0, timeout=5)
            try:
                connection.request("GET", "/_workshop/health")
                status = connection.getresponse().status
                if status != 200:
                    wrong.append(status)
            except (OSError, http.client.HTTPException):
                return
            finally:
                connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert daemon.stop(cloud.home)
    for thread in threads:
        thread.join(20)
    assert wrong == []
