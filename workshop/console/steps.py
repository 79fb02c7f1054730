"""How the steps of a workshop look: listed, and one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.style import print_table, stream
from workshop.definition.model import Definition, StepSpec
from workshop.engine.plan import Node, estimate_of
from workshop.shell import command_line
from workshop.steps.base import Context, Step
from workshop.steps.registry import kinds

__all__ = ["print_step", "print_steps", "step_document", "steps_document"]


def steps_document(definition: Definition) -> None:
    """The JSON document of `step list`."""
    steps = [_listed(definition, spec) for spec in definition.steps()]
    print_document("step list", True, {"workshop": definition.name, "steps": steps})


def print_steps(definition: Definition) -> None:
    """The steps by module, in the order of the definition."""
    console = stream()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for title in ("step", "in", "kind", "needs", "what"):
        table.add_column(title, overflow="fold", no_wrap=title == "kind")
    for module in definition.modules:
        table.add_row(f"[bold]{escape(module.name)}[/]", "", "", "", f"[bold]{escape(module.title)}[/]")
        for spec in module.steps:
            table.add_row(f"  {escape(spec.id)}", spec.place, spec.kind, ", ".join(spec.needs), escape(_title(spec)))
    print_table(console, table)


def step_document(nodes: Sequence[Node], kind: Step[Any], ctx: Context[Any]) -> None:
    """The JSON document of `step show`."""
    spec = nodes[0].spec
    print_document(
        "step show",
        True,
        {
            "id": spec.id,
            "title": _title(spec),
            "kind": kind.kind,
            "module": nodes[0].module,
            "in": spec.place,
            "regions": [node.key.region for node in nodes],
            "needs": list(spec.needs),
            "with": ctx.params.model_dump(),
            "minutes": estimate_of(spec).minutes,
            "usd": estimate_of(spec).usd,
        },
    )


def print_step(nodes: Sequence[Node], kind: Step[Any], ctx: Context[Any]) -> None:
    """One step for people."""
    console, spec = stream(), nodes[0].spec
    console.print(f"[bold]{escape(spec.id)}[/]  {escape(_title(spec))}")
    rows = [
        ("kind", f"{spec.kind}: {kind.summary}"),
        ("module", nodes[0].module),
        ("runs in", ", ".join(node.key.region for node in nodes)),
        ("needs", ", ".join(spec.needs) or "nothing"),
        ("takes", f"about {estimate_of(spec).minutes:g} minutes on AWS"),
        *((f"with {name}", str(value)) for name, value in ctx.params.model_dump().items()),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.print(f"  {name:<{width}}  {value}", markup=False, soft_wrap=True)
    console.print(
        f"The lines that a person would type: [bold]{escape(command_line(ctx.again('explain', spec.id)))}[/]", soft_wrap=True
    )


def _listed(definition: Definition, spec: StepSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": _title(spec),
        "kind": spec.kind,
        "module": definition.module_of(spec.id),
        "in": spec.place,
        "needs": list(spec.needs),
    }


def _title(spec: StepSpec) -> str:
    return spec.title or kinds()[spec.kind].summary
