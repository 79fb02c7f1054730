"""The name server of a running cloud: where it listens, what it serves, and that it keeps its port."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.cloud_room.conftest import Cloud, eventually, free_port
from tests.warm import clouds
from workshop.aws.dns import Authority, Dns, DnsError, NameServer
from workshop.cloud import daemon
from workshop.cloud.hosts import ADDRESSES
from workshop.cloud.layout import Layout, read_record

NAME = "api.rydes.localhost"
LINUX = Path("/proc/net").exists()


def zone(cloud: Cloud, name: str = "rydes.localhost", account: str = daemon.ACCOUNT, **record: Any) -> str:
    """A zone with one record, by default an A record of 192.0.2.1."""
    route53 = cloud.client("route53", account=account)
    found = route53.create_hosted_zone(Name=name, CallerReference=str(time.time()))["HostedZone"]["Id"]
    row = {"Name": f"api.{name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}], **record}
    route53.change_resource_record_sets(
        HostedZoneId=found, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
    )
    return str(found)


def ask(state: daemon.CloudState, name: str = NAME, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    send = dns.query.tcp if tcp else dns.query.udp
    return send(dns.message.make_query(name, kind), "127.0.0.1", port=state.dns_port or 0, timeout=10)


def values(response: dns.message.Message) -> list[str]:
    return [str(item) for rrset in response.answer for item in rrset]


@pytest.mark.parametrize("tcp", [False, True])
def test_a_zone_of_any_account_is_served_by_udp_and_tcp(shared: Cloud, tcp: bool) -> None:
    zone(shared, f"mine{tcp}.localhost".lower())
    zone(shared, f"theirs{tcp}.localhost".lower(), account="123456789012")
    for owner in ("mine", "theirs"):
        assert values(ask(shared.state, f"api.{owner}{tcp}.localhost", tcp=tcp)) == ["192.0.2.1"]
    assert ask(shared.state, "www.example.com", tcp=tcp).rcode() == dns.rcode.REFUSED


def test_a_change_of_a_record_is_answered_at_once(shared: Cloud) -> None:
    found = zone(shared, "changed.localhost")
    row = {"Name": "api.changed.localhost", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.2"}]}
    shared.client("route53").change_resource_record_sets(
        HostedZoneId=found, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": row}]}
    )
    assert values(ask(shared.state, "api.changed.localhost")) == ["192.0.2.2"]


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed (Debian: bind9-dnsutils)")
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_dig_reads_it(shared: Cloud, transport: str) -> None:
    name = f"dig{transport[1:]}.localhost"
    target = "0123abcd.execute-api.eu-west-1.amazonaws.com"
    zone(shared, name, Type="CNAME", ResourceRecords=[{"Value": target}])
    command = [
        "dig",
        "@127.0.0.1",
        "-p",
        str(shared.state.dns_port),
        transport,
        "+norecurse",
        "+tries=1",
        "+subnet=198.51.100.0/24",
    ]

    def dig(*more: str) -> str:
        return subprocess.run([*command, *more], capture_output=True, text=True, timeout=30, check=True).stdout

    address = ADDRESSES["eu-west-1"] if LINUX else "127.0.0.1"
    assert dig("+short", f"api.{name}").split() == [f"{target}.", address]
    whole = dig(f"absent.{name}")
    assert "status: NXDOMAIN" in whole and "CLIENT-SUBNET: 198.51.100.0/24/24" in whole and f"{name}.\t" in whole
    assert "WARNING" not in whole


def test_what_is_no_dns_costs_nothing_but_its_own_connection(shared: Cloud) -> None:
    port = shared.state.dns_port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + b"x" * 40_000)  # as DNS: a message of 18,245 bytes
        assert _received(stranger) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for message in (b"", b"\0", b"\xff" * 600):
            noise.sendto(message, ("127.0.0.1", port))
    zone(shared, "alive.localhost")
    assert values(ask(shared.state, "api.alive.localhost")) == ["192.0.2.1"]


def _received(connection: socket.socket) -> bytes:
    """What comes before the end; a connection that ends with bytes unread is reset."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


