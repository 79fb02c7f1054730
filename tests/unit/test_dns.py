"""Questions to name servers: which server is asked, by which protocol, and what an answer is."""

from __future__ import annotations

import pytest

from tests.unit.fakes.context import StepSandbox
from tests.unit.fakes.dns import FakeInternet
from workshop.aws.dns import Authority, Dns, DnsError, NameServer
from workshop.errors import WorkshopError

ONE, TWO = NameServer("192.0.2.1"), NameServer("192.0.2.2")
NAME = "api.example.net"


def internet(**more) -> FakeInternet:
    return FakeInternet(known={(NAME, "A"): ["198.51.100.1", "198.51.100.2"], (NAME, "TXT"): ['"one " "two"']}, **more)


async def test_an_answer_has_the_values_of_the_type_that_was_asked_for():
    answer = await Dns(internet()).ask(NAME, "A", [ONE])
    assert sorted(answer.values) == ["198.51.100.1", "198.51.100.2"]
    assert (answer.rcode, answer.ttl, answer.via, answer.server) == ("NOERROR", 60, "udp", "192.0.2.1")


async def test_the_parts_of_a_text_are_one():
    assert (await Dns(internet()).ask(NAME, "TXT", [ONE])).values == ("one two",)


async def test_a_chain_of_names_ends_at_its_last_name():
    sandbox = StepSandbox()
    zone = sandbox.aws.route53.put_zone("example.net")
    sandbox.aws.route53.put_record(zone, NAME, "CNAME", "west.example.net", ttl=30)
    sandbox.aws.route53.put_record(zone, "west.example.net", "CNAME", "a1.execute-api.us-west-2.localhost")
    ask = Authority(Dns(FakeInternet(own=sandbox.aws.route53.respond)), (NameServer("ns-1"),)).query
    answer = await ask(NAME)
    assert answer.target == "a1.execute-api.us-west-2.localhost" and answer.values[0].startswith("127.") and answer.ttl == 30
    direct = await ask(NAME, "CNAME")
    assert direct.values == ("west.example.net",) and direct.target == ""


async def test_a_name_that_does_not_exist_and_a_type_that_is_not_there_are_no_errors():
    ask = Dns(internet()).ask
    assert (await ask("no.example.net", "A", [ONE])).rcode == "NXDOMAIN"
    nothing = await ask(NAME, "AAAA", [ONE])
    assert nothing.rcode == "NOERROR" and nothing.values == ()


async def test_a_parents_servers_hand_the_question_on():
    world = internet(parents={"192.0.2.1"}, delegated={NAME: ["ns-2.awsdns-2.net", "ns-1.awsdns-1.com"]})
    answer = await Dns(world).ask(NAME, "NS", [ONE])
    assert answer.referral == ("ns-1.awsdns-1.com", "ns-2.awsdns-2.net") and answer.values == ()


async def test_what_does_not_fit_into_a_datagram_is_asked_again_by_tcp():
    world = internet(long=True)
    answer = await Dns(world).ask(NAME, "A", [ONE])
    assert answer.via == "tcp" and len(answer.values) == 2
    assert [used for used, _, _ in world.asked] == ["udp", "tcp"]


@pytest.mark.parametrize("trouble", [{"silent": {"192.0.2.1"}}, {"failing": {"192.0.2.1": "SERVFAIL"}}])
async def test_a_server_that_does_not_serve_gives_way_to_the_next(trouble):
    assert (await Dns(internet(**trouble)).ask(NAME, "A", [ONE, TWO])).server == "192.0.2.2"


async def test_a_server_that_was_silent_is_asked_last_the_next_time():
    world = internet(silent={"192.0.2.1"})
    dns = Dns(world)
    for _ in range(2):
        await dns.ask(NAME, "A", [ONE, TWO])
    assert world.servers_asked() == ["192.0.2.1", "192.0.2.2", "192.0.2.2"]


async def test_where_udp_alone_is_blocked_tcp_is_used():
    answer = await Dns(internet(blocked={"udp"})).ask(NAME, "A", [ONE])
    assert answer.via == "tcp"


async def test_where_port_53_is_blocked_resolvers_are_asked_by_https_and_the_port_is_not_tried_again():
    world = internet(blocked={"udp", "tcp"})
    dns = Dns(world)
    assert (await dns.ask(NAME, "A", [ONE, TWO])).via == "https" and dns.blocked
    before = len(world.asked)
    assert (await dns.ask(NAME, "A", [ONE, TWO])).via == "https"
    assert [used for used, _, _ in world.asked[before:]] == ["https"]


async def test_the_port_does_not_count_as_blocked_after_any_server_responded():
    world = internet()
    dns = Dns(world)
    await dns.ask(NAME, "A", [ONE])
    world.silent = {"192.0.2.1", "192.0.2.2"}
    assert (await dns.ask(NAME, "A", [ONE, TWO])).via == "https" and not dns.blocked


async def test_no_response_at_all_is_an_error_that_names_the_servers():
    world = internet(blocked={"udp", "tcp", "https"})
    with pytest.raises(DnsError, match=r"192\.0\.2\.1, 192\.0\.2\.2"):
        await Dns(world).ask(NAME, "A", [ONE, TWO])
    with pytest.raises(DnsError) as caught:
        await Dns(world, https=()).ask(NAME, "A", [ONE])
    assert "HTTPS" not in caught.value.why and caught.value.code == "NoDnsAnswer"


async def test_a_client_subnet_decides_where_the_asker_is():
    sandbox = StepSandbox()
    zone = sandbox.aws.route53.put_zone("example.net")
    for region, address in (("ap-southeast-1", "192.0.2.1"), ("us-west-2", "192.0.2.2")):
        sandbox.aws.route53.put_record(zone, NAME, "A", address, SetIdentifier=region, Region=region)
    authority = Authority(Dns(FakeInternet(own=sandbox.aws.route53.respond)), (NameServer("ns-1"),))
    assert (await authority.query(NAME, source="198.51.100.0/24")).values == ("192.0.2.1",)
    assert (await authority.query(NAME, source="203.0.113.0/24")).values == ("192.0.2.2",)


@pytest.mark.parametrize(("name", "subnet"), [("a..b", ""), ("x" * 70 + ".net", ""), (NAME, "here"), (NAME, "1.2.3.4/99")])
async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(name, subnet):
    world = internet()
    with pytest.raises(WorkshopError, match="cannot be looked up"):
        await Dns(world).ask(name, "A", [ONE], client_subnet=subnet)
    assert world.asked == []


async def test_a_response_to_another_question_is_none():
    other = FakeInternet(known={("evil.example.net", "A"): ["192.0.2.66"]})

    class Mixed(FakeInternet):
        async def udp(self, wire, server, timeout):
            import dns.message

            return await other.udp(dns.message.make_query("evil.example.net", "A").to_wire(), server, timeout)

    with pytest.raises(DnsError):
        await Dns(Mixed(blocked={"tcp"}), https=()).ask(NAME, "A", [ONE])
