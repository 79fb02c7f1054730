"""The proof of the wiring, first stage: does the health check of each record watch the endpoint that the record points at?

In: a frozen world, a name. Out: a `Proof` with every mismatch. Pure: nothing is read, nothing is called
(docs/aws-behaviours.md, section 6.11).

It exists because of one mistake that a famous talk made on stage: the checks of two regions were exchanged. Everything looks well
until one region fails; then the healthy one is withdrawn, and all traffic goes to the failed one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workshop.aws.resources.health_checks import HealthCheck
from workshop.aws.resources.route53 import RecordSet, plain_name
from workshop.quoting import shown
from workshop.steps.route53.proof import Fixes, Mismatch, MismatchKind, Proof, Wire
from workshop.steps.route53.watching import LAST_RESORTS, Watched, check_rows, watchers
from workshop.steps.route53.world import Destination, Endpoint, Lost, World, named_region

__all__ = ["prove"]

LONGEST_TTL = 60
"""Seconds: what a talk about failover promises, and the longest that Route 53's own documentation advises for such records."""
NOT_BY_RECORDS = (MismatchKind.DOMAIN_MISSING, MismatchKind.MAPPING_MISSING, MismatchKind.API_GONE)
"""What writing the records again does not fix."""


@dataclass(frozen=True)
class _Line:
    """One record of the group with everything that is known of it."""

    record: RecordSet
    label: str
    located: Destination
    check: HealthCheck | None
    watched: tuple[Watched, ...]
    points: Endpoint | None

    @property
    def host(self) -> str:
        return self.record.target or ", ".join(self.record.values)

    @property
    def watches(self) -> Endpoint | None:
        return next((each.endpoint for each in self.watched if each.endpoint is not None), None)

    @property
    def asks_same_host(self) -> bool:
        """Whether the check asks the very host that the record names, which proves hosts outside of API Gateway too."""
        hosts = {self.record.target, *self.record.values}
        return bool(self.watched) and all(each.check.host in hosts for each in self.watched)

    @property
    def is_last_resort(self) -> bool:
        return any(self.record.raw.get(member) == value for member, value in LAST_RESORTS)

    @property
    def needs_no_check(self) -> bool:
        return not self.record.health_check and self.is_last_resort

    @property
    def is_right(self) -> bool:
        if self.needs_no_check:
            return self.points is not None
        if self.points is None:
            return self.asks_same_host
        return bool(self.watched) and all(
            each.endpoint is not None and each.endpoint.is_same(self.points) for each in self.watched
        )

    def wire(self) -> Wire:
        asks = self.watched[0].asks if self.watched else ""
        return Wire(
            self.label,
            self.record.set_identifier,
            self.host,
            self.points,
            self.record.health_check,
            asks,
            self.watches,
            self.is_right,
        )


def prove(world: World, name: str, fixes: Fixes) -> Proof:
    """Compare every record of `name` with its health check."""
    name = plain_name(name)
    group = [record for record in world.group(name) if record.set_identifier]
    if not group:
        has = "no record with a routing policy" if world.group(name) else "no record"
        text = f"{name} has {has}: there is nothing to fail over to."
        return Proof(name, (), (Mismatch(MismatchKind.NO_GROUP, text, fixes.records),))
    lines = [_line(world, name, record) for record in group]
    found = [*(each for line in lines for each in _about(world, name, line, fixes)), *_together(world, name, lines, fixes)]
    return Proof(name, tuple(line.wire() for line in lines), tuple(found))


def _line(world: World, name: str, record: RecordSet) -> _Line:
    located = world.destination(record.target, name)
    check = world.checks.get(record.health_check)
    watched = tuple(watchers(world, check)) if check is not None else ()
    ends = [each.endpoint for each in watched if each.endpoint is not None]
    same = next((each for each in located.endpoints if ends and each.is_same(ends[0])), None)
    points = same or next(iter(located.endpoints), None)
    label = named_region(record.set_identifier) or located.region or shown(record.set_identifier)
    return _Line(record, label, located, check, watched, points)


def _about(world: World, name: str, line: _Line, fixes: Fixes) -> Iterator[Mismatch]:
    """What is wrong with one record and its check."""
    at = (line.label,)
    for kind, text in _target_rows(world, name, line):
        fix = fixes.setup if kind in NOT_BY_RECORDS else fixes.records
        yield Mismatch(kind, f"{line.label}: {text}", fix, at)
    identity = shown(line.record.health_check)
    if line.check is None:
        yield from _unchecked(line, identity, fixes)
        return
    for kind, text, severe in check_rows(world, name, line.points, line.watched, line.check):
        yield Mismatch(kind, f"{line.label}: {text}", fixes.setup, at, severe)
    if line.is_right or line.points is None:
        return
    for each in line.watched:
        if each.endpoint is not None and not each.endpoint.is_same(line.points):
            text = f"points at {line.points}, but its health check {identity} watches {each.endpoint}."
            yield Mismatch(MismatchKind.OTHER_ENDPOINT, f"{line.label}: {text}", fixes.records, at)


