"""DNS messages of the authoritative name server, read with dnspython as any resolver would."""

from __future__ import annotations

import asyncio
from collections import Counter

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cloud_room.zone_builders import HOME, REPLICA, endpoint, lookup, record, zone
from tests.unit.fakes.virtual_time import run
from workshop.cloud.hosts import ADDRESSES
from workshop.cloud.names.authority import IDLE_SECONDS, MOST_DATAGRAM, MOST_MESSAGE, Responder, serve_stream
from workshop.cloud.names.records import Zone
from workshop.cloud.timing import Timing

NAME, RYDES = "api.rydes.localhost", "rydes.localhost"
SINGAPORE, OREGON = "198.51.100.7", "203.0.113.7"


def responder(*zones: Zone, profile: str = "realistic") -> Responder:
    return Responder(lookup(*zones, bound=(HOME, REPLICA, "ap-southeast-1")), Timing(profile, 1.0))


def ask(
    server: Responder, name: str = NAME, kind: str = "A", *, most: int = MOST_DATAGRAM, subnet: str = "", **options: object
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **options)  # type: ignore[arg-type]
    if subnet:
        query.use_edns(0, options=[dns.edns.ECSOption(subnet, 24)])
    wire = server.respond(query.to_wire(), most=most)
    assert wire is not None and len(wire) <= most
    response = dns.message.from_wire(wire)
    assert response.id == query.id and response.flags & dns.flags.QR and not response.flags & dns.flags.RA
    return response


def rows(response: dns.message.Message) -> list[str]:
    return [line for rrset in response.answer for line in rrset.to_text().splitlines()]


def test_a_routed_name_is_its_cname_and_the_address_of_the_region() -> None:
    response = ask(responder(zone(RYDES, record(NAME, "CNAME", endpoint(REPLICA)))))
    assert rows(response) == [
        f"{NAME}. 60 IN CNAME {endpoint(REPLICA)}.",
        f"{endpoint(REPLICA)}. 60 IN A {ADDRESSES[REPLICA]}",
    ]
    assert response.flags & dns.flags.AA and response.rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize(("profile", "ttl"), [("realistic", 60), ("fast", 6), ("instant", 1)])
def test_the_ttl_is_the_one_in_force(profile: str, ttl: int) -> None:
    response = ask(responder(zone(RYDES, record(NAME, "A", "192.0.2.1")), profile=profile))
    assert response.answer[0].ttl == ttl


def test_capital_letters_of_a_question_come_back() -> None:
    response = ask(responder(zone(RYDES, record(NAME, "A", "192.0.2.1"))), "aPI.Rydes.LOCALHOST")
    assert response.answer[0].name.to_text() == "aPI.Rydes.LOCALHOST."


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [("absent.rydes.localhost", "A", dns.rcode.NXDOMAIN), (NAME, "MX", dns.rcode.NOERROR)],
)
def test_what_is_not_there_is_told_with_the_soa_that_says_for_how_long(name: str, kind: str, rcode: dns.rcode.Rcode) -> None:
    response = ask(responder(zone(RYDES, record(NAME, "A", "192.0.2.1"))), name, kind)
    assert (response.rcode(), response.answer) == (rcode, [])
    (soa,) = response.authority
    assert (soa.name.to_text(), soa.rdtype, soa.ttl) == (f"{RYDES}.", dns.rdatatype.SOA, 900)


def test_a_name_outside_the_zones_is_refused() -> None:
    response = ask(responder(zone(RYDES)), "www.example.com")
    assert response.rcode() == dns.rcode.REFUSED and not response.flags & dns.flags.AA


def test_the_apex_has_its_soa_and_its_name_servers() -> None:
    server = responder(zone(RYDES))
    assert [rrset.rdtype for rrset in ask(server, RYDES, "NS").answer] == [dns.rdatatype.NS]
    assert [rrset.rdtype for rrset in ask(server, RYDES, "SOA").answer] == [dns.rdatatype.SOA]
    assert {rrset.rdtype for rrset in ask(server, RYDES, "ANY").answer} == {dns.rdatatype.NS, dns.rdatatype.SOA}


def test_a_delegation_is_no_answer_but_a_referral() -> None:
    response = ask(responder(zone(RYDES, record("a07.rydes.localhost", "NS", "ns.example.com."))), "x.a07.rydes.localhost")
    assert response.answer == [] and not response.flags & dns.flags.AA
    assert [rrset.to_text() for rrset in response.authority] == ["a07.rydes.localhost. 60 IN NS ns.example.com."]


def test_the_client_subnet_decides_about_the_place_and_is_confirmed() -> None:
    server = responder(
        zone(
            RYDES,
            record(NAME, "CNAME", endpoint(HOME), set_id="us", region=HOME),
            record(NAME, "CNAME", endpoint("ap-southeast-1"), set_id="sg", region="ap-southeast-1"),
        )
    )
    for subnet, region in ((SINGAPORE, "ap-southeast-1"), (OREGON, HOME), ("", HOME)):
        response = ask(server, subnet=subnet)
        assert rows(response)[-1].endswith(ADDRESSES[region])
        confirmed = [option for option in response.options if isinstance(option, dns.edns.ECSOption)]
        assert [(option.srclen, option.scopelen) for option in confirmed] == ([(24, 24)] if subnet else [])