def test_silent_connections_do_not_keep_others_out_for_ever(shared: Cloud) -> None:
    zone(shared, "crowd.localhost")
    port = shared.state.dns_port or 0
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(80)]
    try:
        assert values(ask(shared.state, "api.crowd.localhost")) == ["192.0.2.1"]  # by UDP
    finally:
        for each in crowd:
            each.close()
    eventually(lambda: _over_tcp(shared.state, "api.crowd.localhost") == ["192.0.2.1"])


def _over_tcp(state: daemon.CloudState, name: str) -> list[str]:
    try:
        return values(ask(state, name, tcp=True))
    except (OSError, EOFError):
        return []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_port_of_the_name_server_is_the_same_after_a_restart_and_its_zones_are_there(cloud: Cloud, ending: int) -> None:
    zone(cloud)
    before = cloud.state.dns_port
    if ending == signal.SIGTERM:
        daemon.stop(cloud.home)
    else:
        saved = Layout.of(cloud.home).state
        eventually(lambda: any(b"rydes.localhost" in file.read_bytes() for file in saved.iterdir()))
        os.kill(cloud.state.pid or 0, ending)
    assert daemon.status(cloud.home).dns_port == before
    again = daemon.start(cloud.home)
    assert again.dns_port == before
    assert values(ask(again)) == ["192.0.2.1"]


def test_two_clouds_have_two_name_servers(cloud: Cloud, tmp_path: Path) -> None:
    other = clouds.start(tmp_path / "other", port=free_port(), timing="instant")
    try:
        zone(cloud)
        assert other.dns_port not in (None, cloud.state.dns_port)
        assert ask(other).rcode() == dns.rcode.REFUSED and values(ask(cloud.state)) == ["192.0.2.1"]
    finally:
        daemon.stop(tmp_path / "other")


def test_a_port_that_is_taken_meanwhile_is_replaced_by_another_and_remembered(cloud: Cloud) -> None:
    daemon.stop(cloud.home)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.bind(("127.0.0.1", cloud.state.dns_port or 0))
        moved = daemon.start(cloud.home)
        assert moved.dns_port not in (None, cloud.state.dns_port)
    record = read_record(Layout.of(cloud.home))
    assert record is not None and record.dns_port == moved.dns_port


@pytest.mark.skipif(not LINUX, reason="only Linux has more than one loopback address")
def test_the_regions_addresses_serve_what_the_one_port_serves(shared: Cloud) -> None:
    connection = http.client.HTTPConnection(ADDRESSES["eu-west-1"], shared.state.port or 0, timeout=10)
    try:
        connection.request("GET", "/_workshop/health", headers={"Host": "127.0.0.1"})
        assert connection.getresponse().status == 200
    finally:
        connection.close()


def test_names_are_gone_after_a_reset(emptied: Cloud) -> None:
    zone(emptied)
    state = daemon.status(emptied.home)
    assert values(ask(state)) == ["192.0.2.1"]
    daemon.reset(emptied.home)
    assert ask(state).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("long", [False, True], ids=["udp", "tcp"])
def test_the_tools_own_client_asks_the_name_server(shared: Cloud, long: bool) -> None:
    name, texts = f"client{long}.localhost".lower(), [f'"{number:03}{"x" * 200}"' for number in range(20 if long else 1)]
    zone(shared, name, Type="TXT", ResourceRecords=[{"Value": text} for text in texts])
    server = NameServer("127.0.0.1", shared.state.dns_port or 0)
    answer = asyncio.run(Authority(Dns(https=()), (server,)).query(f"api.{name}", "TXT"))
    assert (answer.via, sorted(answer.values)) == ("tcp" if long else "udp", [text.strip('"') for text in texts])


def test_a_closed_port_is_no_answer(shared: Cloud) -> None:
    with pytest.raises(DnsError):
        asyncio.run(Dns(https=()).ask("api.rydes.localhost", "A", [NameServer("127.0.0.1", free_port())], timeout=1))
