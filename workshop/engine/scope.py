"""What a line of the journal, a lock or a pending undo belongs to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """One workshop on one target in one account."""

    workshop: str
    target: str
    account: str
