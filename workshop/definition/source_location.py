"""Where a part of a definition is written down, so that an error about it can name file, line and field."""

from __future__ import annotations

from dataclasses import dataclass

from workshop.definition.renderer import Renderer
from workshop.definition.yamlfile import Document, FieldPath

__all__ = ["SourceLocation"]


@dataclass(frozen=True, eq=False)
class SourceLocation:
    """A place in a document, and what fills in its templates."""

    document: Document
    base: FieldPath
    renderer: Renderer

    def where(self, *field: str | int) -> str:
        """`file:line` of a field below this place."""
        return self.document.where((*self.base, *field))

    def dotted(self, *field: str | int) -> str:
        """The dotted name of a field below this place."""
        return self.document.dotted((*self.base, *field))
