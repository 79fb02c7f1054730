"""The pauses between the attempts of one call: positive, bounded, and at some point over."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.aws.errors import AwsError
from workshop.aws.retry import PATIENT_RETRIES, QUICK_RETRIES, Retry

ERRORS = st.sampled_from(
    [
        AwsError("Throttling", "", service="s", operation="o", region="r"),
        AwsError("Throttling", "", service="s", operation="o", region="r", retry_after=70),
        AwsError("InternalFailure", "", service="s", operation="o", region="r", status=500),
        AwsError("Unreachable", "", service="s", operation="o", region="r"),
        AwsError("NoAnswer", "", service="s", operation="o", region="r"),
    ]
)


@settings(deadline=None)
@given(st.lists(ERRORS, max_size=400))
def test_whatever_goes_wrong_the_pauses_of_one_call_stay_within_its_patience(errors):
    retry, total = Retry(), 0.0
    for error in errors:
        pause = retry.pause(error)
        if pause is None:
            break
        assert pause > 0
        total += pause
    assert total <= PATIENT_RETRIES.patience


@settings(deadline=None)
@given(ERRORS, st.sampled_from([PATIENT_RETRIES, QUICK_RETRIES, replace(PATIENT_RETRIES, outage=120.0)]))
def test_every_kind_of_trouble_ends(error, policy):
    retry = Retry(policy)
    assert any(retry.pause(error) is None for _ in range(1000))


@settings(deadline=None)
@given(st.lists(ERRORS, max_size=400))
def test_a_quick_call_is_given_up_within_half_a_minute_whatever_goes_wrong(errors):
    retry, total = Retry(QUICK_RETRIES), 0.0
    for error in errors:
        pause = retry.pause(error)
        if pause is None:
            break
        assert 0 < pause <= 3
        total += pause
    assert total <= 30


def test_the_jitter_of_a_pause_is_between_half_of_it_and_all_of_it():
    asked: list[tuple[float, float]] = []

    def longest(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    retry = Retry(PATIENT_RETRIES, longest)
    throttled = AwsError("Throttling", "", service="s", operation="o", region="r")
    assert [retry.pause(throttled) for _ in range(6)] == [1, 2, 4, 8, 16, 30]
    assert all(low == high / 2 for low, high in asked)
