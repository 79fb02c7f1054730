"""What a check is, and what it returns.

In: a context. Out: a `Finding` of each check. A check looks at one thing, in one region or in none. It changes nothing, prints
nothing, and does not know the others; what it relies on (a caller, an enabled region) it declares in `depends_on`.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from workshop.aws.errors import AwsError
from workshop.checks.context import CheckContext
from workshop.steps.base import Permission
from workshop.steps.route53.proof import Proof

__all__ = [
    "Check",
    "CheckStatus",
    "Family",
    "Finding",
    "Key",
    "RegionalCheck",
    "Result",
    "failed",
    "passed",
    "refused",
    "skipped",
    "warned",
]

Key = tuple[str, str]
"""A check's id and its region: together unique."""


class CheckStatus(enum.StrEnum):
    """The outcome of a check, from good to bad; `crash` is a defect of the check itself."""

    PASS = "pass"  # noqa: S105 - no password
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, and for `warn` and `fail` the command or decision that helps."""

    status: CheckStatus
    detail: str = ""
    fix: str = ""
    wiring: Proof | None = None
    """The proof behind it, which the report as a page draws."""


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
    def status(self) -> CheckStatus:
        return self.finding.status

    def document(self) -> dict[str, str | float]:
        """The result as `check --json` has it."""
        return {
            "id": self.id,
            "family": self.family,
            "region": self.region,
            "status": self.status.value,
            "title": self.title,
            "detail": self.finding.detail,
            "fix": self.finding.fix,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Check(ABC):
    """One check of one context. Subclasses have a name and a title, and implement `run`; their `Family` gives them its name."""

    context: CheckContext
    region: str = ""
    family: str = field(default="", kw_only=True)

    name: ClassVar[str]
    """What it is called within its family."""
    title: ClassVar[str]
    deadline: ClassVar[float] = 30.0
    """Seconds after which it has failed."""
    needs_credentials: ClassVar[bool] = True
    """Whether it calls AWS as the caller, so that it is skipped without one."""

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """The checks of this class in a context: one, unless it is made for each region or step."""
        return [cls(context)]

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
        """The checks after which this one runs, unless one of them failed."""
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


class RegionalCheck(Check):
    """A check of each of the workshop's regions."""

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        return [cls(context, region) for region in context.regions]


@dataclass(frozen=True, slots=True)
class Family:
    """Checks that are reported under one title, and chosen together by `--only` and `--skip`."""

    name: str
    title: str
    checks: tuple[type[Check], ...]

    def instances(self, context: CheckContext) -> list[Check]:
        """Every check of the family in a context, in the order of the report."""
        return [replace(check, family=self.name) for kind in self.checks for check in kind.instances(context)]


def passed(detail: str = "") -> Finding:
    """All is well."""
    return Finding(CheckStatus.PASS, detail)


def skipped(detail: str) -> Finding:
    """It was not found out, for this reason."""
    return Finding(CheckStatus.SKIP, detail)


def warned(detail: str, fix: str) -> Finding:
    """Works, with a caveat."""
    return Finding(CheckStatus.WARN, detail, fix)


def failed(detail: str, fix: str) -> Finding:
    """It will not work."""
    return Finding(CheckStatus.FAIL, detail, fix)


def refused(error: AwsError, wanted: str) -> Finding:
    """What was `wanted` could not be read: a permission or an API is missing, which by itself stops no workshop."""
    why = "permission is missing" if error.denied else error.message or error.code
    return skipped(f"{wanted} could not be read: {error.service} {error.operation} answered {error.code} ({why}).")
