"""A site as a folder of this machine: the local cloud serves it, and it works from `file://` too.

In: a step's context. Out: the folder, compared, replaced as a whole, or removed.
"""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from pathlib import Path

from workshop.shell import command_line, comment
from workshop.state_dir import private_folder
from workshop.steps.base import Context, Observed, Outputs, Resource, State
from workshop.steps.declarations import ResourceType
from workshop.steps.web_site.pages import CONFIG, Page, files_below, pages, sources
from workshop.steps.web_site.params import SiteParams
from workshop.steps.web_site.provisional import completed

__all__ = ["SITE", "create_folder", "folder_commands", "folder_leftovers", "observe_folder", "remove_folder"]

SITE = ResourceType("site", "web site", upkeep="a folder on this machine")


def observe_folder(ctx: Context[SiteParams]) -> Observed:
    """Whether the folder holds exactly the site."""
    folder = ctx.target.site_folder(ctx.workshop)
    if not folder.is_dir():
        return Observed(State.ABSENT)
    wanted = _wanted(ctx)
    changed = [name for name, page in wanted.items() if not _holds(folder / name, page)]
    changed += [name.as_posix() for name in files_below(folder) if name.as_posix() not in wanted]
    if changed:
        return Observed(
            State.PARTIAL, f"{changed[0]} differs" + (f", and {len(changed) - 1} more" if changed[1:] else ""), _outputs(ctx)
        )
    return Observed(State.READY, str(folder), _outputs(ctx))


def create_folder(ctx: Context[SiteParams]) -> Outputs:
    """Made beside its place and moved there whole: a browser never sees half a site."""
    folder = ctx.target.site_folder(ctx.workshop)
    private_folder(folder.parent)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
        fresh, old = Path(work) / "new", Path(work) / "old"
        fresh.mkdir(mode=0o700)
        for name, page in _wanted(ctx).items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(page.content, Path):
                shutil.copy2(page.content, fresh / name)
            else:
                (fresh / name).write_text(page.content, encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    return _outputs(ctx)


def remove_folder(ctx: Context[SiteParams]) -> None:
    """Remove the folder; one that is gone already is fine."""
    shutil.rmtree(ctx.target.site_folder(ctx.workshop), ignore_errors=True)


def folder_leftovers(ctx: Context[SiteParams]) -> list[Resource]:
    """The folder, while it exists."""
    folder = ctx.target.site_folder(ctx.workshop)
    if not folder.exists():
        return []
    return [Resource(SITE.name, str(folder), "", fix=command_line(["rm", "-r", str(folder)]))]


def folder_commands(ctx: Context[SiteParams]) -> list[str]:
    """What a person would type."""
    folder = ctx.target.site_folder(ctx.workshop)
    closing = "and writes config.json there, no AWS call"
    return [
        comment(["copies", *sources(ctx.params), "to", str(folder), *closing.split()]),
        command_line(["cat", str(folder / "config.json")]),
    ]


def _wanted(ctx: Context[SiteParams]) -> dict[str, Page]:
    """Every file of the site by its name."""
    there = ctx.target.site_folder(ctx.workshop) / CONFIG
    if not (ctx.params.provisional and there.is_file()):
        return pages(ctx)
    return completed(pages(ctx), there.read_text(encoding="utf-8", errors="replace"))


def _holds(path: Path, page: Page) -> bool:
    if isinstance(page.content, Path):
        return path.is_file() and filecmp.cmp(page.content, path, shallow=False)
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace") == page.content


def _outputs(ctx: Context[SiteParams]) -> Outputs:
    return {"Url": ctx.target.site_url(ctx.workshop), "Folder": str(ctx.target.site_folder(ctx.workshop))}
