"""Placeholders for `steps` and `apis` before anything exists: every step has every output, every API an address.

In: a definition and the settings of a run. Out: mappings for templates, which record what was read, by step and region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workshop.definition.model import Definition
from workshop.definition.parameters import Settings
from workshop.definition.placement import by_region, node_regions
from workshop.definition.problem import closest
from workshop.errors import DefinitionError

__all__ = ["PlaceholderApis", "PlaceholderOutputs"]


class PlaceholderOutputs(Mapping[str, Any]):
    """`steps`, in which every step has every output. `read` collects the steps that were read, each with a region."""

    def __init__(self, definition: Definition, settings: Settings) -> None:
        self.definition, self.settings = definition, settings
        self.read: set[tuple[str, str]] = set()

    def __getitem__(self, step_id: str) -> Mapping[str, Any]:
        for step in self.definition.steps():
            if step.id == step_id:
                regions = node_regions(step.placement, self.settings.regions)
                if by_region(step.placement):
                    return {region: PlaceholderStep(self.read, step_id, region) for region in regions}
                return PlaceholderStep(self.read, step_id, regions[0])
        raise DefinitionError(
            what=f"The template reads steps.{step_id}, and there is no such step.",
            fix=closest(step_id, [step.id for step in self.definition.steps()]),
        )

    def __iter__(self) -> Iterator[str]:
        return iter([step.id for step in self.definition.steps()])

    def __len__(self) -> int:
        return len(self.definition.steps())


class PlaceholderApis(Mapping[str, Any]):
    """`apis`: an address for every region in which the step of the APIs runs."""

    def __init__(self, outputs: PlaceholderOutputs) -> None:
        self.outputs = outputs

    def __getitem__(self, region: str) -> Mapping[str, str]:
        step, regions = self._made_by()
        if region not in regions:
            raise KeyError(region)
        self.outputs.read.add((step, region))
        return {"url": "http://127.0.0.1/api/", "path_url": "http://127.0.0.1/api/"}

    def __iter__(self) -> Iterator[str]:
        return iter(self._made_by()[1])

    def __len__(self) -> int:
        return len(self._made_by()[1])

    def _made_by(self) -> tuple[str, tuple[str, ...]]:
        """The step whose output is the id of the API, and its regions; none when there is no such step."""
        definition = self.outputs.definition
        if definition.apis is None:
            raise DefinitionError(
                what="The template reads apis, and the definition names none.",
                fix="Add, for example, apis: {step: api, stage: api}",
            )
        for step in definition.steps():
            if step.id == definition.apis.step:
                return step.id, node_regions(step.placement, self.outputs.settings.regions)
        return definition.apis.step, ()


class PlaceholderStep(Mapping[str, str]):
    """Every output of one step in one region, whatever its name."""

    def __init__(self, read: set[tuple[str, str]], step: str, region: str) -> None:
        self.read, self.step, self.region = read, step, region

    def __getitem__(self, name: str) -> str:
        if name in ("items", "keys", "values", "get"):
            raise KeyError(name)
        self.read.add((self.step, self.region))
        return "http://127.0.0.1/" if "url" in name.lower() else f"{self.step}-{name}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
