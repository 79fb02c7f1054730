"""Makes foreign things ours where a person agreed to it by name.

In: what was observed of the nodes, and what a person agreed to. Out: the nodes as they are after their things were tagged. What
was not agreed to, or was replaced since, stays as it is and stops its node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.engine.observe import NodeState
from workshop.engine.plan import Node
from workshop.errors import WorkshopError
from workshop.steps.base import Context, Observed, Resource, State, Step

__all__ = ["Adoption", "adopt", "adoptions", "foreign"]


@dataclass(frozen=True, slots=True)
class Adoption:
    """One foreign thing of an account that may become ours."""

    account: str
    resource: Resource

    @property
    def identity(self) -> tuple[str, ...]:
        """What is equal until the thing is replaced."""
        return (self.account, *self.resource.identity, self.resource.created)


def adoptions(points: Sequence[NodeState]) -> list[Adoption]:
    """What is in the way of these nodes and can be adopted, each once."""
    found = [Adoption(point.node.key.account, each) for point in points for each in point.observed.foreign if each.adoption]
    return list({each.identity: each for each in found}.values())


async def adopt(
    node: Node,
    step: Step[Any],
    ctx: Context[Any],
    observed: Observed,
    agreed: Collection[Adoption],
    intend: Callable[[], None],
) -> Observed:
    """What is observed of a foreign node after everything in its way was adopted.

    `intend` is called before the first change. Raises `WorkshopError` when something in its way was not agreed to.
    """
    wanted = {each.identity for each in agreed}
    mine = [Adoption(node.key.account, resource) for resource in observed.foreign]
    if not mine or any(not each.resource.adoption or each.identity not in wanted for each in mine):
        raise foreign(node, observed)
    intend()
    for each in mine:
        await step.adopt(ctx, each.resource)
    again = await step.observe(ctx)
    if again.state is State.FOREIGN or not again.ours:
        raise foreign(node, again)
    return again


def foreign(node: Node, observed: Observed) -> WorkshopError:
    """The error of a node that something foreign is in the way of."""
    return WorkshopError(
        what=f"{node.key}: something that this workshop did not make is in the way.",
        why=observed.detail,
        fix=observed.fix,
        code="Foreign",
    )
