"""What DNS answers for a routed name: the choices of its own name servers, and what one resolver in between makes of them.

In: the zone's name servers, the group of records, a number of queries. Out: counts beside what the policy promises, and the
answers that a resolver keeps over three TTLs. Reads only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from workshop.aws.client import AwsClient
from workshop.aws.target import Target
from workshop.errors import WorkshopError
from workshop.steps.route53.authority import zone_and_authority
from workshop.steps.route53.routing import Expectation, expectation, routed_group
from workshop.steps.route53.sampling import Sample, mismatch, region_of, regions_by_answer, sample_answers
from workshop.waiting import monotonic

__all__ = ["CachedAnswer", "RoutedAnswers", "measure_answers"]

PERIODS = 3
"""How many TTLs the resolver is watched."""
LONGEST = 600.0
"""Seconds for which it is watched at most."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """One answer that a resolver keeps: from the second `at` on, for `ttl` seconds."""

    at: float
    ttl: int
    region: str


@dataclass(frozen=True)
class RoutedAnswers:
    """What was measured. `source` is the subnet where the asker claimed to be, or empty; `problem` is what is no chance."""

    name: str
    sample: Sample
    expected: Expectation
    source: str
    cached: tuple[CachedAnswer, ...]
    problem: str

    @property
    def ok(self) -> bool:
        return not self.problem


async def measure_answers(
    aws: AwsClient, target: Target, name: str, queries: int, source: str, notice: Callable[[str], None]
) -> RoutedAnswers:
    """Ask the name servers of the name's zone `queries` times, then watch one resolver. Raises `WorkshopError`."""
    zone, authority = await zone_and_authority(aws, target, name)
    members = await routed_group(aws, zone.id, name)
    if not members:
        raise WorkshopError(
            what=f"The zone {zone.name} has no record {name} with an address.",
            why="There is nothing that could be answered.",
            fix=f"See its records: aws route53 list-resource-record-sets --hosted-zone-id {zone.id}",
            code="NoRecord",
        )
    notice(f"Asking the name servers of {zone.name} {queries} times for {name}")
    sample = await sample_answers(target, authority, name, members, queries, source or None)
    expected = expectation(members)
    regions = await regions_by_answer(target, members)
    cached: list[CachedAnswer] = []
    began = monotonic()
    while len(cached) < PERIODS:
        answer = await authority.query(name, members[0].type, source or None)
        cached.append(CachedAnswer(monotonic() - began, answer.ttl, region_of(answer, regions)))
        if not answer.ttl or answer.ttl * (PERIODS - 1) > LONGEST:
            break
        if len(cached) == 1:
            notice(f"Watching one resolver for {answer.ttl * PERIODS} s: it keeps each answer for its TTL of {answer.ttl} s")
        if len(cached) < PERIODS:
            await asyncio.sleep(answer.ttl)
    return RoutedAnswers(name, sample, expected, source, tuple(cached), mismatch(sample, expected))
