"""What the commands of the local cloud say about names: the name server in its status, and the faults of names."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.cloud.shell import OTHER_REGION

pytestmark = pytest.mark.cloud


def test_the_status_names_a_name_server_that_responds(clean):
    server = clean.document("cloud", "status")["dns"]
    assert server["host"] == "127.0.0.1"
    query = dns.message.make_query("www.example.com", "A")
    assert dns.query.udp(query, server["host"], port=server["port"], timeout=10).rcode() == dns.rcode.REFUSED
    assert f"dig @127.0.0.1 -p {server['port']} NAME" in clean.run("cloud", "status").out


def test_a_cloud_that_never_ran_has_no_name_server_yet_and_a_stopped_one_names_the_next(fresh):
    assert fresh.document("cloud", "status")["dns"] is None
    started = fresh.document("cloud", "start")["dns"]
    fresh.run("cloud", "stop")
    assert fresh.document("cloud", "status")["dns"] == started
    assert "dig" not in fresh.run("cloud", "status").out


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("gateway-down", "--region", OTHER_REGION), f"service=execute-api region={OTHER_REGION}"),
        (("stale-resolver", "--seconds", "30"), "any"),
        (("checkers-blind", "--check", "h1", "--count", "2"), "check=h1"),
        (("checker-noise", "--check", "h1", "--probability", "0.05"), "check=h1"),
        (("unvalidated", "--name", "api.rydes.localhost"), "name=api.rydes.localhost"),
    ],
)
def test_every_fault_of_names_is_ordered_listed_and_ended(clean, words, shown):
    clean.run("cloud", "fault", "add", *words)
    assert f"{words[0]}  {shown}" in clean.run("cloud", "fault", "list").out
    assert "1 fault ended" in clean.run("cloud", "fault", "clear").out
