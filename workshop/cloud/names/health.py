"""Route 53's health checks: the status of each, from what its checkers, its children or its alarm say.

In: the configurations of health checks, live; a way to send one request; faults of checkers. Out: whether a check is healthy,
what each checker saw last, and metrics of the namespace AWS/Route53 (docs/aws-behaviours.md, section 6.3).
"""

from __future__ import annotations

import functools
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.names.checkers import CheckerResult, CheckState, Rounds, restored
from workshop.cloud.names.checks import CheckConfig, alarm_state
from workshop.cloud.names.probing import CheckTarget, ProbeResult
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

__all__ = ["CheckerObservation", "CheckerOpinion", "HealthChecks", "Sink"]

Sink = Callable[[str, str, str, float, str], None]
"""Account, health check, metric, value, unit."""
PUBLISH_SECONDS, ALARM_SECONDS = 60, 10
"""How often metrics are published and alarms are looked at, on the clock of names."""
MOST_TIMES = 200
"""Requests of one check between two publications whose times are kept."""


@dataclass(frozen=True, slots=True)
class CheckerObservation:
    """What one checker reports. `checked` is in seconds since the epoch."""

    region: str
    ip: str
    status: str
    checked: float


@dataclass(frozen=True, slots=True)
class CheckerOpinion:
    """What one checker thinks. `streak` counts its latest results that contradict it, `last` is the text of the newest, empty
    before the first; `checked` is in seconds since the epoch, 0 before the first."""

    region: str
    healthy: bool
    streak: int
    last: str
    checked: float


