"""Step kinds that do nothing, and workshops on disk, for the tests of the definition room."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from workshop.definition.loader import Workshop, load
from workshop.steps.base import Estimate, Params, Placement, Step
from workshop.steps.settings import DataFile, Folder, TemplateFile

HEAD = """\
name: films
title: Films in two regions
regions: [us-west-2, eu-west-1]
parameters:
  table: {default: films, pattern: '[a-z]{3,9}'}
modules:
  - name: backend
    title: The backend
    steps:
"""


class TableParams(Params):
    name: str = Field(min_length=3)
    keys: dict[str, Literal["S", "N", "B"]]
    stream: bool = False


class ItemsParams(Params):
    table: str
    file: Annotated[str, DataFile()]


class StackParams(Params):
    name: str
    template: Annotated[str, TemplateFile("yaml or json")]
    parameters: dict[str, str] = Field(default_factory=dict)


class SiteParams(Params):
    source: Annotated[str, Folder()]
    config: Annotated[str, TemplateFile("json", inside="source")] = "config.json.j2"


class CheckParams(Params):
    url: str
    expect: dict[str, str] = Field(default_factory=dict)
    deadline: float = 120


class Inert(Step[Any]):
    """A kind that is only looked at."""

    summary = "a kind for tests"
    estimate = Estimate(minutes=0)

    def __init__(self, kind: str, params: type[Params], *placements: Placement) -> None:
        self.kind, self.Params = kind, params
        self.placements = frozenset(placements or Placement)

    async def observe(self, ctx):
        raise NotImplementedError

    async def create(self, ctx):
        raise NotImplementedError

    async def destroy(self, ctx):
        raise NotImplementedError

    async def leftovers(self, ctx):
        raise NotImplementedError

    def commands(self, ctx):
        raise NotImplementedError

    def permissions(self, ctx):
        raise NotImplementedError


KINDS = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            Inert("dynamodb.table", TableParams, Placement.HOME),
            Inert("dynamodb.items", ItemsParams, Placement.HOME),
            Inert("cloudformation.stack", StackParams),
            Inert("web.site", SiteParams, Placement.GLOBAL),
            Inert("http.check", CheckParams),
        )
    }
)


def write(folder: Path, text: str, **files: str) -> Path:
    """A definition in `folder` with files beside it; a dot in a file's name is written as two underscores."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    path = folder / "workshop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def steps(*lines: str) -> str:
    """A definition with one module of these steps, one per line from line 10 on."""
    return HEAD + "".join(f"      - {line}\n" for line in lines)


def workshop(folder: Path, text: str, **files: str) -> Workshop:
    """The loaded workshop of that text."""
    return load(str(write(folder, text, **files)), KINDS)
