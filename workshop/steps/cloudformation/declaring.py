"""Which stacks of a workshop have a resource of a type: by a look at the text of their templates.

In: a step's context and a type. Out: the stacks' names. A template is not filled in for it, so that the look needs no output of
an earlier step; one that a branch leaves out counts too.
"""

from __future__ import annotations

from typing import Any

from workshop.errors import DefinitionError
from workshop.steps.base import Context

__all__ = ["stacks_declaring"]

STACK = "cloudformation.stack"


def stacks_declaring(ctx: Context[Any], kind: str) -> list[str]:
    """The names of the workshop's stacks whose templates name the type `kind`, as in `AWS::S3::Bucket`."""
    found = []
    for settings in ctx.others(STACK):
        try:
            text = ctx.files.path(str(settings["template"])).read_text(encoding="utf-8", errors="replace")
        except (DefinitionError, OSError):
            continue  # the stack's own step reports it
        if kind in text:
            found.append(str(settings["name"]))
    return found
