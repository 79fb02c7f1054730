"""The proof of the wiring, second and third stage: what the endpoints respond and the checkers see, and what a failure does.

In: a proof of the first stage, its world, a way to call, the observations of the checks; for the third stage what was seen while
a region was broken. Out: more mismatches (docs/aws-behaviours.md, section 6.11).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from workshop.aws.resources.health_checks import CHECKER_REGIONS, HEALTHY_SHARE, CheckerReport, HealthCheck
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.route53.proof import Fixes, Mismatch, MismatchKind, Proof, Wire
from workshop.steps.route53.watching import check_path
from workshop.steps.route53.wiring_calls import Ask, Caller, Reply
from workshop.steps.route53.world import Endpoint, World

__all__ = ["by_deed", "compare_responses", "compare_sightings"]

FORBIDDEN = 403


async def compare_responses(
    world: World, proof: Proof, call: Caller, member: str, fixes: Fixes
) -> tuple[list[Mismatch], dict[str, Reply]]:
    """Call every region through its record and as its check does; both bodies have to name that region in `member`.

    Returns also the responses to the calls of the checks, by check.
    """
    found: list[Mismatch] = []
    heard: dict[str, Reply] = {}
    route = next((wire.watches.route for wire in proof.wires if wire.watches is not None and wire.watches.route), "/")
    for wire in proof.wires:
        check = world.checks.get(wire.check)
        if wire.points is None:
            continue
        reply = await call(_through_record(world, proof.name, wire, route))
        found += _judged(
            wire, reply, f"{shown(wire.host)}, asked for {proof.name},", member, MismatchKind.ANSWERED_ELSEWHERE, fixes
        )
        if check is not None and wire.watches is not None and check.host and check_path(check):
            heard[check.id] = reply = await call(_as_checker(wire.watches, check))
            what = f"what its health check asks for ({shown(wire.asks)})"
            found += _judged(wire, reply, what, member, MismatchKind.CHECK_ELSEWHERE, fixes)
    return found, heard


def compare_sightings(
    wire: Wire, check: HealthCheck, reply: Reply | None, seen: Sequence[CheckerReport], *, everywhere: bool
) -> list[Mismatch]:
    """Compare what the checkers of one check saw with a response to us. `everywhere`: each of its regions must have reported."""
    wanted = set(check.config.get("Regions") or CHECKER_REGIONS) if everywhere else set()
    missing = sorted(wanted - {each.region for each in seen})
    if missing or not seen:
        text = f"health check {shown(check.id)} has no report yet" + (f" of checkers in {', '.join(missing)}" if missing else "")
        return [
            Mismatch(
                MismatchKind.NOT_OBSERVED, f"{wire.region}: {text}: until then it counts as healthy.", "", (wire.region,), False
            )
        ]
    sick = [each for each in seen if not each.healthy]
    share = len(sick) / len(seen)
    if reply is None or reply.is_healthy != (share > 0):
        return []
    of = f"{len(sick)} of {len(seen)} checkers of health check {shown(check.id)}"
    if reply.is_healthy and share >= 1 - HEALTHY_SHARE:
        text = f"{wire.region}: {of} report a failure ({shown(sick[0].status)}), while it responds to us with {reply.status}."
        return [Mismatch(MismatchKind.DISAGREES, text, _look(check), (wire.region,))]
    heard = f"responds to us with {reply.status}" if reply.status else f"does not respond to us ({shown(reply.why)})"
    text = f"{wire.region}: {of} report a failure, while it {heard}."
    return [Mismatch(MismatchKind.DISAGREES, text, _look(check), (wire.region,), severe=False)]


def by_deed(
    proof: Proof, broken: str, *, unhealthy: Collection[str], before: Collection[str], after: Collection[str], fixes: Fixes
) -> list[Mismatch]:
    """What a failure of the region `broken` showed: only its record may leave the answers, and only its check may turn.

    `unhealthy` are the ids of the checks that turned; `before` and `after` the regions that the authority named.
    """
    found: list[Mismatch] = []
    for wire in proof.wires:
        region, check = wire.region, f"health check {shown(wire.check)}"
        if region == broken:
            if wire.check and wire.check not in unhealthy:
                text = f"{region}: it was broken, and its {check} did not turn."
                found.append(Mismatch(MismatchKind.NOT_TURNED, text, fixes.records, (region,)))
            if region in after and len(proof.wires) > 1:
                text = f"{region}: it was broken, and DNS went on to name it."
                found.append(Mismatch(MismatchKind.NOT_WITHDRAWN, text, fixes.records, (region,)))
            continue
        if wire.check and wire.check in unhealthy:
            text = f"{region}: its {check} turned, while {broken} alone was broken."
            found.append(Mismatch(MismatchKind.TURNED, text, fixes.records, (region, broken)))
        if region in before and region not in after:
            text = f"{region}: DNS does not name it any more, while {broken} alone was broken."
            found.append(Mismatch(MismatchKind.WITHDRAWN, text, fixes.records, (region, broken)))
    return found


def _as_checker(end: Endpoint, check: HealthCheck) -> Ask:
    """The call that a checker makes."""
    path = check_path(check)
    if check.host.startswith(f"{end.api}.execute-api."):
        return Ask(end.region, check.host, check.host, path, check.host, path)
    return Ask(end.region, check.host, check.host, path, _own_host(end), f"/{end.stage}{end.route}")


def _through_record(world: World, name: str, wire: Wire, others: str) -> Ask:
    """The call that a client makes whom DNS sent to this record: the health route, below the name's base path. A record without a
    check, the last resort of failover, is asked for the route that the checks of the `others` ask for."""
    end = wire.points
    assert end is not None  # noqa: S101 - the caller has looked
    watched = wire.watches
    route = watched.route if watched is not None and watched.is_same(end) else others if watched is None else "/"
    stage = end.stage or (watched.stage if watched is not None else "")
    own, own_path = _own_host(end), f"/{stage}{route}"
    last = world.end_of(wire.host)
    if world.is_api(last):
        return Ask(end.region, last, last, own_path, last, own_path)
    mapping = next(
        (
            each
            for domain in world.domains
            if (domain.region, domain.name) == (end.region, name)
            for each in domain.mappings
            if (each.api, each.stage) == (end.api, end.stage)
        ),
        None,
    )
    base = f"/{mapping.base}" if mapping is not None and mapping.base else ""
    path = f"{base}{route}" if end.stage else f"{base}/{stage}{route}"
    return Ask(end.region, last, name, path, own, own_path)


def _judged(wire: Wire, reply: Reply, what: str, member: str, kind: MismatchKind, fixes: Fixes) -> Iterator[Mismatch]:
    at = (wire.region,)
    named = (reply.body or {}).get(member)
    if isinstance(named, str) and wire.points is not None:
        if named != wire.points.region:
            text = f"{wire.region}: {what} responds from {shown(named)}, not from {wire.points.region}."
            yield Mismatch(kind, text, fixes.records, (wire.region, shown(named)))
    elif reply.status in (0, FORBIDDEN):
        why = shown(reply.why) if not reply.status else "403 Forbidden"
        yield Mismatch(MismatchKind.NO_RESPONSE, f"{wire.region}: {what} does not respond: {why}.", fixes.setup, at)
    elif not reply.is_healthy:
        text = f"{wire.region}: {what} responds with {reply.status} and names no region: it is unhealthy now."
        yield Mismatch(MismatchKind.NO_RESPONSE, text, "", at, severe=False)
    else:
        text = f"{wire.region}: {what} responds without naming its region ({shown(member)} in its JSON): it cannot be proven."
        yield Mismatch(MismatchKind.UNPROVEN, text, "", at, severe=False)


def _own_host(end: Endpoint) -> str:
    return f"{end.api}.execute-api.{end.region}.amazonaws.com"


def _look(check: HealthCheck) -> str:
    return aws_line("route53 get-health-check-last-failure-reason", health_check_id=check.id)
