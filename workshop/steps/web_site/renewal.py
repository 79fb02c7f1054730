"""The copies of a site's pages at CloudFront's edges: what has to be dropped, and that a killed run does not forget it.

In: keys of objects that changed or are gone. Out: one invalidation of exactly these, waited for. Notes in the journal survive a
kill: with one that says that uploads began, the next run drops every copy. Without a journal copies are used for five minutes at
most, by the Cache-Control of the objects (docs/aws-behaviours.md, section 14).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from workshop.aws.resources.distributions import create_invalidation, distribution_tags, is_invalidated
from workshop.steps.base import Context
from workshop.steps.ownership import owner_of
from workshop.steps.web_site.params import Hosting, SiteParams
from workshop.waiting import WaitTimeout

__all__ = ["EVERYTHING", "forget_copies", "is_outdated", "is_renewed", "note_outdated", "renew_copies", "stale_paths"]

OUTDATED = "outdated copies"
"""Objects behind the distribution of that name were about to be changed, and no invalidation was requested since."""
INVALIDATION = "invalidation"
"""The invalidation of the distribution of that name, by its id, which was not seen done."""
EVERYTHING = ("/*",)
PLAIN = re.compile("[A-Za-z0-9._/-]+")
"""Keys that are their own paths. Of other characters CloudFront wants some encoded and others not (section 14.2): then everything
is dropped, which costs no more."""
ROOT = "index.html"
"""What the address of the distribution itself shows."""
MOST_PATHS = 100
"""More than these are dropped as everything: a path costs something after the first thousand of a month (section 14)."""
DEADLINE, INTERVAL = 600.0, 5.0


def stale_paths(keys: Iterable[str]) -> list[str]:
    """The paths under which edges hold copies of these objects."""
    named = list(keys)
    paths = [f"/{key}" for key in named] + (["/"] if ROOT in named else [])
    return paths if len(paths) <= MOST_PATHS and all(map(PLAIN.fullmatch, named)) else list(EVERYTHING)


def is_renewed(ctx: Context[SiteParams], hosting: Hosting) -> bool:
    """Whether no earlier run ended before CloudFront dropped what it had changed."""
    return not any(_is_noted(ctx, kind, hosting) for kind in (OUTDATED, INVALIDATION))


def is_outdated(ctx: Context[SiteParams], hosting: Hosting) -> bool:
    """Whether an earlier run ended between its first change and its invalidation, so that any copy may be an older one."""
    return _is_noted(ctx, OUTDATED, hosting)


def note_outdated(ctx: Context[SiteParams], hosting: Hosting) -> None:
    """Before the first change of an object that edges may hold."""
    ctx.notes.record(OUTDATED, hosting.distribution)


async def renew_copies(ctx: Context[SiteParams], hosting: Hosting, paths: Sequence[str]) -> None:
    """Have the edges drop these paths, and wait until they have; also for what an earlier run requested and did not await."""
    if paths:
        tags = await distribution_tags(ctx.aws, hosting.distribution)
        if tags is None or not owner_of(ctx, tags).ours:
            ctx.report.progress(f"! the distribution {hosting.distribution} is not this workshop's: its copies were not renewed")
            forget_copies(ctx, hosting)
            return
        requested = await create_invalidation(ctx.aws, hosting.distribution, paths, _reference(ctx, paths))
        ctx.notes.record(INVALIDATION, hosting.distribution, requested)
        ctx.notes.forget(OUTDATED, hosting.distribution)
    noted = ctx.notes.identity(INVALIDATION, hosting.distribution, ctx.region)
    if noted:
        await _wait(ctx, hosting, noted, len(paths))
    forget_copies(ctx, hosting)


def forget_copies(ctx: Context[SiteParams], hosting: Hosting) -> None:
    """Nothing is outstanding any more, or everything is gone."""
    for kind in (OUTDATED, INVALIDATION):
        ctx.notes.forget(kind, hosting.distribution)


async def _wait(ctx: Context[SiteParams], hosting: Hosting, invalidation: str, count: int) -> None:
    """A wait that takes too long fails nothing: CloudFront goes on, and copies become old by themselves."""

    async def done() -> bool:
        return await is_invalidated(ctx.aws, hosting.distribution, invalidation)

    what = f"{count} changed {'path' if count == 1 else 'paths'}" if count else "the changed paths"
    reason = f"CloudFront to drop its copies of {what}"
    try:
        await ctx.wait_until(done, reason=reason, deadline=DEADLINE, interval=INTERVAL)
    except WaitTimeout:
        ctx.report.progress(f"! CloudFront did not finish {invalidation} in {DEADLINE:.0f} s: older copies may show for a while")


def _reference(ctx: Context[SiteParams], paths: Sequence[str]) -> str:
    """The same for a request that a retry sends twice, another one for every later change."""
    moment = ctx.clock.now().isoformat()
    return f"workshop:{ctx.workshop}:{ctx.run}:{hashlib.sha256(repr((moment, paths)).encode()).hexdigest()[:16]}"


def _is_noted(ctx: Context[SiteParams], kind: str, hosting: Hosting) -> bool:
    return ctx.notes.made(kind, hosting.distribution, ctx.region) is not None
