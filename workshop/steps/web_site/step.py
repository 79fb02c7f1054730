"""`web.site`: the workshop's web pages, configured with the addresses of this run.

In: a folder of pages, one of files shared with other workshops, a template of the configuration; the bucket and the distribution
that serve the pages, if any do. Out: a folder that the local cloud serves, or the objects of the bucket.
"""

from __future__ import annotations

from workshop.errors import DefinitionError
from workshop.steps.base import (
    Context,
    Estimate,
    Observed,
    Outputs,
    Permission,
    Placement,
    Resource,
    Step,
)
from workshop.steps.cloudformation.hosting import CLOUDFRONT, S3
from workshop.steps.web_site.by_hand import hosted_commands, hosted_permissions
from workshop.steps.web_site.carriers import tagged_carriers
from workshop.steps.web_site.folder import (
    SITE,
    create_folder,
    folder_commands,
    folder_leftovers,
    observe_folder,
    remove_folder,
)
from workshop.steps.web_site.hosted import create_hosted, observe_hosted, remove_hosted
from workshop.steps.web_site.pages import configuration, template
from workshop.steps.web_site.params import SiteParams

__all__ = ["STEP", "WebSite"]


class WebSite(Step[SiteParams]):
    """The rendered site of a workshop."""

    kind = "web.site"
    summary = "the workshop's web pages, configured with the API addresses"
    Params = SiteParams
    estimate = Estimate(minutes=0.02)
    placements = frozenset({Placement.GLOBAL})
    is_global = True
    services = (S3, CLOUDFRONT)
    resource_types = (SITE,)

    def check_files(self, ctx: Context[SiteParams]) -> None:
        for field, name in (("source", ctx.params.source), ("shared", ctx.params.shared)):
            if name is not None and not ctx.files.path(name).is_dir():
                raise DefinitionError(
                    what=f"{name} is not a folder", fix="Name the folder of the pages", field=f"{ctx.step}.{field}"
                )
        ctx.files.path(template(ctx))

    async def observe(self, ctx: Context[SiteParams]) -> Observed:
        hosting = ctx.params.hosting
        return observe_folder(ctx) if hosting is None else await observe_hosted(ctx, hosting)

    async def create(self, ctx: Context[SiteParams]) -> Outputs:
        hosting = ctx.params.hosting
        return create_folder(ctx) if hosting is None else await create_hosted(ctx, hosting)

    async def destroy(self, ctx: Context[SiteParams]) -> None:
        hosting = ctx.params.hosting
        if hosting is None:
            remove_folder(ctx)
        else:
            await remove_hosted(ctx, hosting)

    async def leftovers(self, ctx: Context[SiteParams]) -> list[Resource]:
        """What is in a bucket is left with the bucket, which is its stack's."""
        return folder_leftovers(ctx) if ctx.params.hosting is None else []

    async def tagged(self, ctx: Context[SiteParams]) -> list[Resource]:
        """What carries pages and outlived its stack: distributions and what belongs to them, and buckets."""
        return await tagged_carriers(ctx)

    def commands(self, ctx: Context[SiteParams]) -> list[str]:
        hosting = ctx.params.hosting
        return folder_commands(ctx) if hosting is None else hosted_commands(ctx, hosting)

    def rendered(self, part: str, ctx: Context[SiteParams]) -> str | None:
        """The configuration, as the `file` of the step."""
        return configuration(ctx)["config.json"] if part == "file" else None

    def permissions(self, ctx: Context[SiteParams]) -> list[Permission]:
        hosting = ctx.params.hosting
        return [] if hosting is None else hosted_permissions(ctx, hosting)


STEP = WebSite()
