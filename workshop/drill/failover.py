"""Decides which region takes the writes: the state machine of the player, without a clock, a network or a page.

In: settings, a state, an event with its time in milliseconds. Out: the next state. It never reads a clock and never
calls anything. The player makes the same decisions in JavaScript; both are held to tests/vectors/failover.json.

One failure never moves the writes: a switch needs `min_failures` failures and the whole countdown, one success in between does
not end it, and going back is only ever offered.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from workshop.drill.settings import FailoverSettings

__all__ = ["EventKind", "FailoverEvent", "FailoverPhase", "FailoverState", "remaining", "start", "step"]


class FailoverPhase(enum.StrEnum):
    """The phase of the failover."""

    STEADY = "steady"
    """The preferred region takes the writes."""
    FAILING = "failing"
    """Writes to the active region fail: countdown to the switch."""
    AWAY = "away"
    """Another region takes the writes, and the preferred one is not known to be healthy yet."""
    OFFERING = "offering"
    """As away, and the preferred region is healthy again: going back is offered."""
    STRANDED = "stranded"
    """The countdown ended and no other region is known to be healthy; the first that responds takes over."""


class EventKind(enum.StrEnum):
    """What moves the failover."""

    WRITE_OK = "write-ok"
    WRITE_FAILED = "write-failed"
    PROBE_OK = "probe-ok"
    PROBE_FAILED = "probe-failed"
    TICK = "tick"
    CHOOSE = "choose"
    SWITCH_NOW = "switch-now"


@dataclass(frozen=True, slots=True)
class FailoverEvent:
    """Something that happened at `at` milliseconds; `region` is empty for a tick and for switch-now."""

    kind: EventKind
    at: float
    region: str = ""


@dataclass(frozen=True, slots=True)
class Streak:
    """`ok` successes in a row; `failed` since the last `recover_after` of them, so that one lucky success clears nothing."""

    ok: int = 0
    failed: int = 0


NEVER_CALLED = Streak()


@dataclass(frozen=True, slots=True)
class FailoverState:
    """The failover at one moment; times in milliseconds."""

    phase: FailoverPhase
    active: str
    preferred: str
    regions: tuple[str, ...]
    streaks: Mapping[str, Streak]
    failures: int = 0
    switch_at: float | None = None
    switches: int = 0
    cause: str = "start"


def start(regions: tuple[str, ...], active: str, preferred: str) -> FailoverState:
    """The first state: no region has been called."""
    phase = FailoverPhase.STEADY if active == preferred else FailoverPhase.AWAY
    return FailoverState(phase, active, preferred, regions, dict.fromkeys(regions, NEVER_CALLED))


def step(settings: FailoverSettings, state: FailoverState, event: FailoverEvent) -> FailoverState:
    """The state after an event; an event of an unknown region changes nothing."""
    kind, region = event.kind, event.region
    if region and region not in state.regions:
        return state
    if kind is EventKind.CHOOSE:
        return _choose(state, region)
    if kind is EventKind.SWITCH_NOW:
        return _leave(settings, state, "switched-by-hand") if state.phase is FailoverPhase.FAILING else state
    own = region == state.active
    following = state
    if kind is EventKind.WRITE_FAILED:
        following = _write_failed(settings, state, event.at) if own else _probed(settings, state, region, ok=False)
    elif kind is EventKind.WRITE_OK:
        following = _write_ok(settings, state) if own else _probed(settings, state, region, ok=True)
    elif kind in (EventKind.PROBE_OK, EventKind.PROBE_FAILED) and not own:
        following = _probed(settings, state, region, ok=kind is EventKind.PROBE_OK)
    return _due(settings, following, event.at)


def remaining(state: FailoverState, at: float) -> float | None:
    """Milliseconds until the countdown ends; None when none runs."""
    if state.phase is not FailoverPhase.FAILING or state.switch_at is None:
        return None
    return max(0.0, state.switch_at - at)


def _streaks_after(settings: FailoverSettings, state: FailoverState, region: str, *, ok: bool) -> dict[str, Streak]:
    before = state.streaks[region]
    if not ok:
        after = Streak(0, before.failed + 1)
    else:
        proven = before.ok + 1 >= settings.recover_after
        after = Streak(before.ok + 1, 0 if proven else before.failed)
    return {**state.streaks, region: after}


def _steady(state: FailoverState) -> FailoverState:
    phase = FailoverPhase.STEADY if state.active == state.preferred else FailoverPhase.AWAY
    return replace(state, phase=phase, failures=0, switch_at=None)


def _move(state: FailoverState, region: str, cause: str) -> FailoverState:
    streaks = {**state.streaks, region: NEVER_CALLED}
    return _steady(replace(state, active=region, switches=state.switches + 1, cause=cause, streaks=streaks))


def _target(settings: FailoverSettings, state: FailoverState) -> str | None:
    """The next region in the list that is not known to be down; one that is known to be healthy comes first."""
    at = state.regions.index(state.active)
    others = [*state.regions[at + 1 :], *state.regions[:at]]
    eligible = [region for region in others if state.streaks[region].failed == 0]
    proven = [region for region in eligible if state.streaks[region].ok >= settings.recover_after]
    return next(iter(proven or eligible), None)


def _leave(settings: FailoverSettings, state: FailoverState, cause: str) -> FailoverState:
    target = _target(settings, state)
    if target is None:
        return replace(state, phase=FailoverPhase.STRANDED, switch_at=None, cause="nowhere-to-go")
    return _move(state, target, cause)


def _due(settings: FailoverSettings, state: FailoverState, at: float) -> FailoverState:
    if state.phase is not FailoverPhase.FAILING or state.switch_at is None:
        return state
    due = at >= state.switch_at and state.failures >= settings.min_failures
    return _leave(settings, state, "countdown-ended") if due else state


def _write_failed(settings: FailoverSettings, state: FailoverState, at: float) -> FailoverState:
    streaks = _streaks_after(settings, state, state.active, ok=False)
    if state.phase in (FailoverPhase.FAILING, FailoverPhase.STRANDED):
        return replace(state, streaks=streaks, failures=state.failures + 1)
    return replace(
        state,
        streaks=streaks,
        phase=FailoverPhase.FAILING,
        failures=1,
        switch_at=at + settings.countdown_ms,
        cause="write-failed",
    )


def _write_ok(settings: FailoverSettings, state: FailoverState) -> FailoverState:
    following = replace(state, streaks=_streaks_after(settings, state, state.active, ok=True))
    troubled = state.phase in (FailoverPhase.FAILING, FailoverPhase.STRANDED)
    if not troubled or following.streaks[state.active].ok < settings.recover_after:
        return following
    return replace(_steady(following), cause="recovered")


def _probed(settings: FailoverSettings, state: FailoverState, region: str, *, ok: bool) -> FailoverState:
    following = replace(state, streaks=_streaks_after(settings, state, region, ok=ok))
    successes = following.streaks[region].ok
    if state.phase is FailoverPhase.STRANDED and successes >= settings.recover_after:
        return _move(following, region, "first-to-answer")
    if region != state.preferred:
        return following
    if state.phase is FailoverPhase.AWAY and successes >= settings.failback_after:
        return replace(following, phase=FailoverPhase.OFFERING, cause="preferred-answers")
    if state.phase is FailoverPhase.OFFERING and not ok:
        return replace(following, phase=FailoverPhase.AWAY, cause="preferred-silent")
    return following


def _choose(state: FailoverState, region: str) -> FailoverState:
    if region == state.active:
        return replace(_steady(replace(state, preferred=region)), cause="chosen")
    return _move(replace(state, preferred=region), region, "chosen")
