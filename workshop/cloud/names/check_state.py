"""What the cloud remembers of one health check: its checkers, and what each saw last.

In: a configuration, and the saved form of an earlier state. Out: observations, the share of healthy checkers, the saved form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workshop.cloud.names.checkers import Checker, CheckerResult, enough
from workshop.cloud.names.checks import CheckConfig

__all__ = ["CheckState", "CheckerObservation", "CheckerOpinion"]


@dataclass(frozen=True, slots=True)
class CheckerObservation:
    """What one checker reports. `checked` is in seconds since the epoch."""

    region: str
    ip: str
    status: str
    checked: float


@dataclass(frozen=True, slots=True)
class CheckerOpinion:
    """What one checker thinks. `streak` counts its latest results that say otherwise, `last` is the text of the newest, empty
    before the first; `checked` is in seconds since the epoch."""

    region: str
    healthy: bool
    streak: int
    last: str
    checked: float


@dataclass
class CheckState:
    """One check. `round` counts how often its checkers were put together: what was planned for an earlier round is void."""

    config: CheckConfig
    profile: str = ""
    round: int = 0
    checkers: dict[str, Checker] = field(default_factory=dict)
    disturbed: tuple[int, bool] = (-1, False)
    """The number of an interval, and whether all requests within it fail."""
    alarm_healthy: bool = True
    """By the last state of its alarm that CloudWatch had data for."""

    @property
    def opinion(self) -> bool:
        """Whether enough checkers call the endpoint healthy; without checkers, as for a new check, it is."""
        return enough(list(self.checkers.values())) if self.checkers else True

    @property
    def percentage(self) -> float:
        """How many of the checkers call the endpoint healthy, in percent."""
        if not self.checkers:
            return 100.0
        return 100.0 * sum(checker.healthy for checker in self.checkers.values()) / len(self.checkers)

    @property
    def opinions(self) -> list[CheckerOpinion]:
        """What each checker thinks, those included that have not sent a request yet."""
        return [
            CheckerOpinion(each.region, each.healthy, each.streak, each.last.text if each.last else "", each.checked)
            for each in self.checkers.values()
        ]

    @property
    def observations(self) -> list[CheckerObservation]:
        """What each checker saw last; checkers that have not sent a request yet are left out."""
        return [_observation(checker, checker.last) for checker in self.checkers.values() if checker.last]

    @property
    def last_failures(self) -> list[CheckerObservation]:
        """The last failure that each checker saw; those that saw none are left out."""
        return [_observation(checker, checker.last_failure) for checker in self.checkers.values() if checker.last_failure]

    def place(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Have exactly these checkers from now on. Those that join share the opinion of the others, so that none is outvoted by
        checkers that have seen nothing."""
        joining = [Checker(region, number, self.opinion) for region, number in wanted]
        self.checkers = {checker.key: self.checkers.get(checker.key, checker) for checker in joining}
        self.round += 1

    def document(self) -> dict[str, Any]:
        """The saved form."""
        checkers = {key: checker.document() for key, checker in self.checkers.items()}
        return {"alarm_healthy": self.alarm_healthy, "checkers": checkers}

    def restore(self, document: dict[str, Any]) -> None:
        self.alarm_healthy = bool(document["alarm_healthy"])
        for key, remembered in document["checkers"].items():
            region, _, number = key.partition("/")
            self.checkers[key] = Checker(region, int(number))
            self.checkers[key].restore(remembered)


def _observation(checker: Checker, outcome: CheckerResult) -> CheckerObservation:
    return CheckerObservation(checker.region, checker.ip, outcome.text, outcome.time)
