"""Where a part of a definition is in its file, so that an error about it names file, line and field.

In: a document and a path of fields. Out: `file:line` and dotted names.
"""

from __future__ import annotations

from dataclasses import dataclass

from workshop.definition.renderer import Renderer
from workshop.definition.yamlfile import Document, FieldPath

__all__ = ["SourceLocation"]


@dataclass(frozen=True, eq=False)
class SourceLocation:
    """A part of a document, and the renderer of its templates."""

    document: Document
    base: FieldPath
    renderer: Renderer

    def where(self, *field: str | int) -> str:
        """`file:line` of a field below this place."""
        return self.document.where((*self.base, *field))

    def dotted(self, *field: str | int) -> str:
        """The dotted name of a field below this place."""
        return self.document.dotted((*self.base, *field))
