"""What a check is, and what it answers.

A check looks at one thing, in one region or in none, and answers a `Finding`. It changes nothing, prints nothing, and knows
nothing of the others; what it may rely on (a caller, a region that is enabled) has been settled before it is asked.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from workshop.aws.errors import AwsError
from workshop.checks.context import CheckContext
from workshop.steps.base import Permission

__all__ = ["Check", "Finding", "Key", "Result", "Status", "failed", "passed", "refused", "skipped", "warned"]

Key = tuple[str, str]
"""A check's id and its region: what tells it from all others."""


class Status(enum.StrEnum):
    """What a check came to, from good to bad; `crash` is a defect of the check itself."""

    PASS = "pass"  # noqa: S105 - no password
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: what was seen, and for `warn` and `fail` the command or decision that helps."""

    status: Status
    detail: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A finding with the check that made it. `region` is empty for what belongs to none; `seconds` is how long it took."""

    id: str
    family: str
    region: str
    title: str
    finding: Finding
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        return self.finding.status

    def document(self) -> dict[str, str | float]:
        """The check as it stands in `check --json`."""
        return {
            "id": self.id, "family": self.family, "region": self.region, "status": self.status.value, "title": self.title,
            "detail": self.finding.detail, "fix": self.finding.fix, "seconds": round(self.seconds, 3),
        }  # fmt: skip


@dataclass(frozen=True)
class Check(ABC):
    """One check of one context. Subclasses name their family and themselves, and answer `run`."""

    context: CheckContext
    region: str = ""

    family: ClassVar[str]
    name: ClassVar[str]
    title: ClassVar[str]
    deadline: ClassVar[float] = 30.0
    """Seconds after which the answer is taken to be missing."""
    needs_credentials: ClassVar[bool] = True
    """Whether it calls AWS as the caller, so that without one it is not asked."""

    @property
    def id(self) -> str:
        """Unique together with the region."""
        return f"{self.family}.{self.name}"

    @property
    def heading(self) -> str:
        """The title that the report shows."""
        return self.title

    @property
    def key(self) -> Key:
        return (self.id, self.region)

    @property
    def depends_on(self) -> tuple[Key, ...]:
        """The checks that must not fail before this one is asked."""
        if not self.needs_credentials:
            return ()
        caller: Key = ("identity.caller", "")
        return (caller, ("regions.enabled", self.region)) if self.region else (caller,)

    @abstractmethod
    async def run(self) -> Finding:
        """Look. A `WorkshopError` that is raised is a failure with its own fix."""

    def permissions(self) -> list[Permission]:
        """The IAM actions that the check itself needs, all of phase `check`; the steps name their own."""
        return []


def passed(detail: str = "") -> Finding:
    """All is well."""
    return Finding(Status.PASS, detail)


def skipped(detail: str) -> Finding:
    """It was not found out, for this reason."""
    return Finding(Status.SKIP, detail)


def warned(detail: str, fix: str) -> Finding:
    """It works, and may disappoint."""
    return Finding(Status.WARN, detail, fix)


def failed(detail: str, fix: str) -> Finding:
    """It will not work."""
    return Finding(Status.FAIL, detail, fix)


def refused(error: AwsError, wanted: str) -> Finding:
    """What was `wanted` could not be asked: a permission or an API is missing, which by itself stops no workshop."""
    why = "permission is missing" if error.denied else error.message or error.code
    return skipped(f"{wanted} could not be read: {error.service} {error.operation} answered {error.code} ({why}).")
