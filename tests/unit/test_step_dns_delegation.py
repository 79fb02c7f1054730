"""`dns.delegation`: who has to see a zone's name servers, and what is said to people who wait for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.unit.fakes.context import StepSandbox
from workshop.errors import WorkshopError
from workshop.steps.base import State
from workshop.steps.route53.dns_delegation import DelegationParams, DnsDelegation

NAME, SERVERS = "a07.event.example.com", ("ns-1.awsdns-1.com", "ns-2.awsdns-2.net")
STEP, PARAMS = DnsDelegation(), DelegationParams(name=NAME, servers=", ".join(SERVERS), deadline=900)


@pytest.fixture
def sandbox() -> StepSandbox:
    sandbox = StepSandbox()
    sandbox.internet.known["event.example.com", "NS"] = ["ns.parent"]
    sandbox.internet.parents.add("ns.parent")
    return sandbox


def delegate(sandbox: StepSandbox, *servers: str) -> None:
    """The parent has the record, and resolvers see it."""
    sandbox.internet.delegated[NAME] = servers
    sandbox.internet.known[NAME, "NS"] = servers


async def test_a_zone_that_all_resolvers_and_the_parent_see_is_found(sandbox):
    delegate(sandbox, *SERVERS)
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.READY
    assert observed.detail == f"NS of {NAME}: 3 of 3 resolvers see it, event.example.com has it"
    assert await STEP.create(sandbox.context(PARAMS)) == {}


async def test_a_zone_whose_parent_has_no_record_is_waited_for_with_the_record_to_add(sandbox):
    ctx = sandbox.context(PARAMS)
    assert "0 of 3 resolvers see it, event.example.com does not have it yet" in (await STEP.observe(ctx)).detail

    async def later() -> None:
        await asyncio.sleep(100)
        delegate(sandbox, *SERVERS)

    await asyncio.gather(STEP.create(ctx), later())
    assert 100 <= sandbox.clock.monotonic() <= 125
    assert f"{NAME}. 60 IN NS ns-1.awsdns-1.com." in sandbox.notes.lines
    assert any("3 of 3 resolvers see it" in line for line in sandbox.notes.lines)


async def test_a_parent_that_has_the_record_is_not_enough_while_a_resolver_remembers_that_there_was_none(sandbox):
    sandbox.internet.delegated[NAME] = SERVERS
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.ABSENT and "0 of 3" in observed.detail and "event.example.com has it" in observed.detail


async def test_other_name_servers_are_named_in_the_error_with_what_to_add(sandbox):
    delegate(sandbox, "ns-1.awsdns-1.com", "ns-9.elsewhere.net")
    with pytest.raises(WorkshopError, match="Resolvers do not find") as caught:
        await STEP.create(sandbox.context(PARAMS))
    assert "after 900 s" in caught.value.why and "Seen instead: ns-9.elsewhere.net" in caught.value.why
    assert f"{NAME}. 60 IN NS ns-2.awsdns-2.net." in caught.value.fix
    assert "workshop domain delegate --profile PROFILE --parent event.example.com" in caught.value.fix


async def test_the_line_for_the_parents_account_does_not_name_the_workshops_own(sandbox):
    delegate(sandbox)
    given = (
        "--workshop",
        "films",
        "--target",
        "aws",
        "--profile",
        "mine",
        "--param",
        "domain=x.y",
        "--expect-account=1",
        "--yes",
    )
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(replace(sandbox.context(PARAMS), given=given))
    line = caught.value.fix.partition("Where its account is yours too: ")[2]
    assert line == (
        "workshop domain delegate --profile PROFILE --parent event.example.com"
        " --workshop films --target aws --param domain=x.y --yes"
    )


async def test_a_resolver_that_does_not_respond_is_not_waited_for(sandbox):
    delegate(sandbox, *SERVERS)
    sandbox.internet.silent = {"9.9.9.9"}
    sandbox.internet.blocked = {"https"}
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.READY and "2 of 2 resolvers" in observed.detail


async def test_without_any_dns_the_error_says_what_may_be_blocked(sandbox):
    sandbox.internet.blocked = {"udp", "tcp", "https"}
    assert (await STEP.observe(sandbox.context(PARAMS))).state is State.ABSENT
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.context(PARAMS))
    assert "port 53" in caught.value.fix and caught.value.code == "NotDelegated"


async def test_on_the_local_target_the_clouds_own_server_decides():
    sandbox = StepSandbox()
    local = sandbox.target("local")
    servers = ("ns-1.awsdns-1.com", "ns-2.awsdns-2.net", "ns-3.awsdns-3.org", "ns-4.awsdns-4.co.uk")
    params = DelegationParams(name="backend.localhost", servers=servers, deadline=5)
    with pytest.raises(WorkshopError):
        await STEP.create(sandbox.context(params, target=local))
    sandbox.aws.route53.put_zone("backend.localhost")
    assert (await STEP.observe(sandbox.context(params, target=local))).state is State.READY
    assert set(sandbox.internet.servers_asked()) == {"ns-local"}


async def test_no_name_servers_are_not_taken_for_a_delegation(sandbox):
    ctx = sandbox.context(DelegationParams(name=NAME, servers="", deadline=5))
    assert (await STEP.observe(ctx)).state is State.ABSENT


async def test_resolvers_that_remember_a_record_which_the_parent_has_lost_are_not_enough(sandbox):
    sandbox.internet.known[NAME, "NS"] = SERVERS
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.ABSENT and "3 of 3 resolvers see it, event.example.com does not have it" in observed.detail
