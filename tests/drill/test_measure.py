"""The arithmetic of a drill, on hand-made evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.drill.regions import EAST, SETTINGS, WEST
from workshop.drill.load_requests import Row
from workshop.drill.measure import failover_outage, measure, missing, rto_bound
from workshop.drill.timeline import Acknowledged, Lag, Milestone, Moment, RequestKind, TimedRequest


def request(kind: RequestKind, region: str, sent: float, answered: float, why: str = "") -> TimedRequest:
    return TimedRequest(kind, region, sent, answered, 500 if why else 200, why)


def write(number: int, at: float, region: str = WEST) -> Acknowledged:
    row = Row({"PK": "drill-r1", "SK": f"{number:06d}"}, {"bookmark": f"{at}"})
    return Acknowledged(number, region, f"{at}", at - 0.1, at, f"{number:06d}", row)


def item(written: Acknowledged, **other: str) -> dict[str, dict[str, str]]:
    """The item of a write, as a table has it."""
    return {name: {"S": text} for name, text in {**written.row.key, **written.row.holds, **other}.items()}


INJECTED, REVERTED = Moment(5.0, Milestone.INJECTED, WEST, ""), Moment(20.0, Milestone.REVERTED, WEST, "")
REQUESTS = [
    request(RequestKind.WRITE, WEST, 1.0, 1.1),
    request(RequestKind.READ, EAST, 1.0, 1.1, "status 500"),  # before the fault, elsewhere: not part of the outage
    request(RequestKind.READ, WEST, 4.9, 5.2, "status 500"),
    request(RequestKind.WRITE, WEST, 5.1, 5.3, "status 500"),
    request(RequestKind.READ, EAST, 6.0, 6.1),
    request(RequestKind.WRITE, EAST, 15.4, 15.5),
    request(RequestKind.WRITE, WEST, 21.0, 21.5),
]


def measured(lags=(), lost=(), behind=(), requests=REQUESTS):
    moments = [INJECTED, Moment(15.3, Milestone.SWITCHED, EAST, ""), REVERTED]
    outage = failover_outage(SETTINGS, WEST, requests, moments)
    return measure(outage, requests, [write(1, 1.1)], moments, lags, lost=lost, behind=behind)


def test_rto_runs_from_the_first_failed_request_to_the_first_write_taken_elsewhere():
    outage = measured().outage
    assert outage.rto == pytest.approx(15.5 - 4.9)
    assert outage.detected == pytest.approx(15.3 - 4.9)
    assert outage.returned == pytest.approx(1.5)


def test_the_bound_counts_how_slow_requests_were_in_the_outage_and_ignores_all_others():
    assert measured().outage.bound == pytest.approx(rto_bound(SETTINGS, 0.2))
    slow = [request(RequestKind.WRITE, WEST, 30.0, 33.0), request(RequestKind.HEALTH, WEST, 5.1, 6.1, "status 400")]
    assert measured(requests=[*REQUESTS, *slow]).outage.bound == pytest.approx(rto_bound(SETTINGS, 0.2 + 1.0))


def test_a_read_that_succeeds_elsewhere_is_no_failover():
    without = [r for r in REQUESTS if not (r.kind is RequestKind.WRITE and r.region == EAST)]
    assert measured(requests=without).outage.rto is None


def test_requests_are_counted_by_region_and_outcome():
    found = measured()
    assert found.by_region == {EAST: (3, 1), WEST: (4, 2)}
    assert (found.requests, found.failed) == (7, 3)
    assert found.availability == pytest.approx(4 / 7)


def test_a_write_that_one_table_lacks_or_has_with_another_value_is_missing():
    writes = [write(1, 1.0), write(2, 2.0), write(3, 3.0)]
    table = [item(w) for w in writes]
    assert missing(writes, {WEST: table, EAST: table}) == []
    assert missing(writes, {WEST: table, EAST: [table[0], item(writes[1], bookmark="another"), table[2]]}) == [writes[1]]
    assert missing(writes, {WEST: table[1:], EAST: table}) == [writes[0]]
    assert missing(writes, {WEST: [], EAST: table}) == writes


def test_lost_writes_span_the_time_from_the_first_sent_to_the_last_taken():
    assert measured(lost=[write(2, 2.0), write(9, 6.0)]).recovery.lost_seconds == pytest.approx(4.1)
    assert measured().recovery.lost_seconds == 0


def test_lag_is_summarised_before_during_and_after_the_fault():
    lags = [
        Lag(1, WEST, EAST, 1.0, 1.0),
        Lag(2, WEST, EAST, 4.5, 12.0),
        Lag(3, EAST, WEST, 16.0, None),
        Lag(4, WEST, EAST, 22.0, 0.5),
    ]
    found = measured(lags=lags).lag
    assert (found["before"].count, found["before"].most) == (1, 1.0)
    assert (found["during"].count, found["during"].most, found["during"].given_up) == (2, 12.0, 1)
    assert found["after"].median == 0.5


@pytest.mark.parametrize(
    ("threshold", "countdown", "request_seconds", "wanted"),
    [(3, 0, 0.0, 0.5 + 1.0 + 0.2), (1, 0, 0.0, 0.5 + 0.2), (3, 10_000, 0.0, 0.5 + 10 + 0.2), (3, 0, 3.0, 3 + 3 + 6 + 0.2 + 3)],
)
def test_the_bound_is_interval_times_threshold_or_countdown_plus_the_switch(threshold, countdown, request_seconds, wanted):
    settings = replace(SETTINGS, min_failures=threshold, countdown_ms=countdown)
    assert rto_bound(settings, request_seconds) == pytest.approx(wanted)
