"""What a drill through a name needs before it begins: its records, its checks, its name servers, the proof of its wiring.

In: a session, a name of its definition, its deployment. Out: a `RoutedName`, or why there is none. Nothing is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workshop.app.answers import host_of
from workshop.app.connections import Notice
from workshop.app.session import Session
from workshop.aws.client import AwsClient
from workshop.aws.resources.health_checks import HealthCheck, find_health_check
from workshop.aws.resources.route53 import HostedZone, plain_name, records_at
from workshop.aws.target import Target
from workshop.cloud import daemon
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment
from workshop.drill.routed_name import Door, RoutedName
from workshop.errors import UsageError, WorkshopError
from workshop.steps.route53.authority import zone_and_authority
from workshop.steps.route53.proof import Proof, wiring_error
from workshop.steps.route53.prove_wiring import prove_wiring
from workshop.steps.route53.routing import Member, routed_group
from workshop.steps.route53.sampling import regions_by_answer
from workshop.steps.route53.wiring_calls import caller_of
from workshop.steps.route53.world import named_region

__all__ = ["routed_name", "with_checks"]

FEED = "/_workshop/dns"
PUBLICATION = 60.0
"""Seconds within which Route 53's name servers have a status (docs/aws-behaviours.md, section 6.3): assumed, not documented."""
ADDRESSED = ("A", "AAAA", "CNAME")


async def with_checks(session: Session, deployment: Deployment) -> Deployment:
    """The deployment with the health check of each region that the drill's name leads to; as it was without such a name."""
    definition = session.workspace.workshop.definition
    if definition.drill is None or not definition.drill.name:
        return deployment
    aws = session.workspace.clients[session.account]
    try:
        host = host_of(session, definition.drill.name)
        zone, _ = await zone_and_authority(aws, session.workspace.target, host)
    except WorkshopError as error:
        if error.code not in ("NoZone", "NoRecord"):
            raise
        return deployment  # it is set up as far as its APIs
    checks = await _checks(aws, zone, host)
    return replace(deployment, regional=tuple(replace(each, check=checks.get(each.region, "")) for each in deployment.regional))


async def routed_name(
    session: Session, deployment: Deployment, region: str, commands: Commands, notice: Notice, *, anyway: bool
) -> RoutedName:
    """The name that the load calls, its wiring proven. Raises `WorkshopError` for a wiring that is wrong, unless `anyway`."""
    workspace, definition = session.workspace, session.workspace.workshop.definition
    name = definition.drill.name if definition.drill is not None else ""
    aws, target, host = workspace.clients[session.account], workspace.target, host_of(session, name)
    zone, authority = await zone_and_authority(aws, target, host)
    members = await routed_group(aws, zone.id, host)
    if not members:
        raise WorkshopError(
            what=f"The zone {zone.name} has no record {host} with an address.",
            why="There is nothing that a drill could call.",
            fix=f"Bring it to ready: {commands.setup}",
            code="NoRecord",
        )
    proof = await _proof(session, zone, host, commands)
    _require_wiring(proof, notice, anyway=anyway)
    ids = {each.region: each.check for each in deployment.regional if each.check}
    checks = {place: check for place, each in ids.items() if (check := await find_health_check(aws, each)) is not None}
    _require_check(host, region, checks)
    feed = await asyncio.to_thread(daemon.ask, session.folder, "GET", FEED) if target.gateway and target.name == "local" else {}
    clock, ttl = float(feed.get("clock", 1.0)), max(member.ttl for member in members)
    return RoutedName(
        name=host,
        policy=members[0].policy,
        kind=members[0].type,
        servers=authority,
        by_answer=await regions_by_answer(target, members),
        doors={m.region: _door(target, deployment, m, host, feed) for m in members if m.region in deployment.regions},
        checks=checks,
        ttl=ttl,
        ttl_here=max(ttl * clock, float((await authority.query(host, members[0].type)).ttl)),
        proof=proof,
        clock=clock,
        publication=0.0 if feed else PUBLICATION,
    )


async def _proof(session: Session, zone: HostedZone, host: str, commands: Commands) -> Proof:
    workspace = session.workspace
    async with caller_of(workspace.target) as call:
        return await prove_wiring(
            workspace.clients[session.account],
            zone=zone.id,
            name=host,
            regions=workspace.settings.regions,
            commands=commands.options,
            call=call,
            everywhere=session.on_aws,
        )


def _require_wiring(proof: Proof, notice: Notice, *, anyway: bool) -> None:
    for each in (*proof.problems, *proof.warnings):
        notice(f"! {each.text}")
    if proof.problems and not anyway:
        error = wiring_error(proof)
        fix = f"{error.fix}\nTo see what a failure does with it: give --anyway"
        raise WorkshopError(what=error.what, why=error.why, fix=fix, code=error.code)


def _require_check(host: str, region: str, checks: Mapping[str, HealthCheck]) -> None:
    if region not in checks:
        raise UsageError(
            what=f"A drill of {region} through {host} is not possible.",
            why="Its record has no health check, so that DNS never leaves it.",
            fix=f"Fail a region with one ({', '.join(checks) or 'none has'}), or call the regions themselves: --path direct",
            code="DrillRefused",
        )


async def _checks(aws: AwsClient, zone: HostedZone, host: str) -> dict[str, str]:
    """The health check of each region's record."""
    records = [each for each in await records_at(aws, zone.id, plain_name(host)) if each.type in ADDRESSED]
    return {named_region(each.set_identifier): each.health_check for each in records if each.health_check}


def _door(target: Target, deployment: Deployment, member: Member, host: str, feed: Mapping[str, Any]) -> Door:
    """How a client that DNS led to a region gets there. What names an API itself is called by the API's own name: API Gateway
    refuses every other one there."""
    own = deployment.in_region(member.region).url
    address = dict(feed.get("addresses") or {}).get(member.region)
    if feed:
        return Door(f"http://{address}:{target.port}/", f"{host}:{target.port}") if address else Door(own)
    if not member.target or member.target.partition(".")[0] == deployment.in_region(member.region).api:
        return Door(own)
    return Door(f"https://{member.target}/", host)
