"""What a site consists of: the files of its folders, and the configuration that is rendered for this run.

In: a step's context. Out: every file by its name in the site, and what each holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from workshop.errors import DefinitionError
from workshop.site_files import content_type
from workshop.steps.base import Context
from workshop.steps.web_site.params import SiteParams

__all__ = [
    "CONFIG",
    "CONFIG_SCRIPT",
    "GLOBAL_NAME",
    "TEMPLATE",
    "Page",
    "configuration",
    "configured",
    "files_below",
    "pages",
    "sources",
    "template",
]

TEMPLATE = ".j2"
CONFIG, CONFIG_SCRIPT = "config.json", "config.js"
GLOBAL_NAME = "WORKSHOP_CONFIG"
"""The name under which `config.js` hands the configuration to classic scripts."""
RENEWED = ("no-cache", "max-age=300")
"""Cache-Control of pages and configuration, which name the rest, and of the rest. Names stay the same when content changes, so no
copy is used for long."""


@dataclass(frozen=True, slots=True)
class Page:
    """One file of a site: a file of this machine, or a text."""

    name: str
    """Its path in the site, with `/`."""
    content: Path | str

    def read(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content.read_bytes()

    @property
    def digest(self) -> tuple[str, int]:
        """The MD5 of its content in hexadecimal, and its size in bytes."""
        body = self.read()
        return hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body)

    @property
    def content_type(self) -> str:
        return content_type(self.name)

    @property
    def cache_control(self) -> str:
        """How long copies may be used without asking again."""
        return RENEWED[0 if self.name.endswith(".html") or self.name in (CONFIG, CONFIG_SCRIPT) else 1]


def pages(ctx: Context[SiteParams]) -> dict[str, Page]:
    """Every file of the site by its name; templates are rendered, not copied."""
    folders = [ctx.files.path(name) for name in (ctx.params.shared, ctx.params.source) if name is not None]
    found = [(name, folder / name) for folder in folders for name in files_below(folder) if name.suffix != TEMPLATE]
    copied = {name.as_posix(): Page(name.as_posix(), path) for name, path in found}
    return {**copied, **{name: Page(name, text) for name, text in configuration(ctx).items()}}


def configuration(ctx: Context[SiteParams]) -> dict[str, str]:
    """The rendered files by name: the JSON, and the same for pages that were opened from a folder."""
    source = template(ctx)
    text = ctx.files.render(source, ctx.variables)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DefinitionError(
            what=f"{source} does not render to JSON: {error}", fix="Correct the template", where=source
        ) from error
    return configured(content)


def configured(content: Any) -> dict[str, str]:
    """The files that hold a configuration, by name."""
    pretty = json.dumps(content, indent=2, ensure_ascii=False)
    # "</script>" cannot occur inside a script file that is loaded by its address, so no escaping is needed here.
    return {CONFIG: f"{pretty}\n", CONFIG_SCRIPT: f"window.{GLOBAL_NAME} = {pretty}\n;\n"}


def template(ctx: Context[SiteParams]) -> str:
    """The name of the template of the configuration."""
    beside = PurePosixPath(ctx.params.source) / ctx.params.config
    inside = (ctx.files.path(ctx.params.source) / ctx.params.config).is_file()
    return str(beside) if inside else ctx.params.config


def sources(params: SiteParams) -> list[str]:
    """The folders, as words."""
    return [params.source] if params.shared is None else [params.source, "and", params.shared]


def files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, relative to it."""
    return (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
