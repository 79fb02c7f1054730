"""Whose process is at the other end of a connection, and what a process of another user gets."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud_room.conftest import Cloud, eventually, free_port
from workshop.cloud import daemon
from workshop.cloud.peers import Address, uid_by_kernel_query, uid_by_kernel_table, uid_by_processes

on_linux = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux alone has it")
WAYS = [pytest.param(uid_by_kernel_query, marks=on_linux), pytest.param(uid_by_kernel_table, marks=on_linux), uid_by_processes]
ANOTHER_USER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize("uid_of", WAYS)
def test_our_own_process_is_recognised(listener: socket.socket, uid_of: Callable[[Address, Address], int | None]) -> None:
    with socket.create_connection(listener.getsockname()):
        accepted, peer = listener.accept()
        with accepted:
            assert uid_of(peer, listener.getsockname()) == os.geteuid()


@pytest.mark.parametrize("uid_of", WAYS)
def test_a_client_that_speaks_ipv6_to_an_ipv4_address_is_recognised(
    listener: socket.socket, uid_of: Callable[[Address, Address], int | None]
) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        client.connect(("::ffff:127.0.0.1", listener.getsockname()[1]))
        accepted, peer = listener.accept()
        with accepted:
            assert uid_of(peer, listener.getsockname()) == os.geteuid()


@pytest.mark.parametrize("uid_of", WAYS)
def test_a_connection_whose_client_has_gone_belongs_to_no_user(
    listener: socket.socket, uid_of: Callable[[Address, Address], int | None]
) -> None:
    socket.create_connection(listener.getsockname()).close()
    accepted, peer = listener.accept()
    with accepted:
        assert uid_of(peer, listener.getsockname()) is None
    assert uid_of(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


@pytest.mark.parametrize("uid_of", WAYS)
def test_a_listener_on_the_port_of_a_peer_that_is_gone_is_not_the_peer(
    listener: socket.socket, uid_of: Callable[[Address, Address], int | None]
) -> None:
    assert uid_of(listener.getsockname(), ("127.0.0.1", 12345)) is None


@needs_root
def test_a_process_of_another_user_is_turned_away_and_told_how_to_open(cloud: Cloud) -> None:
    status, text = _as_another_user(cloud, "POST", "/", "Action=ListStacks&Version=2010-05-15")
    assert status == 403 and "workshop cloud start --allow-other-users" in text
    assert _as_another_user(cloud, "POST", "/_workshop/reset")[0] == 403
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []


@needs_root
def test_the_cloud_opens_to_other_users_on_request_loudly_and_not_for_good(cloud: Cloud) -> None:
    opened = daemon.start(cloud.home, other_users=True)
    assert opened.pid == cloud.state.pid and "EVERY USER" in opened.notices[0]
    assert _as_another_user(cloud, "GET", "/_workshop/health")[0] == 200
    assert daemon.start(cloud.home).other_users, "a start that names nothing leaves a running cloud as it is"
    closed = daemon.start(cloud.home, other_users=False)
    assert not closed.other_users and not closed.notices
    assert _as_another_user(cloud, "GET", "/_workshop/health")[0] == 403
    daemon.start(cloud.home, other_users=True)
    daemon.stop(cloud.home)
    assert not daemon.start(cloud.home).other_users, "the next start is closed again"


def test_a_connection_ends_with_its_client(cloud: Cloud) -> None:
    """Refused pages included: connections that were closed by their clients once stayed open for more than a minute."""
    before = _descriptors(cloud)
    for number in range(120):
        connection = http.client.HTTPConnection("127.0.0.1", cloud.state.port or 0, timeout=10)
        headers = {"Origin": "https://evil.example"} if number % 2 else {}
        connection.request("GET", "/_workshop/health", headers=headers)
        assert connection.getresponse().read()
        connection.close()
    eventually(lambda: _descriptors(cloud) <= before + 3, 5)


def test_a_client_that_opens_more_connections_than_there_is_room_for_is_cut_and_others_are_served(home: Path) -> None:
    port = free_port()
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (150, 176));"
        "from pathlib import Path; from workshop.cloud import daemon;"
        "daemon.start(Path(sys.argv[1]), port=int(sys.argv[2]), timing='instant')"
    )
    subprocess.run([sys.executable, "-c", code, str(home), str(port)], check=True)
    state = daemon.status(home)
    limits = Path(f"/proc/{state.pid}/limits")
    if limits.exists():
        assert next(line for line in limits.read_text().splitlines() if "open files" in line).split()[3:5] == ["176", "176"]
    room = 176 - 128
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(room + 40)]
    try:
        eventually(lambda: sum(_is_cut(connection) for connection in held) >= 40)
    finally:
        for connection in held:
            connection.close()
    eventually(lambda: daemon.status(home).running)


def _as_another_user(cloud: Cloud, method: str, path: str, body: str = "") -> tuple[int, str]:
    code = (
        "import http.client, json, sys\n"
        "port, method, path, body = int(sys.argv[1]), *sys.argv[2:]\n"
        "c = http.client.HTTPConnection('127.0.0.1', port, timeout=10)\n"
        "c.request(method, path, body)\n"
        "a = c.getresponse()\n"
        "print(json.dumps([a.status, a.read().decode()]))\n"
    )
    command = ["/usr/bin/env", "python3", "-c", code, str(cloud.state.port), method, path, body]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, user=ANOTHER_USER, group=ANOTHER_USER, extra_groups=[], cwd="/"
    )
    status, text = json.loads(done.stdout)
    return status, text


def _descriptors(cloud: Cloud) -> int:
    import psutil

    return psutil.Process(cloud.state.pid).num_fds()


def _is_cut(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