def test_weights_are_drawn_anew_for_each_query() -> None:
    pair = [
        record(NAME, "CNAME", endpoint(region), set_id=region, weight=weight) for region, weight in ((HOME, 30), (REPLICA, 10))
    ]
    server = responder(zone(RYDES, *pair))
    drawn = Counter(rows(ask(server))[-1].split()[-1] for _ in range(400))
    assert 260 < drawn[ADDRESSES[HOME]] < 340 and drawn.total() == server.queries == 400


MANY = [f'"{number:03} {"x" * 90}"' for number in range(60)]


def test_what_is_too_long_for_a_datagram_is_cut_off_and_marked_and_whole_over_tcp() -> None:
    server = responder(zone(RYDES, record(NAME, "TXT", *MANY)))
    for options in ({}, {"use_edns": 0, "payload": 4096}):
        short = ask(server, kind="TXT", **options)
        assert short.flags & dns.flags.TC
    whole = ask(server, kind="TXT", most=MOST_MESSAGE)
    assert not whole.flags & dns.flags.TC and len(rows(whole)) == len(MANY)


def test_an_asker_without_edns_gets_no_more_than_512_bytes() -> None:
    server = responder(zone(RYDES, record(NAME, "TXT", *MANY[:8])))
    query = dns.message.make_query(NAME, "TXT", use_edns=False)
    wire = server.respond(query.to_wire(), most=MOST_DATAGRAM)
    assert wire is not None and len(wire) <= 512 and dns.message.from_wire(wire).flags & dns.flags.TC
    allowed = ask(server, kind="TXT", use_edns=0, payload=1232)
    assert not allowed.flags & dns.flags.TC


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AAAA", "2001:db8::1"),
        ("MX", "10 mail.example.com"),
        ("TXT", '"v=spf1 -all" "second string"'),
        ("CAA", '0 issue "amazon.com"'),
        ("SRV", "1 10 5269 xmpp.example.com."),
        ("PTR", "host.example.com"),
    ],
)
def test_every_type_of_record_is_sent(kind: str, value: str) -> None:
    response = ask(responder(zone(RYDES, record(NAME, kind, value))), kind=kind)
    assert [dns.rdatatype.to_text(rrset.rdtype) for rrset in response.answer] == [kind]


def test_a_value_that_is_none_of_its_type_is_a_failure_of_the_server_for_this_name_alone() -> None:
    server = responder(zone(RYDES, record(NAME, "A", "not an address"), record("b.rydes.localhost", "A", "192.0.2.1")))
    assert ask(server).rcode() == dns.rcode.SERVFAIL
    assert ask(server, "b.rydes.localhost").rcode() == dns.rcode.NOERROR


def test_what_only_other_servers_do_is_refused_by_its_code() -> None:
    server = responder(zone(RYDES))
    update = dns.message.make_query(NAME, "A")
    update.set_opcode(dns.opcode.NOTIFY)
    wire = server.respond(update.to_wire(), most=MOST_DATAGRAM)
    assert wire is not None and dns.message.from_wire(wire).rcode() == dns.rcode.NOTIMP
    assert ask(server, rdclass="CH").rcode() == dns.rcode.REFUSED
    assert ask(server, use_edns=1).rcode() == dns.rcode.BADVERS


def test_a_response_gets_no_response_so_that_two_servers_cannot_talk_for_ever() -> None:
    server = responder(zone(RYDES))
    response = dns.message.make_response(dns.message.make_query(NAME, "A"))
    assert server.respond(response.to_wire(), most=MOST_DATAGRAM) is None


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_bytes_that_are_no_message_get_a_format_error_or_nothing(wire: bytes) -> None:
    answer = responder(zone(RYDES)).respond(wire, most=MOST_DATAGRAM)
    if len(wire) < 12:
        assert answer is None
    elif answer is not None:
        assert answer[:2] == wire[:2] and answer[2] & 0x80


class Connection:
    """The writing end of a connection, kept."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data

    async def drain(self) -> None:
        return


def test_a_connection_takes_one_query_after_the_other_and_ends_when_it_falls_silent() -> None:
    connection = Connection()

    async def silent_at_last() -> float:
        reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
        for message in (b"one", b"two"):
            reader.feed_data(len(message).to_bytes(2, "big") + message)
        with pytest.raises(TimeoutError):
            await serve_stream(lambda wire, _: wire.upper(), reader, connection)
        return loop.time()

    assert run(silent_at_last()) == pytest.approx(IDLE_SECONDS)
    assert connection.sent == b"\0\x03ONE\0\x03TWO"


def test_the_endpoints_own_names_are_answered_although_they_are_in_no_zone() -> None:
    host = endpoint(REPLICA)
    response = ask(responder(), host)
    assert rows(response) == [f"{host}. 60 IN A {ADDRESSES[REPLICA]}"] and response.rcode() == dns.rcode.NOERROR
    assert ask(responder(), host, "TXT").answer == []
    assert ask(responder(), "other.execute-api.localhost").rcode() == dns.rcode.REFUSED
