"""Placeholders for outputs before anything exists: every step has every output, every API an address.

In: a definition and the places of its steps. Out: mappings for templates, which record what was read, by step and region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workshop.definition.model import ApiSpec, Definition, NameSpec, StepSpec
from workshop.definition.placement import Places, by_region
from workshop.definition.problem import closest
from workshop.definition.signin import MEMBERS, signin_texts
from workshop.errors import DefinitionError

__all__ = ["PLACEHOLDER_SIGNIN", "PlaceholderApis", "PlaceholderNames", "PlaceholderOutputs", "PlaceholderSignin", "placeholders"]


PLACEHOLDER_SIGNIN = "https://signin.example.localhost/"
"""What every member of `signin` begins with."""


def placeholders(outputs: PlaceholderOutputs, plan: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What templates see of the steps that are done, by variable; `plan` is what they see before the first step."""
    made: dict[str, Mapping[str, Any]] = {"steps": outputs, "apis": PlaceholderApis(outputs), "names": PlaceholderNames(outputs)}
    return {**made, "signin": PlaceholderSignin(outputs, {**plan, **made})}


class PlaceholderOutputs(Mapping[str, Any]):
    """`steps`, in which every step that is not switched off has every output.

    `read` collects the steps that were read, each with a region.
    """

    def __init__(self, definition: Definition, places: Places) -> None:
        self.definition, self.places = definition, places
        self.read: set[tuple[str, str]] = set()

    def __getitem__(self, step_id: str) -> Mapping[str, Any]:
        for step in self.definition.steps():
            if step.id == step_id:
                regions = self.regions(step)
                if not regions:
                    return PlaceholderOff(step_id)
                if by_region(step.placement):
                    return {region: PlaceholderStep(self.read, step_id, region) for region in regions}
                return PlaceholderStep(self.read, step_id, regions[0])
        raise DefinitionError(
            what=f"The template reads steps.{step_id}, and there is no such step.",
            fix=closest(step_id, [step.id for step in self.definition.steps()]),
        )

    def regions(self, step: StepSpec) -> tuple[str, ...]:
        """The regions that a step runs in; none for one that is switched off."""
        return () if step.id in self.places.off else self.places.of(step)

    def __iter__(self) -> Iterator[str]:
        return iter([step.id for step in self.definition.steps()])

    def __len__(self) -> int:
        return len(self.definition.steps())


class PlaceholderApis(Mapping[str, Any]):
    """`apis`: an address for every region in which a step of the APIs runs."""

    def __init__(self, outputs: PlaceholderOutputs) -> None:
        self.outputs = outputs

    def __getitem__(self, region: str) -> Mapping[str, str]:
        step, spec = self._made_by()[region], self._spec()
        self.outputs.read.add((step, region))
        api, url = f"{step}-{spec.output}", "http://127.0.0.1/api/"
        host = f"{api}.execute-api.{region}.localhost"
        return {"url": url, "path_url": url, "host": host, "id": api, "stage": spec.stage}

    def __iter__(self) -> Iterator[str]:
        return iter(self._made_by())

    def __len__(self) -> int:
        return len(self._made_by())

    def _made_by(self) -> dict[str, str]:
        """The regions that have an API, each with the step that makes it there."""
        found: dict[str, str] = {}
        for name in reversed(self._spec().made_by):  # of two in one region the first counts
            for step in (step for step in self.outputs.definition.steps() if step.id == name):
                found |= dict.fromkeys(self.outputs.regions(step), name)
        return found

    def _spec(self) -> ApiSpec:
        spec = self.outputs.definition.apis
        if spec is None:
            raise DefinitionError(
                what="The template reads apis, and the definition names none.",
                fix="Add, for example, apis: {step: api, stage: api}",
            )
        return spec


class PlaceholderNames(Mapping[str, Any]):
    """`names`: a host and an address for every name of the definition."""

    def __init__(self, outputs: PlaceholderOutputs) -> None:
        self.outputs = outputs

    def __getitem__(self, name: str) -> Mapping[str, str]:
        spec = self._specs()[name]
        for step in (step for step in self.outputs.definition.steps() if step.id == spec.step):
            if not self.outputs.regions(step):
                raise KeyError(name)
            self.outputs.read.add((step.id, self.outputs.regions(step)[0]))
        return {"host": f"{name}.example.localhost", "url": f"http://{name}.example.localhost/"}

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs())

    def __len__(self) -> int:
        return len(self._specs())

    def _specs(self) -> Mapping[str, NameSpec]:
        if not self.outputs.definition.names:
            raise DefinitionError(
                what="The template reads names, and the definition lists none.",
                fix="Add, for example, names: {api: {step: records}}",
            )
        return self.outputs.definition.names


class PlaceholderSignin(Mapping[str, Any]):
    """`signin`: reading a member of it reads every output that the block is made of."""

    def __init__(self, outputs: PlaceholderOutputs, variables: Mapping[str, Any]) -> None:
        self.outputs, self.variables = outputs, variables

    def __getitem__(self, name: str) -> str:
        spec = self.outputs.definition.signin
        if spec is None:
            raise DefinitionError(
                what="The template reads signin, and the definition has no such block.",
                fix="Describe where people sign in: signin: {pool: ..., client: ..., host: ..., redirect: ...}",
            )
        if name not in MEMBERS:
            raise KeyError(name)
        signin_texts(spec, {**self.variables, "region": self.variables["home"]})
        return PLACEHOLDER_SIGNIN + name

    def __iter__(self) -> Iterator[str]:
        return iter(MEMBERS)

    def __len__(self) -> int:
        return len(MEMBERS)


class PlaceholderOff(Mapping[str, Any]):
    """A step that is switched off: it has no output, and reading one is an error that shows here and not in a setup."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __getitem__(self, name: str) -> Any:
        raise DefinitionError(
            what=f"The template reads an output of '{self.step}', which is switched off here.",
            fix="Read it under the same condition: {{ VALUE if CONDITION else OTHER }}.",
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


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
