"""Many questions to the name servers of a zone, the answers counted by region, and whether they agree with what is expected.

In: a group of records, its name servers. Out: counts, a verdict at one in a thousand, and the shares that chance allows. No
resolver is in between, so that each answer is a choice of its own.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workshop.aws.dns import Answer, Authority
from workshop.aws.target import Target
from workshop.steps.route53.routing import Expectation, Member

__all__ = ["SIGNIFICANCE", "Sample", "band", "chance_of", "mismatch", "region_of", "regions_by_answer", "sample_answers"]

SIGNIFICANCE = 0.001
"""The chance below which counts are taken for wrong: one check in a thousand that is right fails."""
SIGMAS = 3.29
"""Standard deviations in which 99.9 percent of all samples are."""
LEAST_EXPECTED = 5.0
"""Answers that a region should have for the chi-square test to hold; regions with fewer are counted together."""
AT_ONCE = 20
"""Questions under way at the same time."""
NOTHING = "no answer"


@dataclass(frozen=True, slots=True)
class Sample:
    """`answers` are counted by region, or by what was answered where that is no target of the group; `ttl` in seconds."""

    name: str
    queries: int
    answers: Mapping[str, int]
    ttl: int
    via: tuple[str, ...]


async def sample_answers(
    target: Target, authority: Authority, name: str, members: Sequence[Member], queries: int, source: str | None = None
) -> Sample:
    """Ask `queries` times. `source` is the subnet in which the asker claims to be. Raises `DnsError`."""
    regions = await regions_by_answer(target, members)
    kind = members[0].type
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> Answer:
        async with gate:
            return await authority.query(name, kind, source)

    answers = await asyncio.gather(*(one() for _ in range(queries)))
    counts = Counter(region_of(answer, regions) for answer in answers)
    return Sample(
        name,
        queries,
        dict(sorted(counts.items())),
        min((answer.ttl for answer in answers), default=0),
        tuple(sorted({answer.via for answer in answers})),
    )


def mismatch(sample: Sample, expected: Expectation) -> str:
    """What differs from the expectation, with the expected and the seen shares; empty when chance explains the difference."""
    strange = [region for region in sample.answers if region not in expected.regions]
    if strange:
        allowed = ", ".join(expected.regions)
        return f"{_shares(sample)}; expected are answers of {allowed} alone ({expected.words})"
    if expected.shares and chance_of(sample.answers, expected.shares) < SIGNIFICANCE:
        wanted = ", ".join(f"{region} {share:.1%}" for region, share in expected.shares.items())
        return f"{_shares(sample)}; expected {wanted} ({expected.words})"
    return ""


def chance_of(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """The chance of counts at least as far from these shares, which add up to 1: Pearson's chi-square test.

    Regions that should have too few answers for it are counted together, by the binomial distribution if even that is few.
    """
    total = sum(counts.values())
    if any(count and not shares.get(region) for region, count in counts.items()):
        return 0.0
    cells = [(share * total, counts.get(region, 0)) for region, share in shares.items() if share]
    rare = [cell for cell in cells if cell[0] < LEAST_EXPECTED]
    cells = [cell for cell in cells if cell[0] >= LEAST_EXPECTED]
    wanted, seen = sum(cell[0] for cell in rare), sum(cell[1] for cell in rare)
    if wanted >= LEAST_EXPECTED:
        return _chi_square([*cells, (wanted, seen)])
    if not rare:
        return _chi_square(cells)
    return min(1.0, 2 * min(_chi_square(cells), _at_least(seen, total, wanted / total)))  # two tests, so twice the chance


async def regions_by_answer(target: Target, members: Sequence[Member]) -> dict[str, str]:
    """The region by what DNS answers for it: a name or an address; for an alias the addresses that its target has now."""
    found: dict[str, str] = {}
    for member in members:
        if member.type == "CNAME":
            found[member.target] = member.region
        else:
            found |= dict.fromkeys(member.values, member.region)
        if member.type != "CNAME" and member.target:
            answer = await target.dns.ask(member.target, member.type, target.resolvers, recursive=True)
            found |= dict.fromkeys(answer.values, member.region)
    return found


def region_of(answer: Answer, regions: Mapping[str, str]) -> str:
    """The region that an answer leads to; what was answered where that is no target of the group."""
    if not answer.values:
        return NOTHING if answer.rcode == "NOERROR" else f"{NOTHING} ({answer.rcode})"
    return next((regions[value] for value in answer.values if value in regions), answer.values[0])


def band(share: float, queries: int) -> tuple[float, float]:
    """The shares between which 99.9 percent of samples of this size lie."""
    wide = SIGMAS * math.sqrt(share * (1 - share) / queries) if queries else 1.0
    return max(0.0, share - wide), min(1.0, share + wide)


def _chi_square(cells: Sequence[tuple[float, int]]) -> float:
    """The chance of these pairs of expected and seen counts; the expected ones are in proportion to the sum of what was seen."""
    expected, total = sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)
    if not expected or not total:
        return 1.0
    scaled = [(wanted * total / expected, seen) for wanted, seen in cells]
    return _tail(len(cells) - 1, sum((seen - wanted) ** 2 / wanted for wanted, seen in scaled))


def _at_least(seen: int, total: int, share: float) -> float:
    """The chance of `seen` or more of `total`, each with the chance `share`."""
    if not seen:
        return 1.0
    below = 0.0
    for count in range(seen):
        ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
        below += math.exp(ways + count * math.log(share) + (total - count) * math.log1p(-share))
    return max(0.0, 1.0 - below)


def _tail(freedom: int, squares: float) -> float:
    """The upper tail of the chi-square distribution, by its recurrence in steps of two degrees of freedom."""
    if freedom < 1:
        return 1.0
    half = squares / 2
    if freedom % 2:
        tail, term, at = math.erfc(math.sqrt(half)), math.exp(-half) * math.sqrt(half) / math.gamma(1.5), 1.5
    else:
        tail, term, at = math.exp(-half), math.exp(-half) * half, 2.0
    for _ in range((freedom - 1) // 2):
        tail, term, at = tail + term, term * half / at, at + 1
    return tail


def _shares(sample: Sample) -> str:
    seen = ", ".join(f"{region} {count} ({count / sample.queries:.1%})" for region, count in sample.answers.items())
    return f"of {sample.queries} answers {seen}"
