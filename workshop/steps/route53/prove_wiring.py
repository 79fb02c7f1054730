"""Proves the wiring of a name on an account: reads the world, compares it, calls the regions, asks what the checkers see.

In: a client, a zone, a name, the workshop's regions, and for the live stage a way to call. Out: a `Proof`; `Proof.problems` is
empty when the wiring is right. It needs no session: a step, a check and a drill call it alike. Reads only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.custom_domains import custom_domains, get_routes, get_stages
from workshop.aws.resources.health_checks import list_health_checks, observations
from workshop.aws.resources.route53 import record_sets
from workshop.shell import command_line
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.health_service import health_permissions
from workshop.steps.route53.proof import Fixes, Proof
from workshop.steps.route53.record_sets import owner_texts
from workshop.steps.route53.service import route53_permissions
from workshop.steps.route53.wiring import prove
from workshop.steps.route53.wiring_calls import Caller
from workshop.steps.route53.wiring_live import compare_responses, compare_sightings
from workshop.steps.route53.world import Api, World

__all__ = ["REGION_MEMBER", "prove_wiring", "wiring_permissions"]

REGION_MEMBER = "region"
"""The member of a health route's JSON that names the region."""


async def prove_wiring(
    aws: AwsClient,
    *,
    zone: str,
    name: str,
    regions: Sequence[str],
    commands: Sequence[str] = (),
    call: Caller | None = None,
    member: str = REGION_MEMBER,
    everywhere: bool = False,
) -> Proof:
    """The proof of a name in a zone; without a zone (an empty id) there are no records.

    `commands` are the options that mean the workshop, for the commands to offer; `call` makes the second stage possible;
    `everywhere` wants a report of every region with checkers, as on AWS. Raises `AwsError`.
    """
    world = await _read_world(aws, zone, regions)
    fixes = _fixes(world, name, commands)
    world = await _with_apis(aws, world, prove(world, name, fixes))
    proof = prove(world, name, fixes)
    if call is None or proof.problems:
        return proof
    found, heard = await compare_responses(world, proof, call, member, fixes)
    for wire in proof.wires:
        check = world.checks.get(wire.check)
        if check is not None:
            seen = await observations(aws, check.id)
            found += compare_sightings(wire, check, heard.get(check.id), seen, everywhere=everywhere)
    return proof.with_more(found)


def wiring_permissions(regions: Sequence[str], *phases: Phase) -> list[Permission]:
    """What a proof reads: records, checks and what they see, custom domains and APIs."""
    found = route53_permissions(dict.fromkeys(phases, ("ListResourceRecordSets", "ListHostedZonesByName", "GetHostedZone")))
    found += health_permissions(dict.fromkeys(phases, ("ListHealthChecks", "GetHealthCheckStatus")))
    return [
        *found,
        *(
            Permission("apigateway:GET", f"arn:aws:apigateway:{region}::/{path}", region, phase)
            for phase in phases
            for region in regions
            for path in ("domainnames", "domainnames/*", "restapis/*")
        ),
    ]


async def _read_world(aws: AwsClient, zone: str, regions: Sequence[str]) -> World:
    checks = await list_health_checks(aws)
    records = await record_sets(aws, zone) if zone else []
    domains = await asyncio.gather(*(custom_domains(aws, region) for region in regions))
    return World(
        tuple(regions),
        tuple(records),
        {each.id: each for each in checks},
        tuple(domain for found in domains for domain in found),
    )


async def _with_apis(aws: AwsClient, world: World, proof: Proof) -> World:
    """The world with the APIs at the ends of the wires. One that may not be read is left out: its routes are not compared."""
    ends = {(end.region, end.api) for wire in proof.wires for end in (wire.points, wire.watches) if end is not None}

    async def read(region: str, api: str) -> Api | None:
        routes = await get_routes(aws, region, api)
        return None if routes is None else Api(await get_stages(aws, region, api), routes)

    apis: dict[tuple[str, str], Api] = {}
    gone: set[tuple[str, str]] = set()
    for end in sorted(ends):
        try:
            found = await read(*end)
        except AwsError as error:
            if not error.denied:
                raise
            continue
        if found is None:
            gone.add(end)
        else:
            apis[end] = found
    return replace(world, apis=apis, gone=frozenset(gone))


def _fixes(world: World, name: str, options: Sequence[str]) -> Fixes:
    """The commands that help; the step that writes the records is named in the TXT record beside them."""
    step = owner_texts(world.records, name).get("step", "")
    setup = command_line(["workshop", "setup", *options])
    return Fixes(command_line(["workshop", "step", "run", step, *options]) if step else setup, setup)
