"""Plans made by hand, and work that only takes time, for the tests of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from workshop.definition.model import Definition, ModuleSpec, StepSpec
from workshop.engine.plan import Node, NodeKey, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.errors import WorkshopError

__all__ = ["Work", "definition", "failure", "key", "plan", "step"]


def step(name: str, place: str = "home", *needs: str) -> StepSpec:
    """A step of some kind."""
    return StepSpec(id=name, kind="dynamodb.table", place=place, needs=needs)


def definition(**modules: list[StepSpec]) -> Definition:
    """A workshop with these modules."""
    return Definition(
        name="films",
        title="Films",
        regions=("us-west-2", "eu-west-1"),
        modules=tuple(ModuleSpec(name=name, title=name, steps=tuple(steps)) for name, steps in modules.items()),
    )


def key(name: str, region: str = "home") -> NodeKey:
    """The key of a node of the one account."""
    return NodeKey("1", name, region)


def plan(**needs: str) -> Plan:
    """Nodes by name, each with the names that it needs, in the order given: `plan(a="", b="a")`."""
    return Plan(
        tuple(
            Node(key(name), "module", step(name), frozenset(key(need) for need in each.split())) for name, each in needs.items()
        )
    )


@dataclass
class Work:
    """Does nothing for some seconds; remembers when nodes began and ended, and fails where it is told to."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    failures: Mapping[str, Exception] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    async def __call__(self, node: Node) -> NodeResult:
        loop, name = asyncio.get_running_loop(), node.key.step
        self.began[name] = loop.time()
        await asyncio.sleep(self.seconds.get(name, 1.0))
        self.ended[name] = loop.time()
        if name in self.failures:
            raise self.failures[name]
        return NodeResult(node, Outcome.CREATED, outputs={"Name": name})


def failure(what: str) -> WorkshopError:
    """An understood failure."""
    return WorkshopError(what, code=what)
