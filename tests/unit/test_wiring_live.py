"""The second and third stage of the proof: responses, what checkers saw, and what a broken region showed."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.wiring_builders import (
    APIS,
    EAST,
    FIXES,
    NAME,
    WEST,
    check,
    host,
    plain,
    record,
    straight,
    target,
    with_checks,
    with_records,
)
from workshop.aws.resources.custom_domains import CustomDomain, Mapping
from workshop.aws.resources.health_checks import CHECKER_REGIONS, CheckerReport
from workshop.aws.target import Target
from workshop.steps.route53 import wiring_calls
from workshop.steps.route53.proof import MismatchKind
from workshop.steps.route53.wiring import prove
from workshop.steps.route53.wiring_calls import Ask, Reply, caller_of
from workshop.steps.route53.wiring_live import by_deed, compare_responses, compare_sightings
from workshop.steps.route53.world import World

GOOD, BAD = "Success: HTTP Status Code 200, OK", "Failure: HTTP Status Code 400, Bad Request"


class Regions:
    """Responds as the region of the API that is asked, unless told otherwise by host."""

    def __init__(self, **replies: Reply) -> None:
        self.asked: list[Ask] = []
        self.by_host: dict[str, Reply] = {}

    async def __call__(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        if ask.connect in self.by_host:
            return self.by_host[ask.connect]
        region = next(region for region, api in APIS.items() if ask.api.startswith(api))
        return Reply(200, {"region": region})


async def stage(world: World, regions: Regions) -> Any:
    proof = prove(world, NAME, FIXES)
    assert proof.problems == ()
    return await compare_responses(world, proof, regions, "region", FIXES)


def test_a_region_that_never_ends_its_response_is_one_that_does_not_respond(monkeypatch):
    """In real time: a server sends a byte now and then, for ever."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)

    async def called() -> Reply:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        gateway = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with caller_of(Target("local", Path("/nonexistent"), gateway=gateway)) as call:
            reply = await call(Ask(WEST, host(WEST), host(WEST), "/prod/health", host(WEST), "/prod/health"))
        server.close()
        return reply

    monkeypatch.setattr(wiring_calls, "TIMEOUT", 0.2)
    assert asyncio.run(called()) == Reply(why="TimeoutError")


async def test_regions_that_name_themselves_are_proven_through_the_record_and_as_the_check_asks():
    regions = Regions()
    found, heard = await stage(straight(), regions)
    assert found == [] and {reply.status for reply in heard.values()} == {200}
    through, as_checker = regions.asked[:2]
    assert (through.connect, through.host, through.path) == (target(WEST), NAME, "/health")
    assert (as_checker.connect, as_checker.host, as_checker.path) == (host(WEST), host(WEST), "/prod/health")


async def test_a_record_whose_target_responds_from_another_region_names_both():
    regions = Regions()
    regions.by_host[target(WEST)] = Reply(200, {"region": EAST})
    (found,), _ = await stage(straight(), regions)
    assert found.kind is MismatchKind.ANSWERED_ELSEWHERE and found.severe and found.fix == FIXES.records
    assert found.text == f"us-west-2: {target(WEST)}, asked for {NAME}, responds from us-east-1, not from us-west-2."


async def test_a_check_that_reaches_another_region_names_both():
    regions = Regions()
    regions.by_host[host(WEST)] = Reply(400, {"region": EAST})
    (found,), _ = await stage(straight(), regions)
    assert found.kind is MismatchKind.CHECK_ELSEWHERE and WEST in found.text and EAST in found.text


@pytest.mark.parametrize(
    ("reply", "row", "severe"),
    [
        (Reply(why="ConnectError: refused"), MismatchKind.NO_RESPONSE, True),
        (Reply(403, {"message": "Forbidden"}), MismatchKind.NO_RESPONSE, True),
        (Reply(500, {"message": "Internal server error"}), MismatchKind.NO_RESPONSE, False),
        (Reply(200, {"status": "ok"}), MismatchKind.UNPROVEN, False),
        (Reply(200, None), MismatchKind.UNPROVEN, False),
        (Reply(200, {"region": 7}), MismatchKind.UNPROVEN, False),
    ],
)
async def test_a_region_that_does_not_name_itself_is_named(reply, row, severe):
    regions = Regions()
    regions.by_host[target(WEST)] = reply
    (found,), _ = await stage(straight(), regions)
    assert (found.kind, found.severe, found.regions) == (row, severe, (WEST,))


async def test_a_region_that_is_unhealthy_and_names_itself_is_wired_right():
    regions = Regions()
    regions.by_host[target(WEST)] = regions.by_host[host(WEST)] = Reply(400, {"region": WEST})
    found, heard = await stage(straight(), regions)
    assert found == [] and not heard[f"check-{WEST}"].is_healthy


async def test_base_paths_and_stages_in_the_path_are_part_of_the_call():
    world = straight()
    own = CustomDomain(WEST, NAME, target(WEST), "Z", (Mapping("v1", APIS[WEST], ""),))
    regions = Regions()
    found, _ = await stage(replace(world, domains=(own, world.domains[1])), regions)
    assert found == [] and regions.asked[0].path == "/v1/prod/health"


