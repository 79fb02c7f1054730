"""What all parts of the form of a `workshop.yaml` have in common.

In: plain values. Out: frozen models that refuse unknown fields; the larger parts know where they are defined.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from workshop.definition.source_location import SourceLocation

__all__ = ["Form", "Located"]


class Form(BaseModel):
    """A part of a definition."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_alias=True, validate_by_name=True)


class Located(Form):
    """A part of a definition that knows where it is defined."""

    _location: SourceLocation | None = PrivateAttr(default=None)

    @property
    def location(self) -> SourceLocation | None:
        """Where it is defined; None for one made in code."""
        return self._location

    def located_at(self, location: SourceLocation) -> Self:
        """The same with its location."""
        located = self.model_copy()
        located._location = location
        return located
