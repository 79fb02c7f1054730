"""`web.site`: the workshop's web pages, configured with the addresses of this run.

In: a folder of pages, one of files shared with other workshops, a template of the configuration. Out: a folder that the
local cloud serves and that works from `file://` too, hence `config.js` beside `config.json`.
"""

from __future__ import annotations

import filecmp
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

from workshop.errors import DefinitionError
from workshop.shell import command_line, comment
from workshop.state_dir import private_folder
from workshop.steps.base import (
    Context,
    Estimate,
    Observed,
    Outputs,
    Params,
    Permission,
    Placement,
    Resource,
    State,
    Step,
)
from workshop.steps.declarations import ResourceType
from workshop.steps.settings import Folder, TemplateFile

__all__ = ["STEP", "SiteParams", "WebSite"]

TEMPLATE = ".j2"
GLOBAL_NAME = "WORKSHOP_CONFIG"
"""The name under which `config.js` hands the configuration to classic scripts."""


SITE = ResourceType("site", "web site", upkeep="a folder on this machine")


class SiteParams(Params):
    """`source` is a folder; `shared` another one, whose files the site gets where `source` has none of that name; `config` a
    template inside `source` that renders to JSON."""

    source: Annotated[str, Folder()]
    shared: Annotated[str | None, Folder()] = None
    config: Annotated[str, TemplateFile("json", inside="source")] = "config.json.j2"


class WebSite(Step[SiteParams]):
    """The rendered site of a workshop."""

    kind = "web.site"
    summary = "the workshop's web pages, configured with the API addresses"
    Params = SiteParams
    estimate = Estimate(minutes=0.02)
    placements = frozenset({Placement.GLOBAL})
    resource_types = (SITE,)

    def check_files(self, ctx: Context[SiteParams]) -> None:
        for field, name in (("source", ctx.params.source), ("shared", ctx.params.shared)):
            if name is not None and not ctx.files.path(name).is_dir():
                raise DefinitionError(
                    what=f"{name} is not a folder", fix="Name the folder of the pages", field=f"{ctx.step}.{field}"
                )
        ctx.files.path(_template(ctx))

    async def observe(self, ctx: Context[SiteParams]) -> Observed:
        folder = ctx.target.site_folder(ctx.workshop)
        if not folder.is_dir():
            return Observed(State.ABSENT)
        rendered, pages = _configuration(ctx), _pages(ctx)
        changed = [name for name, text in rendered.items() if not _holds(folder / name, text)]
        changed += [str(name) for name, source in pages.items() if not _same(source, folder / name)]
        known = {*rendered, *map(str, pages)}
        changed += [str(name) for name in _files(folder) if str(name) not in known]
        if changed:
            return Observed(
                State.PARTIAL, f"{changed[0]} differs" + (f", and {len(changed) - 1} more" if changed[1:] else ""), _outputs(ctx)
            )
        return Observed(State.READY, str(folder), _outputs(ctx))

    async def create(self, ctx: Context[SiteParams]) -> Outputs:
        """Made beside its place and moved there whole: a browser never sees half a site."""
        folder = ctx.target.site_folder(ctx.workshop)
        private_folder(folder.parent)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
            fresh, old = Path(work) / "new", Path(work) / "old"
            fresh.mkdir(mode=0o700)
            for name, source in _pages(ctx).items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, fresh / name)
            for file, text in _configuration(ctx).items():
                (fresh / file).write_text(text, encoding="utf-8")
            if folder.exists():
                folder.rename(old)
            fresh.rename(folder)
        return _outputs(ctx)

    async def destroy(self, ctx: Context[SiteParams]) -> None:
        shutil.rmtree(ctx.target.site_folder(ctx.workshop), ignore_errors=True)

    async def leftovers(self, ctx: Context[SiteParams]) -> list[Resource]:
        folder = ctx.target.site_folder(ctx.workshop)
        if not folder.exists():
            return []
        return [Resource(SITE.name, str(folder), "", fix=command_line(["rm", "-r", str(folder)]))]

    def commands(self, ctx: Context[SiteParams]) -> list[str]:
        folder = ctx.target.site_folder(ctx.workshop)
        closing = "and writes config.json there, no AWS call"
        return [
            comment(["copies", *_sources(ctx.params), "to", str(folder), *closing.split()]),
            command_line(["cat", str(folder / "config.json")]),
        ]

    def permissions(self, ctx: Context[SiteParams]) -> list[Permission]:  # noqa: ARG002
        return []


STEP = WebSite()


def _configuration(ctx: Context[SiteParams]) -> dict[str, str]:
    """The rendered files by name: the JSON, and the same for pages that were opened from a folder."""
    template = _template(ctx)
    text = ctx.files.render(template, ctx.variables)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DefinitionError(
            what=f"{template} does not render to JSON: {error}", fix="Correct the template", where=template
        ) from error
    pretty = json.dumps(content, indent=2, ensure_ascii=False)
    # "</script>" cannot occur inside a script file that is loaded by its address, so no escaping is needed here.
    return {"config.json": f"{pretty}\n", "config.js": f"window.{GLOBAL_NAME} = {pretty};\n"}


def _template(ctx: Context[SiteParams]) -> str:
    beside = PurePosixPath(ctx.params.source) / ctx.params.config
    inside = (ctx.files.path(ctx.params.source) / ctx.params.config).is_file()
    return str(beside) if inside else ctx.params.config


def _pages(ctx: Context[SiteParams]) -> dict[Path, Path]:
    """The files of the site by their names in its folder; templates are rendered, not copied."""
    folders = [ctx.files.path(name) for name in (ctx.params.shared, ctx.params.source) if name is not None]
    return {name: folder / name for folder in folders for name in _files(folder) if name.suffix != TEMPLATE}


def _sources(params: SiteParams) -> list[str]:
    return [params.source] if params.shared is None else [params.source, "and", params.shared]


def _files(folder: Path) -> Iterator[Path]:
    return (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def _outputs(ctx: Context[SiteParams]) -> Outputs:
    return {"Url": ctx.target.site_url(ctx.workshop), "Folder": str(ctx.target.site_folder(ctx.workshop))}
