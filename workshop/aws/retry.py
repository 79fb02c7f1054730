"""When a failed call is tried again, and when it is given up.

In: the errors of one call, one after the other. Out: the pauses between its attempts. `PATIENT_RETRIES` is for runs that change
something and outlive throttling; `QUICK_RETRIES` is for checks, which report what they find within seconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.limiter import SLOWEST_SPACING

__all__ = ["PATIENT_RETRIES", "QUICK_RETRIES", "Backoff", "Retry", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from `first` to `longest` seconds, for at most `attempts` attempts."""

    first: float
    longest: float
    attempts: float = math.inf

    def ceiling(self, failures: int) -> float:
        """The longest pause after so many failures."""
        return min(self.first * 2.0 ** (failures - 1), self.longest)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The numbers by which calls are retried; all times are in seconds."""

    throttling: Backoff
    server_errors: Backoff
    """Of a call that AWS itself could not serve."""
    no_connection: Backoff
    """Of a call that reached no server (`Unreachable`)."""
    no_response: Backoff
    """Of a call whose response did not come (`NoAnswer`): it may have taken effect."""
    patience: float = math.inf
    """The sum of the pauses of one call, an outage apart."""
    longest_request: float = math.inf
    """The longest Retry-After that is complied with; longer ones are cut to this."""
    slowest_spacing: float = SLOWEST_SPACING
    """How far apart calls are spaced at most while AWS throttles them (see `workshop.aws.limiter`)."""
    outage: float = 0.0
    """How much longer a network that is gone is waited for: a run of many minutes outlives a gap in the Wi-Fi."""


PATIENT_RETRIES = RetryPolicy(
    # The slowest limit of the control plane is one call in 30 s (docs/aws-behaviours.md, section 5).
    throttling=Backoff(1.0, 30.0),
    server_errors=Backoff(0.2, 5.0, attempts=8),
    no_connection=Backoff(0.2, 5.0, attempts=5),
    no_response=Backoff(0.2, 5.0, attempts=8),
    patience=240.0,
)
QUICK_RETRIES = RetryPolicy(
    throttling=Backoff(0.6, 3.0, attempts=4),
    server_errors=Backoff(0.6, 3.0, attempts=4),
    no_connection=Backoff(0.6, 3.0, attempts=2),
    no_response=Backoff(0.6, 3.0, attempts=2),
    longest_request=3.0,
    slowest_spacing=0.3,
)


class Retry:
    """The attempts of one call. `jitter` picks a number between two."""

    def __init__(self, policy: RetryPolicy = PATIENT_RETRIES, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._policy, self._jitter = policy, jitter
        self._throttled = self._transient = 0
        self._waited = self._waited_for_network = 0.0

    def pause(self, error: AwsError) -> float | None:
        """The seconds until the next attempt, or None when the call is given up."""
        if isinstance(error, CredentialsError):
            return None
        if error.throttled:
            self._throttled += 1
            return self._next(self._policy.throttling, self._throttled, error.retry_after)
        if error.transient:
            self._transient += 1
            pause = self._next(self._backoff(error), self._transient)
            return self._through_outage() if pause is None and error.unreachable else pause
        return None

    def _backoff(self, error: AwsError) -> Backoff:
        if not error.unreachable:
            return self._policy.server_errors
        return self._policy.no_connection if error.code == "Unreachable" else self._policy.no_response

    def _next(self, backoff: Backoff, failures: int, requested: float = 0.0) -> float | None:
        if failures >= backoff.attempts:
            return None
        ceiling = backoff.ceiling(failures)
        pause = max(self._jitter(ceiling / 2, ceiling), min(requested, self._policy.longest_request))
        self._waited += pause
        return pause if self._waited <= self._policy.patience else None

    def _through_outage(self) -> float | None:
        longest = self._policy.no_response.longest
        pause = self._jitter(longest / 2, longest)
        self._waited_for_network += pause
        return pause if self._waited_for_network <= self._policy.outage else None