def _target_rows(world: World, name: str, line: _Line) -> Iterator[tuple[MismatchKind, str]]:
    """What is wrong with where the record points."""
    host, region = shown(line.host), line.located.region
    match line.located.lost:
        case Lost.ROUTED:
            yield (
                MismatchKind.NO_ENDPOINT,
                f"points at {host}, which has a routing policy of its own and is no endpoint of one region.",
            )
        case Lost.UNKNOWN if not line.asks_same_host:
            yield MismatchKind.NO_ENDPOINT, f"points at {host}, which is no regional endpoint of this account."
        case Lost.NO_DOMAIN:
            yield MismatchKind.DOMAIN_MISSING, f"points at {host}, but {region} has no custom domain {name}: 403 Forbidden there."
        case Lost.NO_MAPPING:
            yield (
                MismatchKind.MAPPING_MISSING,
                f"points at {host}, but the custom domain {name} of {region} maps no API: 403 Forbidden.",
            )
    if line.points is not None and world.is_gone(line.points):
        yield MismatchKind.API_GONE, f"points at {line.points}, but there is no such API."


def _unchecked(line: _Line, identity: str, fixes: Fixes) -> Iterator[Mismatch]:
    """A record whose check is missing in one of two ways."""
    alias = line.record.raw.get("AliasTarget") or {}
    if identity:
        text = f"its health check {identity} does not exist: it counts as healthy for ever."
        yield Mismatch(MismatchKind.CHECK_GONE, f"{line.label}: {text}", fixes.setup, (line.label,))
    elif not line.is_last_resort and alias.get("EvaluateTargetHealth"):
        text = "evaluates its target instead of a health check: it fails only when API Gateway itself is down."
        yield Mismatch(MismatchKind.EVALUATES, f"{line.label}: {text}", fixes.records, (line.label,))
    elif not line.is_last_resort:
        text = "has no health check: it is never withdrawn."
        yield Mismatch(MismatchKind.NO_CHECK, f"{line.label}: {text}", fixes.records, (line.label,))


def _together(world: World, name: str, lines: Sequence[_Line], fixes: Fixes) -> Iterator[Mismatch]:
    """What is wrong with the group as a whole."""
    for ring in _rings(lines):
        labels = tuple(line.label for line in ring)
        text = "carry each other's health check" + ("s in a ring" if len(ring) > 2 else "")
        why = "when one region fails, a healthy one is withdrawn and traffic goes on to the failed one."
        yield Mismatch(MismatchKind.CROSSED, f"{', '.join(labels[:-1])} and {labels[-1]} {text}: {why}", fixes.records, labels)
    seen: dict[tuple[str, str, str], _Line] = {}
    for line in lines:
        if line.points is not None:
            key = (line.points.region, line.points.api, line.points.stage)
            if key in seen:
                labels = (seen[key].label, line.label)
                text = f"two records point at the same endpoint, {line.points}: {labels[0]} and {labels[1]}."
                yield Mismatch(MismatchKind.SAME_ENDPOINT, f"{name}: {text}", fixes.records, labels)
            seen.setdefault(key, line)
    there = {line.points.region for line in lines if line.points is not None} | {line.label for line in lines}
    for region in world.regions:
        if region not in there:
            yield Mismatch(MismatchKind.REGION_MISSING, f"{region}: has no record of {name}.", fixes.records, (region,))
    yield from _caveats(name, lines, fixes)


def _caveats(name: str, lines: Sequence[_Line], fixes: Fixes) -> Iterator[Mismatch]:
    ttls = sorted({line.record.ttl for line in lines if line.record.ttl})
    if ttls and ttls[-1] > LONGEST_TTL:
        text = f"{name}: resolvers keep its answers for {ttls[-1]} s: a failover is not seen before."
        yield Mismatch(MismatchKind.TTL_LONG, text, fixes.records, severe=False)
    if len(ttls) > 1:
        text = f"{name}: its records have different TTLs ({', '.join(map(str, ttls))} s): Route 53 may use any of them."
        yield Mismatch(MismatchKind.TTL_DIFFERS, text, fixes.records, severe=False)
    for line in lines:
        if line.check is not None and line.record.raw.get("Failover") == "SECONDARY":
            text = f"{line.label}: is the secondary record and has a health check: when both are unhealthy, the primary is used."
            yield Mismatch(MismatchKind.SECONDARY_CHECKED, text, fixes.records, (line.label,), severe=False)


def _rings(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """The records whose checks watch the next one's endpoint all around, each ring once, in the order of the records."""
    after = {number: _watched_line(line, lines) for number, line in enumerate(lines)}
    done: set[int] = set()
    for start in range(len(lines)):
        path: list[int] = []
        step: int | None = start
        while step is not None and step not in done and step not in path:
            path.append(step)
            step = after[step]
        if step is not None and step in path:
            yield [lines[each] for each in sorted(path[path.index(step) :])]
        done.update(path)


def _watched_line(line: _Line, lines: Sequence[_Line]) -> int | None:
    """The number of the other record whose endpoint the check of this one watches; None when there is none, or it is right."""
    if line.points is None or line.watches is None or line.watches.is_same(line.points):
        return None
    watched = (n for n, other in enumerate(lines) if other.points is not None and other.points.is_same(line.watches))
    return next(watched, None)
