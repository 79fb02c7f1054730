"""The workshop itself: its definition, its templates, its data, and their sizes. In: files. Out: findings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from workshop.checks.base import Check, Family, Finding, failed, passed, warned
from workshop.checks.context import CheckContext, PlannedStep
from workshop.definition.secrets import store_name
from workshop.errors import DefinitionError
from workshop.shell import command_line
from workshop.steps.base import Permission, Phase
from workshop.steps.declarations import RenderedLimit
from workshop.steps.settings import named_files

__all__ = ["FAMILY", "Parameters", "Secrets", "SoundDefinition", "StepFiles"]

FULL = 0.9
"""The share of AWS's limit above which a size is a warning."""


class SoundDefinition(Check):
    """The definition has no problems."""

    name = "sound"
    title = "The definition is sound"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        problems = self.context.problems
        if not problems:
            return passed(f"{self.context.workshop}, {len({planned.ctx.step for planned in self.context.planned_steps})} steps")
        first = problems[0]
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        where = f"{first.place}: {first.field}: " if first.field else f"{first.place}: "
        lint = command_line(["workshop", "definition", "lint", self.context.source])
        return failed(f"{where}{first.what}{more}", first.fix or lint)


class Parameters(Check):
    """Every parameter that belongs to those that are given is given, too."""

    name = "parameters"
    title = "The parameters that belong together are given"
    needs_credentials: ClassVar[bool] = False

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One, where the values of some parameters ask for others."""
        return [cls(context)] if context.required else []

    async def run(self) -> Finding:
        for error in self.context.required.values():
            if error is not None:
                return failed(f"{error.what} {error.why}".strip(), error.fix)
        return passed(", ".join(self.context.required))


class Secrets(Check):
    """Every secret that a setup needs is given."""

    name = "secrets"
    title = "The secrets are given"

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One, for a workshop that has secrets."""
        return [cls(context, context.home)] if context.secrets else []

    async def run(self) -> Finding:
        for error in self.context.secrets.values():
            if error is not None:
                return failed(f"{error.what} {error.why}".strip(), error.fix)
        return passed(", ".join(self.context.secrets))

    def permissions(self) -> list[Permission]:
        store = f"arn:aws:ssm:{self.region}:{self.context.account}:parameter"
        return [
            Permission("ssm:GetParameter", store + store_name(self.context.workshop, name), self.region, phase)
            for name in self.context.secrets
            for phase in (Phase.CHECK, Phase.SETUP, Phase.TEARDOWN)
        ]


@dataclass(frozen=True)
class StepFiles(Check):
    """The files of one step can be read, are right, and fit."""

    planned: PlannedStep = field(kw_only=True)

    name = "files"
    title = "Files"
    needs_credentials: ClassVar[bool] = False
    deadline: ClassVar[float] = 60.0

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One for each step that has files, whatever the number of its regions."""
        seen: dict[str, PlannedStep] = {}
        for planned in context.planned_steps:
            if _named(planned):
                seen.setdefault(planned.ctx.step, planned)
        return [cls(context, planned=planned) for planned in seen.values()]

    @property
    def id(self) -> str:
        return f"{self.family}.{self.planned.ctx.step}"

    @property
    def heading(self) -> str:
        return f"The files of step {self.planned.ctx.step}"

    async def run(self) -> Finding:
        step, ctx = self.planned.step, self.planned.ctx
        await asyncio.to_thread(step.check_files, ctx)
        if step.rendered_limit is not None:
            return self._size_of(step.rendered_limit, len((step.rendered(step.rendered_limit.part, ctx) or "").encode()))
        files = self._files()
        total = sum(path.stat().st_size for path in files)
        return passed(f"{', '.join(_named(self.planned))}: {_count(len(files), 'file')}, {_size(total)}")

    def _size_of(self, limit: RenderedLimit, size: int) -> Finding:
        shown = f"{_named(self.planned)[0]}: {size:,} of {limit.most_bytes:,} bytes"
        return warned(f"{shown}: little room is left.", limit.fix) if size > limit.most_bytes * FULL else passed(shown)

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for name in _named(self.planned):
            try:
                path = self.planned.ctx.files.path(name)
            except DefinitionError:
                continue  # a configuration beside its site's pages is counted with them
            found += [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        return sorted(set(found))


def _named(planned: PlannedStep) -> list[str]:
    """The files and folders that the settings of a step name."""
    return [name for setting in named_files(type(planned.ctx.params)) if (name := getattr(planned.ctx.params, setting))]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _size(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


FAMILY = Family("definition", "Definition and data", (SoundDefinition, Parameters, Secrets, StepFiles))