async def test_a_record_that_names_the_api_is_called_by_the_apis_own_name():
    world = with_records(straight(), *(record(region, ResourceRecords=[{"Value": host(region)}]) for region in (WEST, EAST)))
    regions = Regions()
    found, _ = await stage(world, regions)
    assert found == [] and regions.asked[0].host == host(WEST) and regions.asked[0].path == "/prod/health"


async def test_a_last_resort_without_a_check_is_asked_for_the_route_of_the_others_checks():
    roles = ((WEST, "PRIMARY", f"check-{WEST}"), (EAST, "SECONDARY", None))
    records = [record(region, Weight=None, Failover=role, HealthCheckId=check) for region, role, check in roles]
    regions = Regions()
    found, _ = await stage(with_records(straight(), *records), regions)
    through = [ask.path for ask in regions.asked if ask.host == NAME]
    assert found == [] and through == ["/health", "/health"], "at / the gateway forbids everything"


async def test_a_name_of_one_region_is_asked_for_under_that_name():
    own = "west.films.example.com"
    world = straight()
    domain = CustomDomain(WEST, own, "d-own.execute-api.us-west-2.amazonaws.com", "Z", (Mapping("", APIS[WEST], "prod"),))
    world = replace(world, domains=(*world.domains, domain), records=(*world.records, plain(own, domain.target)))
    world = with_checks(world, check(WEST, FullyQualifiedDomainName=own, ResourcePath="/health"))
    regions = Regions()
    found, _ = await stage(world, regions)
    asked = next(ask for ask in regions.asked if ask.host == own)
    assert found == [] and (asked.path, asked.api, asked.api_path) == ("/health", host(WEST), "/prod/health")


def seen(good: int, bad: int) -> list[CheckerReport]:
    texts = [GOOD] * good + [BAD] * bad
    return [CheckerReport(CHECKER_REGIONS[number % 8], f"192.0.2.{number}", text) for number, text in enumerate(texts)]


WIRE = prove(straight(), NAME, FIXES).wires[0]


def sightings(reply: Reply | None, observed: list[CheckerReport], *, everywhere: bool = True) -> list[tuple[MismatchKind, bool]]:
    found = compare_sightings(WIRE, check(WEST), reply, observed, everywhere=everywhere)
    return [(each.kind, each.severe) for each in found]


WELL, SICK = Reply(200, {"region": WEST}), Reply(400, {"region": WEST})


@pytest.mark.parametrize(
    ("reply", "good", "bad", "expected"),
    [
        (WELL, 16, 0, []),
        (SICK, 0, 16, []),
        (SICK, 8, 8, []),
        (None, 0, 16, []),
        (WELL, 15, 1, [(MismatchKind.DISAGREES, False)]),
        (WELL, 3, 13, [(MismatchKind.DISAGREES, False)]),
        (WELL, 2, 14, [(MismatchKind.DISAGREES, True)]),
        (WELL, 0, 16, [(MismatchKind.DISAGREES, True)]),
        (SICK, 16, 0, [(MismatchKind.DISAGREES, False)]),
    ],
)
def test_checkers_are_compared_with_what_we_saw(reply, good, bad, expected):
    assert sightings(reply, seen(good, bad)) == expected


def test_a_check_of_which_not_every_region_has_reported_is_not_proven_yet():
    assert sightings(WELL, seen(5, 0)) == [(MismatchKind.NOT_OBSERVED, False)]
    assert sightings(WELL, seen(5, 0), everywhere=False) == []
    assert sightings(WELL, [], everywhere=False) == [(MismatchKind.NOT_OBSERVED, False)]
    (found,) = compare_sightings(WIRE, check(WEST), WELL, seen(7, 0), everywhere=True)
    assert "checkers in sa-east-1" in found.text


def test_only_the_regions_of_a_check_have_to_report():
    chosen = check(WEST, Regions=["us-east-1", "us-west-1", "us-west-2"])
    assert compare_sightings(WIRE, chosen, WELL, seen(3, 0), everywhere=True) == []


def deed(unhealthy: set[str], after: set[str]) -> set[MismatchKind]:
    proof = prove(straight(), NAME, FIXES)
    found = by_deed(proof, WEST, unhealthy=unhealthy, before={WEST, EAST}, after=after, fixes=FIXES)
    assert all(each.severe and each.text and each.fix == FIXES.records for each in found)
    return {each.kind for each in found}


def test_a_broken_region_that_alone_leaves_the_answers_proves_the_wiring():
    assert deed({f"check-{WEST}"}, {EAST}) == set()


def test_crossed_checks_show_in_what_a_broken_region_does():
    assert deed({f"check-{EAST}"}, {WEST}) == {
        MismatchKind.NOT_TURNED,
        MismatchKind.NOT_WITHDRAWN,
        MismatchKind.TURNED,
        MismatchKind.WITHDRAWN,
    }


def test_a_check_that_does_not_turn_keeps_its_region_in_the_answers():
    assert deed(set(), {WEST, EAST}) == {MismatchKind.NOT_TURNED, MismatchKind.NOT_WITHDRAWN}


def test_a_secondary_region_that_was_not_named_before_is_not_missed():
    proof = prove(straight(), NAME, FIXES)
    found = by_deed(proof, EAST, unhealthy={f"check-{EAST}"}, before={WEST}, after={WEST}, fixes=FIXES)
    assert found == []
