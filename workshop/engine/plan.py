"""The graph of a workshop: which node waits for which.

In: a definition and the places of its steps in each account. Out: a plan; nothing is read and nothing is called. A node is one
step in one account and one region. Steps with no `needs` between them have no edge, so they run at the same time; the replicas of
one step follow each other, because AWS takes one replica change at a time (docs/aws-behaviours.md, section 1.4).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from graphlib import TopologicalSorter

from workshop.definition.model import Definition, StepSpec
from workshop.definition.placement import GLOBAL, Places
from workshop.errors import UsageError
from workshop.steps.base import Estimate, Placement
from workshop.steps.registry import kinds

__all__ = ["GLOBAL", "Node", "NodeKey", "Plan", "build", "estimate_of"]


@dataclass(frozen=True, slots=True, order=True)
class NodeKey:
    """What tells one node from all others, of hundreds of accounts too."""

    account: str
    step: str
    region: str
    several: bool = field(default=False, compare=False, repr=False)
    """Whether its plan is for several accounts, so that its name has to show which."""

    def __str__(self) -> str:
        return f"{self.step} ({self.region}, {self.account})" if self.several else f"{self.step} ({self.region})"


@dataclass(frozen=True, slots=True)
class Node:
    """One step in one account and region, and the nodes that must be done before it."""

    key: NodeKey
    module: str
    spec: StepSpec
    needs: frozenset[NodeKey]
    former: bool = False
    """Not part of a setup with these settings: its step is switched off, or runs in another region. It is only looked for, to
    show and remove what an earlier setup made."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Nodes in an order that respects their needs."""

    nodes: tuple[Node, ...]

    def reversed(self) -> Plan:
        """The same graph for taking down: what was needed now waits for what needed it."""
        dependents: dict[NodeKey, set[NodeKey]] = {node.key: set() for node in self.nodes}
        for node in self.nodes:
            for need in node.needs:
                dependents[need].add(node.key)
        return Plan(tuple(replace(node, needs=frozenset(dependents[node.key])) for node in reversed(self.nodes)))

    def select(self, wanted: Callable[[Node], bool]) -> Plan:
        """The wanted nodes alone. What needed one that is left out needs what that one needed: it is taken as met, and what was
        to come before it still comes before them."""
        kept = {node.key for node in self.nodes if wanted(node)}
        inherited: dict[NodeKey, frozenset[NodeKey]] = {}
        found: list[Node] = []
        for node in self.nodes:  # needs come first
            needs = frozenset(
                each for need in node.needs for each in ({need} if need in kept else inherited.get(need, frozenset()))
            )
            if node.key in kept:
                found.append(replace(node, needs=needs))
            else:
                inherited[node.key] = needs
        return Plan(tuple(found))

    def minutes(self, cost: Callable[[Node], float]) -> float:
        """The length of the longest chain, when each node takes `cost` minutes."""
        done: dict[NodeKey, float] = {}
        for node in self.nodes:
            done[node.key] = cost(node) + max((done[need] for need in node.needs), default=0.0)
        return max(done.values(), default=0.0)


def estimate_of(spec: StepSpec) -> Estimate:
    """What a step takes and costs in one place: what its kind estimates, with the author's own minutes where given."""
    estimate = kinds()[spec.kind].estimate
    return estimate if spec.minutes is None else replace(estimate, minutes=spec.minutes)


def build(definition: Definition, places: Mapping[str, Places], *, through: str | None = None, former: bool = False) -> Plan:
    """The plan for some accounts, each with its own places, up to and including the module `through`.

    `places` are by account. What is switched off is left out, and what needs it waits for what it needed; with `former` it is
    there and marked. Raises `UsageError` for a module that does not exist.
    """
    modules = list(definition.module_names())
    if through is not None and through not in modules:
        raise UsageError(
            what=f"There is no module {through!r} in {definition.name}.",
            fix=f"Modules: {', '.join(modules)}",
            code="UnknownModule",
        )
    kept = modules[: modules.index(through) + 1] if through else modules
    specs = [spec for spec in definition.steps() if definition.module_of(spec.id) in kept]
    nodes: dict[NodeKey, Node] = {}
    for account, own in places.items():
        for spec in specs:
            for node in _nodes(definition, spec, own, partial(NodeKey, account, several=len(places) > 1)):
                nodes[node.key] = node
    whole = Plan(tuple(nodes[key] for key in _ordered(nodes)))
    return whole if former else whole.select(lambda node: not node.former)


def _ordered(nodes: Mapping[NodeKey, Node]) -> Iterator[NodeKey]:
    """The keys so that needs come first and, where needs leave a choice, in the order of the definition."""
    position = {key: number for number, key in enumerate(nodes)}
    sorter = TopologicalSorter({key: node.needs for key, node in nodes.items()})
    sorter.prepare()
    ready: list[tuple[int, NodeKey]] = []
    while sorter.is_active():
        for key in sorter.get_ready():
            heapq.heappush(ready, (position[key], key))
        _, first = heapq.heappop(ready)
        yield first
        sorter.done(first)


def _nodes(definition: Definition, spec: StepSpec, places: Places, key: Callable[[str, str], NodeKey]) -> list[Node]:
    nodes: list[Node] = []
    before = places.former.get(spec.id, ())
    for place in (*places.of(spec), *before):
        needs = {
            key(need, region)
            for need in spec.needs
            for region in (*places.needed(definition.step(need), spec, place), *places.former.get(need, ()))
        }
        if spec.placement is Placement.REPLICAS and nodes:
            needs.add(nodes[-1].key)
        former = spec.id in places.off or place in before
        nodes.append(Node(key(spec.id, place), definition.module_of(spec.id), spec, frozenset(needs), former))
    return nodes
