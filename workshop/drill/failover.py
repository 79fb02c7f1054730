"""Decides which region takes the writes: the state machine of the player, without a clock, a network or a page.

In: settings, a state, an event with its time in milliseconds. Out: the next state. It never looks at the time by itself and
never calls anything. The same decisions are made in JavaScript by the player; both are held to tests/vectors/failover.json.

One failure never moves the writes: a switch needs `min_failures` failures and the whole countdown, one success in between does
not end it, and going back is only ever offered.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from workshop.drill.settings import FailoverSettings

__all__ = ["Event", "Happened", "Phase", "State", "remaining", "start", "step"]


class Phase(enum.StrEnum):
    """Where the failover stands."""

    STEADY = "steady"
    """The preferred region takes the writes."""
    FAILING = "failing"
    """Writes to the active region fail: countdown to the switch."""
    AWAY = "away"
    """Another region takes the writes, and the preferred one has not proved itself yet."""
    OFFERING = "offering"
    """As away, and the preferred region answers again: going back is offered."""
    STRANDED = "stranded"
    """The countdown ended and no other region is known to be well; the first that answers takes over."""


class Happened(enum.StrEnum):
    """What can happen."""

    WRITE_OK = "write-ok"
    WRITE_FAILED = "write-failed"
    PROBE_OK = "probe-ok"
    PROBE_FAILED = "probe-failed"
    TICK = "tick"
    CHOOSE = "choose"
    SWITCH_NOW = "switch-now"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened `at` milliseconds; `region` is empty for a tick and for switch-now."""

    happened: Happened
    at: float
    region: str = ""


@dataclass(frozen=True, slots=True)
class Streak:
    """`ok` answers in a row; `failed` since the region last proved itself, so that one lucky answer wipes nothing out."""

    ok: int = 0
    failed: int = 0


UNHEARD = Streak()


@dataclass(frozen=True, slots=True)
class State:
    """The failover at one moment; times in milliseconds."""

    phase: Phase
    active: str
    preferred: str
    regions: tuple[str, ...]
    streaks: Mapping[str, Streak]
    failures: int = 0
    switch_at: float | None = None
    switches: int = 0
    cause: str = "start"


def start(regions: tuple[str, ...], active: str, preferred: str) -> State:
    """The first state: nothing has been heard of any region."""
    phase = Phase.STEADY if active == preferred else Phase.AWAY
    return State(phase, active, preferred, regions, dict.fromkeys(regions, UNHEARD))


def step(settings: FailoverSettings, state: State, event: Event) -> State:
    """The state after an event; an event of an unknown region changes nothing."""
    happened, region = event.happened, event.region
    if region and region not in state.regions:
        return state
    if happened is Happened.CHOOSE:
        return _choose(state, region)
    if happened is Happened.SWITCH_NOW:
        return _leave(settings, state, "switched-by-hand") if state.phase is Phase.FAILING else state
    own = region == state.active
    following = state
    if happened is Happened.WRITE_FAILED:
        following = _write_failed(settings, state, event.at) if own else _probed(settings, state, region, well=False)
    elif happened is Happened.WRITE_OK:
        following = _write_ok(settings, state) if own else _probed(settings, state, region, well=True)
    elif happened in (Happened.PROBE_OK, Happened.PROBE_FAILED) and not own:
        following = _probed(settings, state, region, well=happened is Happened.PROBE_OK)
    return _due(settings, following, event.at)


def remaining(state: State, at: float) -> float | None:
    """Milliseconds until the countdown ends; None when none runs."""
    if state.phase is not Phase.FAILING or state.switch_at is None:
        return None
    return max(0.0, state.switch_at - at)


def _heard(settings: FailoverSettings, state: State, region: str, *, well: bool) -> dict[str, Streak]:
    before = state.streaks[region]
    if not well:
        after = Streak(0, before.failed + 1)
    else:
        proven = before.ok + 1 >= settings.recover_after
        after = Streak(before.ok + 1, 0 if proven else before.failed)
    return {**state.streaks, region: after}


def _calm(state: State) -> State:
    phase = Phase.STEADY if state.active == state.preferred else Phase.AWAY
    return replace(state, phase=phase, failures=0, switch_at=None)


def _move(state: State, region: str, cause: str) -> State:
    streaks = {**state.streaks, region: UNHEARD}
    return _calm(replace(state, active=region, switches=state.switches + 1, cause=cause, streaks=streaks))


def _target(settings: FailoverSettings, state: State) -> str | None:
    """The next region in the list that is not known to be down; one that has proved itself comes first."""
    at = state.regions.index(state.active)
    others = [*state.regions[at + 1 :], *state.regions[:at]]
    well = [region for region in others if state.streaks[region].failed == 0]
    proven = [region for region in well if state.streaks[region].ok >= settings.recover_after]
    return next(iter(proven or well), None)


def _leave(settings: FailoverSettings, state: State, cause: str) -> State:
    target = _target(settings, state)
    if target is None:
        return replace(state, phase=Phase.STRANDED, switch_at=None, cause="nowhere-to-go")
    return _move(state, target, cause)


def _due(settings: FailoverSettings, state: State, at: float) -> State:
    if state.phase is not Phase.FAILING or state.switch_at is None:
        return state
    ripe = at >= state.switch_at and state.failures >= settings.min_failures
    return _leave(settings, state, "countdown-ended") if ripe else state


def _write_failed(settings: FailoverSettings, state: State, at: float) -> State:
    streaks = _heard(settings, state, state.active, well=False)
    if state.phase in (Phase.FAILING, Phase.STRANDED):
        return replace(state, streaks=streaks, failures=state.failures + 1)
    return replace(
        state, streaks=streaks, phase=Phase.FAILING, failures=1, switch_at=at + settings.countdown_ms,
        cause="write-failed",
    )  # fmt: skip


def _write_ok(settings: FailoverSettings, state: State) -> State:
    following = replace(state, streaks=_heard(settings, state, state.active, well=True))
    troubled = state.phase in (Phase.FAILING, Phase.STRANDED)
    if not troubled or following.streaks[state.active].ok < settings.recover_after:
        return following
    return replace(_calm(following), cause="recovered")


def _probed(settings: FailoverSettings, state: State, region: str, *, well: bool) -> State:
    following = replace(state, streaks=_heard(settings, state, region, well=well))
    ok = following.streaks[region].ok
    if state.phase is Phase.STRANDED and ok >= settings.recover_after:
        return _move(following, region, "first-to-answer")
    if region != state.preferred:
        return following
    if state.phase is Phase.AWAY and ok >= settings.failback_after:
        return replace(following, phase=Phase.OFFERING, cause="preferred-answers")
    if state.phase is Phase.OFFERING and not well:
        return replace(following, phase=Phase.AWAY, cause="preferred-silent")
    return following


def _choose(state: State, region: str) -> State:
    if region == state.active:
        return replace(_calm(replace(state, preferred=region)), cause="chosen")
    return _move(replace(state, preferred=region), region, "chosen")
