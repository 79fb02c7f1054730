"""What a workshop brings of its author's: the list that every plan shows, and that is confirmed before a first run.

In: a workspace. Out: one entry for each thing, with the step and the regions that bring it. No call is made, and the list is
the same before and after a setup: outputs of steps are placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workshop.definition.placeholders import (
    PLACEHOLDER_SIGNIN,
    PlaceholderApis,
    PlaceholderNames,
    PlaceholderOutputs,
    PlaceholderSignin,
)
from workshop.engine.plan import Node
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import DefinitionError
from workshop.steps.base import Brought

__all__ = ["OWN_API", "Brings", "brought", "unlisted"]

COUNTED = "resources"
OWN_HOST = "own-api"
OWN_API = f"http://{OWN_HOST}/"
"""In the list, the address of the API that the workshop itself makes."""


@dataclass(frozen=True, slots=True)
class Brings:
    """One entry of the list. Name and detail are the definition's texts: foreign."""

    step: str
    kind: str
    name: str
    detail: str
    regions: tuple[str, ...]


def brought(workspace: Workspace) -> tuple[Brings, ...]:
    """Everything that the steps bring, in the order of the plan. Raises `DefinitionError` when a template cannot be rendered.

    A template may depend on outputs that do not exist yet, so each is rendered twice: with a placeholder for every output,
    and with every output empty; what shows in one of the two is listed.
    """
    contexts = Contexts(workspace, lambda _: None)
    found: dict[tuple[str, Brought], list[str]] = {}
    known: set[tuple[str, str, str, str]] = set()
    for node in workspace.plan().nodes:
        for each in _with_placeholders(contexts, node):
            known.add((node.key.step, node.key.region, each.kind, each.name))
            found.setdefault((node.key.step, each), []).append(node.key.region)
        for each in _with_nothing(contexts, node):
            if (node.key.step, node.key.region, each.kind, each.name) not in known:
                found.setdefault((node.key.step, each), []).append(node.key.region)
    return tuple(
        Brings(step, each.kind, each.name, each.detail, tuple(dict.fromkeys(regions))) for (step, each), regions in found.items()
    )


def unlisted(contexts: Contexts, node: Node, found: Iterable[Brought], listed: Iterable[Brings]) -> list[Brought]:
    """What a step brings, rendered with real outputs, and the list did not show, because the template depends on an output.

    Outputs themselves are left out of the comparison on both sides. Plain resources count for nothing here: they are listed by
    number only.
    """
    account = node.key.account
    values = {value for outputs in contexts.outputs.values() for value in outputs.values() if value}
    values |= {api[name] for api in contexts.apis(account).values() for name in ("url", "path_url", "host")}
    values |= {origin(value) for value in values for origin in (contexts.workspace.target.origin, "https://{}".format)}
    values |= set(contexts.made(account)["signin"].values())
    values |= {address for name in contexts.names(account).values() for address in name.values() if address}
    steps = "|".join(re.escape(spec.id) for spec in contexts.workspace.workshop.definition.steps())
    own_places = rf"{re.escape(OWN_API)}|{OWN_HOST}|{re.escape(PLACEHOLDER_SIGNIN)}[a-z_]+|http://127\.0\.0\.1/"
    placeholder = re.compile(rf"{own_places}|(?:https://)?(?:{steps})-[A-Za-z0-9]+")

    def real(text: str) -> str:
        for value in sorted(values, key=len, reverse=True):
            text = text.replace(value, "")
        return placeholder.sub("", text)

    own = [each for each in listed if each.step == node.key.step]
    shown = {(each.kind, placeholder.sub("", each.name), placeholder.sub("", each.detail)) for each in own}
    shown |= {(kind, real(name), real(detail)) for kind, name, detail in shown}
    return [each for each in found if each.kind != COUNTED and (each.kind, real(each.name), real(each.detail)) not in shown]


def _with_placeholders(contexts: Contexts, node: Node) -> Iterator[Brought]:
    workspace = contexts.workspace
    outputs = PlaceholderOutputs(workspace.workshop.definition, workspace.places(node.key.account))
    definition = workspace.workshop.definition
    apis = _OwnApis(outputs) if definition.apis else {}
    names = _OwnNames(outputs) if definition.names else {}
    seen = {**contexts.variables(node), "steps": outputs, "apis": apis, "names": names}
    signin = PlaceholderSignin(outputs, seen) if definition.signin else {}
    step, ctx = contexts.context(node, outputs={"steps": outputs, "apis": apis, "names": names, "signin": signin})
    yield from step.brings(ctx)


def _with_nothing(contexts: Contexts, node: Node) -> list[Brought]:
    try:
        step, ctx = contexts.context(node, missing="blank")
        return step.brings(ctx)
    except DefinitionError:
        return []  # a name made of outputs alone is empty, for one


class _OwnApis(PlaceholderApis):
    """An address that is the same in each region, so that what calls it is one entry."""

    def __getitem__(self, region: str) -> Mapping[str, Any]:
        return {**super().__getitem__(region), "host": OWN_HOST, "url": OWN_API, "path_url": OWN_API}


class _OwnNames(PlaceholderNames):
    """The same for the names that DNS routes to it."""

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return {**super().__getitem__(name), "host": OWN_HOST, "url": OWN_API}
