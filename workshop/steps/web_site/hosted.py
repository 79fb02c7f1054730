"""A site in a bucket behind a distribution: uploads what changed, deletes what is no part of it any more, renews the copies.

In: a step's context with a bucket, a distribution and its host. Out: the bucket as the site is. Both are made by a stack; only
what carries the workshop's tags is touched. What changed is seen by the MD5 that S3 shows of each object
(docs/aws-behaviours.md, section 14).
"""

from __future__ import annotations

from dataclasses import dataclass

from workshop.aws.resources.buckets import (
    StoredObject,
    bucket_tags,
    delete_objects,
    empty_bucket,
    list_objects,
    object_text,
    put_object,
)
from workshop.errors import WorkshopError
from workshop.shell import aws_line, command_line
from workshop.steps.base import Context, Observed, Outputs, State
from workshop.steps.ownership import owner_of
from workshop.steps.web_site.pages import CONFIG, Page, pages
from workshop.steps.web_site.params import Hosting, SiteParams
from workshop.steps.web_site.provisional import completed
from workshop.steps.web_site.renewal import (
    EVERYTHING,
    forget_copies,
    is_outdated,
    is_renewed,
    note_outdated,
    renew_copies,
    stale_paths,
)

__all__ = ["create_hosted", "observe_hosted", "remove_hosted"]


@dataclass(frozen=True, slots=True)
class _Difference:
    """What of a bucket is not as the site is. The order is that of the uploads: pages come after what they load."""

    changed: tuple[Page, ...]
    gone: tuple[str, ...]
    """Keys that are no part of the site."""
    held: frozenset[str]
    """Keys of which the bucket holds something now."""

    @property
    def names(self) -> list[str]:
        return [*(page.name for page in self.changed), *self.gone]

    @property
    def outdated(self) -> list[str]:
        """The keys of which edges may hold an older copy."""
        return [name for name in self.names if name in self.held]


async def observe_hosted(ctx: Context[SiteParams], hosting: Hosting) -> Observed:
    """How the bucket differs from the site."""
    if not hosting.exists:
        return Observed(State.ABSENT, "its bucket does not exist")
    tags = await bucket_tags(ctx.aws, ctx.region, hosting.bucket)
    if tags is None:
        return Observed(State.ABSENT, f"the bucket {hosting.bucket} does not exist")
    if not owner_of(ctx, tags).ours:
        return _foreign(ctx, hosting)
    stored = await list_objects(ctx.aws, ctx.region, hosting.bucket)
    if not stored:
        return Observed(State.ABSENT, f"the bucket {hosting.bucket} is empty")
    names, outputs = _compared(await _wanted(ctx, hosting), stored).names, _outputs(ctx, hosting)
    if names:
        return Observed(State.PARTIAL, f"{names[0]} differs" + (f", and {len(names) - 1} more" if names[1:] else ""), outputs)
    if not is_renewed(ctx, hosting):
        return Observed(State.PARTIAL, "CloudFront may still serve older copies", outputs)
    return Observed(State.READY, f"{len(stored)} files in {hosting.bucket}", outputs)


async def create_hosted(ctx: Context[SiteParams], hosting: Hosting) -> Outputs:
    """Upload, delete, and have CloudFront drop what it may hold of both. What was begun is noted first, so that the next run
    renews the copies even when this one ends in between."""
    await _usable(ctx, hosting)
    difference = _compared(await _wanted(ctx, hosting), await list_objects(ctx.aws, ctx.region, hosting.bucket))
    paths = EVERYTHING if is_outdated(ctx, hosting) else stale_paths(difference.outdated)
    if paths:
        note_outdated(ctx, hosting)
    for page in difference.changed:
        await put_object(
            ctx.aws,
            ctx.region,
            hosting.bucket,
            page.name,
            page.read(),
            content_type=page.content_type,
            cache_control=page.cache_control,
        )
    await delete_objects(ctx.aws, ctx.region, hosting.bucket, difference.gone)
    if difference.names:
        deleted = f", {len(difference.gone)} deleted" if difference.gone else ""
        ctx.report.progress(f"{len(difference.changed)} files uploaded to {hosting.bucket}{deleted}")
    await renew_copies(ctx, hosting, paths)
    return _outputs(ctx, hosting)


async def remove_hosted(ctx: Context[SiteParams], hosting: Hosting) -> None:
    """Empty the bucket of everything that it ever held; it goes with its stack, which cannot do this."""
    if not hosting.exists:
        return
    tags = await bucket_tags(ctx.aws, ctx.region, hosting.bucket)
    if tags is not None and owner_of(ctx, tags).ours:
        emptied = await empty_bucket(ctx.aws, ctx.region, hosting.bucket)
        if emptied:
            ctx.report.progress(f"emptied the bucket {hosting.bucket} of {emptied} versions")
    forget_copies(ctx, hosting)


async def _wanted(ctx: Context[SiteParams], hosting: Hosting) -> dict[str, Page]:
    """Every file of the site by its name."""
    if not ctx.params.provisional:
        return pages(ctx)
    there = await object_text(ctx.aws, ctx.region, hosting.bucket, CONFIG)
    return completed(pages(ctx), there)


def _compared(wanted: dict[str, Page], stored: dict[str, StoredObject]) -> _Difference:
    changed = [page for name, page in wanted.items() if name not in stored or not _same(page, stored[name])]
    last = sorted(changed, key=lambda page: page.name.endswith(".html"))
    return _Difference(tuple(last), tuple(sorted(set(stored) - set(wanted))), frozenset(stored))


def _same(page: Page, stored: StoredObject) -> bool:
    return page.digest == (stored.etag, stored.size)


async def _usable(ctx: Context[SiteParams], hosting: Hosting) -> None:
    """Raises `WorkshopError` for a bucket that is gone or not ours."""
    tags = await bucket_tags(ctx.aws, ctx.region, hosting.bucket) if hosting.exists else None
    if tags is None:
        raise WorkshopError(
            what=f"The bucket {hosting.bucket} in {ctx.region} is gone.",
            fix=f"Run: {command_line(ctx.again('setup'))}",
            code="BucketGone",
        )
    if not owner_of(ctx, tags).ours:
        observed = _foreign(ctx, hosting)
        raise WorkshopError(what=observed.detail, why="It does not carry our tags.", fix=observed.fix, code="Foreign")


def _foreign(ctx: Context[SiteParams], hosting: Hosting) -> Observed:
    show = aws_line("s3api get-bucket-tagging", region=ctx.region, bucket=hosting.bucket)
    return Observed(
        State.FOREIGN,
        f"The bucket {hosting.bucket} was not made by this workshop.",
        fix=f"Name the bucket of a stack of this workshop. Whose it is: {show}",
        ours=False,
    )


def _outputs(ctx: Context[SiteParams], hosting: Hosting) -> Outputs:
    return {"Url": f"{ctx.target.origin(hosting.host)}/", "Bucket": hosting.bucket}
