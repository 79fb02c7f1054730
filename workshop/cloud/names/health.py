"""Route 53's health checks: the status of each, from what its checkers, its children or its alarm say.

In: the configurations of health checks, live; a way to send one request; faults of checkers. Out: whether a check is healthy,
what each checker saw last, and metrics (docs/aws-behaviours.md, section 6.3). When a request is sent is the matter of `rounds`,
how it is made that of `probing`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workshop.cloud.names.check_metrics import CheckMetrics, Sink
from workshop.cloud.names.check_state import CheckerObservation, CheckerOpinion, CheckState
from workshop.cloud.names.checks import CheckConfig, alarm_state
from workshop.cloud.names.probing import CheckTarget, ProbeResult
from workshop.cloud.names.rounds import CheckerFaults, Rounds
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

__all__ = ["CheckerObservation", "HealthChecks"]

PUBLISH_SECONDS, ALARM_SECONDS = 60, 10
"""How often metrics are published and alarms are looked at, on the clock of names."""


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
        faults: CheckerFaults,
        *,
        chance: random.Random | None = None,
        alarm: Callable[[CheckConfig], str] = alarm_state,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._scheduler, self._checks = scheduler, checks
        self._metrics, self._alarm, self._on_change = CheckMetrics(metrics), alarm, on_change
        self._rounds = Rounds(scheduler, timing, probe, faults, chance or random.Random(), self._heard)
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
        """What each checker of a check thinks; none for a check without an endpoint."""
        state = self._state(check_id)
        return state.opinions if state else []

    def observations(self, check_id: str) -> list[CheckerObservation]:
        """What each checker saw last; checkers that have not sent a request yet are left out."""
        state = self._state(check_id)
        return state.observations if state else []

    def last_failures(self, check_id: str) -> list[CheckerObservation]:
        """The last failure that each checker saw; those that saw none are left out."""
        state = self._state(check_id)
        return state.last_failures if state else []

    def document(self) -> dict[str, Any]:
        """The saved form: what each checker remembers."""
        return {**self._saved, **{check: state.document() for check, state in self._states.items()}}

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
        if check_id not in self._states and check_id in self._checks():
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
        configs = self._checks()
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
        state = self._states[config.id] = CheckState(config)
        if config.id in self._saved:
            state.restore(self._saved[config.id])
        if config.has_endpoint:
            self._rounds.begin(state)
        elif config.type == "CLOUDWATCH_METRIC":
            self._look_at_alarm(state)

    def _look_at_alarm(self, state: CheckState) -> None:
        if self._states.get(state.config.id) is not state:
            return
        without_data = {"Healthy": True, "Unhealthy": False}.get(state.config.insufficient, state.alarm_healthy)
        before = state.alarm_healthy
        if not state.config.disabled:
            state.alarm_healthy = {"OK": True, "ALARM": False}.get(self._alarm(state.config), without_data)
        self._rounds.later(ALARM_SECONDS, functools.partial(self._look_at_alarm, state))
        if before != state.alarm_healthy:
            self._on_change()

    def _heard(self, state: CheckState, result: ProbeResult, worth_keeping: bool) -> None:
        self._metrics.took(state.config, result)
        if worth_keeping:
            self._on_change()

    def _publish(self) -> None:
        self._take_up()  # a stack may have changed a check without a word
        for check, state in list(self._states.items()):
            calculated = state.config.type == "CALCULATED"
            figure = float(self._healthy_children(state.config)) if calculated else state.percentage
            self._metrics.publish(state.config, self.healthy(check), figure)
        self._publishing = bool(self._states)
        if self._publishing:
            self._rounds.later(PUBLISH_SECONDS, self._publish)