class HealthChecks:
    """`checks` returns the configurations as they are now, `metrics` takes single values, `on_change` is called when something
    changed that a restart must not lose. The scheduler is one of its own: `clear` empties it."""

    def __init__(
        self,
        scheduler: Scheduler,
        timing: Timing,
        probe: Callable[[CheckTarget], Awaitable[ProbeResult]],
        checks: Callable[[], Mapping[str, CheckConfig]],
        metrics: Sink,
        faults: FaultRegistry,
        *,
        chance: random.Random,
        alarm: Callable[[CheckConfig], str] = alarm_state,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._scheduler, self.configs = scheduler, checks
        self._sink, self._alarm, self._on_change = metrics, alarm, on_change
        self._rounds = Rounds(scheduler, timing, probe, faults, chance, self._heard)
        self._states: dict[str, CheckState] = {}
        self._saved: dict[str, Any] = {}
        self._publishing = False

    def changed(self) -> None:
        """Health checks were created, updated or deleted: take up what the store has now. May be called from any thread."""
        self._scheduler.at(self._scheduler.now(), self._take_up)

    def healthy(self, check_id: str) -> bool:
        """The status of a check. A new one is healthy (an inverted one unhealthy); so is one that does not exist."""
        return self._is_healthy(check_id, frozenset())

    def percentage(self, check_id: str) -> float:
        """How many of a check's checkers call its endpoint healthy, in percent; 100 for a check without an endpoint."""
        state = self._state(check_id)
        return state.percentage if state else 100.0

    def opinions(self, check_id: str) -> list[CheckerOpinion]:
        """What each checker of a check thinks, those included that have not sent a request yet."""
        state = self._state(check_id)
        return [
            CheckerOpinion(each.region, each.healthy, each.streak, *(each.last or CheckerResult("", 0.0)))
            for each in (state.checkers if state else ())
        ]

    def observations(self, check_id: str, seen: Literal["last", "last_failure"] = "last") -> list[CheckerObservation]:
        """What each checker saw last, or the last failure that it saw; checkers that saw nothing of the kind are left out."""
        state = self._state(check_id)
        found = [(checker, getattr(checker, seen)) for checker in (state.checkers if state else ())]
        return [CheckerObservation(checker.region, checker.ip, *result) for checker, result in found if result]

    def document(self) -> dict[str, Any]:
        """The saved form: what each checker remembers."""
        saved = {
            check: {"alarm_healthy": state.alarm_healthy, "checkers": [asdict(checker) for checker in state.checkers]}
            for check, state in self._states.items()
        }
        return {**self._saved, **saved}

    def restore(self, document: dict[str, Any]) -> None:
        """Begin with what `document` returned; it applies to the checks that the store has by now."""
        self._saved = dict(document)
        self.changed()

    def clear(self) -> None:
        """Forget every check, at a reset of the cloud."""
        for state in self._states.values():
            state.round += 1
        self._scheduler.clear()
        self._states.clear()
        self._saved.clear()
        self._publishing = False

    def _state(self, check_id: str) -> CheckState | None:
        if check_id not in self._states and check_id in self.configs():
            self._take_up()
        return self._states.get(check_id)

    def _is_healthy(self, check_id: str, asking: frozenset[str]) -> bool:
        """`asking` are the calculated checks on the way here: one that refers back to itself counts as unhealthy there."""
        state = self._state(check_id)
        if state is None:
            return True
        config = state.config
        if config.disabled or config.type == "RECOVERY_CONTROL":
            found = True
        elif config.type == "CALCULATED":
            found = self._healthy_children(config, asking) >= config.health_threshold
        elif config.type == "CLOUDWATCH_METRIC":
            found = state.alarm_healthy
        else:
            found = state.opinion
        return found != config.inverted

    def _healthy_children(self, config: CheckConfig, asking: frozenset[str] = frozenset()) -> int:
        """How many children are healthy; one that was deleted is not."""
        inner = asking | {config.id}
        return sum(
            self._state(child) is not None and child not in inner and self._is_healthy(child, inner) for child in config.children
        )

    def _take_up(self) -> None:
        """Begin what is new, drop what is gone, apply what was changed."""
        configs = self.configs()
        for gone in self._states.keys() - configs.keys():
            self._states.pop(gone).round += 1
        for check, config in configs.items():
            state = self._states.get(check)
            if state is None:
                self._begin(config)
                continue
            regions, state.config = state.config.regions, config
            if regions != config.regions:
                self._rounds.begin(state)
        self._saved.clear()
        if self._states and not self._publishing:
            self._publishing = True
            self._rounds.later(PUBLISH_SECONDS, self._publish)

    def _begin(self, config: CheckConfig) -> None:
        saved = self._saved.get(config.id, {"alarm_healthy": True, "checkers": ()})
        checkers = [restored(each) for each in saved["checkers"]]
        state = self._states[config.id] = CheckState(config, checkers=checkers, alarm_healthy=saved["alarm_healthy"])
        if config.has_endpoint:
            self._rounds.begin(state)
        elif config.type == "CLOUDWATCH_METRIC":
            self._look_at_alarm(state)

    def _look_at_alarm(self, state: CheckState) -> None:
        if self._states.get(state.config.id) is not state:
            return
        before = state.alarm_healthy
        if not state.config.disabled:
            without_data = {"Healthy": True, "Unhealthy": False}.get(state.config.insufficient, before)
            state.alarm_healthy = {"OK": True, "ALARM": False}.get(self._alarm(state.config), without_data)
        self._rounds.later(ALARM_SECONDS, functools.partial(self._look_at_alarm, state))
        if before != state.alarm_healthy:
            self._on_change()

    def _heard(self, state: CheckState, result: ProbeResult, worth_keeping: bool) -> None:
        measured = state.config.measures_latency or state.config.type == "TCP"
        if measured and len(state.times) < MOST_TIMES:
            state.times.append(result)
        if worth_keeping:
            self._on_change()

    def _publish(self) -> None:
        self._take_up()  # a stack may have changed a check without a word
        for state in list(self._states.values()):
            self._publish_check(state)
        self._publishing = bool(self._states)
        if self._publishing:
            self._rounds.later(PUBLISH_SECONDS, self._publish)

    def _publish_check(self, state: CheckState) -> None:
        """The status, the share of healthy checkers or the number of healthy children, and the times of requests."""
        config = state.config
        values = [("HealthCheckStatus", float(self.healthy(config.id)), "None")]
        if config.has_endpoint:
            values.append(("HealthCheckPercentageHealthy", state.percentage, "Percent"))
        elif config.type == "CALCULATED":
            values.append(("ChildHealthCheckHealthyCount", float(self._healthy_children(config)), "None"))
        for result in state.times:
            for metric, seconds in (("ConnectionTime", result.connection), ("TimeToFirstByte", result.first_byte)):
                if seconds is not None:
                    values.append((metric, seconds * 1000, "Milliseconds"))
        state.times = []
        for metric, value, unit in values:
            self._sink(config.account, config.id, metric, value, unit)
