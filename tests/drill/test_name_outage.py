"""The arithmetic of a drill through a name, on hand-made evidence: bound, marks, and what an outage costs in a month."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.drill.regions import EAST, WEST
from workshop.drill.measure import Outage
from workshop.drill.name_load import DIRECT, Answered
from workshop.drill.name_outage import Marks, Span, name_outage
from workshop.drill.name_report import monthly_sentence
from workshop.drill.routed_name import Bound
from workshop.drill.timeline import RequestKind, TimedRequest

SPAN = Span(WEST, injected=10.0, reverted=60.0, noticed=True)
CLIENT = "cached-1"


def request(client: str, region: str, sent: float, why: str = "", kind: RequestKind = RequestKind.WRITE) -> TimedRequest:
    return TimedRequest(kind, region, sent, sent + 0.1, 500 if why else 200, why, client)


REQUESTS = [
    request(CLIENT, WEST, 8.0, "status 500"),  # before the fault
    request(DIRECT, WEST, 10.5),
    request(DIRECT, WEST, 12.0, "status 500"),
    request(CLIENT, WEST, 12.4, "status 500"),
    request(DIRECT, EAST, 16.0),
    request(CLIENT, WEST, 20.0, "status 500"),
    request(CLIENT, EAST, 21.0),
    request(CLIENT, WEST, 65.0),
]
ANSWERS = [
    Answered(12.0, DIRECT, WEST),
    Answered(14.0, CLIENT, WEST),
    Answered(15.5, DIRECT, EAST),
    Answered(16.0, DIRECT, EAST),
    Answered(64.5, CLIENT, WEST),
]


def measured(
    requests: list[TimedRequest] = REQUESTS, *, span: Span = SPAN, left: bool = True, seen: float | None = 15.0
) -> tuple[Outage, Marks]:
    return name_outage(span, requests, ANSWERS, 99.0, seen=seen, healthy=63.0, left=left)


def test_rto_runs_from_the_first_failed_request_to_the_last_one_of_any_client() -> None:
    outage, marks = measured()
    assert outage.rto == pytest.approx(20.1 - 12.0)
    assert outage.direct == pytest.approx(15.5 - 12.0), "DNS was through with it then"
    assert outage.detected == pytest.approx(3.0)
    assert outage.returned == pytest.approx(65.1 - 60.0)
    assert outage.share == pytest.approx(3 / 4)
    assert marks == Marks(10.0, 12.0, 15.0, 15.5, pytest.approx(20.1), 63.0, pytest.approx(65.1))


def test_a_request_that_reached_the_region_well_counts_for_the_last_client() -> None:
    later = [*REQUESTS, request(CLIENT, WEST, 25.0)]
    assert measured(later)[0].rto == pytest.approx(25.1 - 12.0)


def test_a_planned_evacuation_counts_from_the_change_and_fails_nothing() -> None:
    well = [replace(each, why="", status=200) for each in REQUESTS]
    outage, marks = measured(well, span=replace(SPAN, noticed=False))
    assert marks.effect == 10.0
    assert outage.rto == pytest.approx(20.1 - 10.0)
    assert outage.share == 0.0


def test_a_region_to_which_no_client_was_led_when_it_was_evacuated_is_left_at_once() -> None:
    elsewhere = [replace(each, why="", status=200, region=EAST) for each in REQUESTS]
    outage, marks = measured(elsewhere, span=replace(SPAN, noticed=False))
    assert (outage.rto, outage.share, marks.people) == (0.0, 0.0, 10.0)


def test_clients_that_are_still_led_there_have_no_rto() -> None:
    outage, marks = measured(left=False)
    assert (outage.rto, outage.direct, marks.dns, marks.people) == (None, None, None, None)
    assert outage.detected == pytest.approx(3.0)


def test_a_fault_that_no_request_met_has_no_effect() -> None:
    outage, marks = measured([each for each in REQUESTS if each.ok], seen=None)
    assert (outage.rto, outage.detected, marks.effect) == (None, None, None)


@pytest.mark.parametrize(
    ("bound", "seconds", "words"),
    [
        (Bound(10, 1, 60), 86, "86 s: 10 s x 1 + 10 s until the check turns, 6 s for a request that hangs, 60 s for which"),
        (Bound(30, 3, 60, 60), 246, "6 s for a request that hangs, 60 s until every name server knows, 60 s for which answers"),
        (Bound(1, 3, 6), 16, "16 s: 1 s x 3 + 1 s until the check turns"),
        (Bound(0, 3, 60), 66, "6 s for a request that hangs, 60 s for which answers are kept"),
    ],
)
def test_the_bound_is_the_sum_that_it_names(bound: Bound, seconds: float, words: str) -> None:
    assert bound.seconds == seconds
    assert words in bound.words


@pytest.mark.parametrize(
    ("rto", "share", "percent"),
    [(146.0, 1.0, "99.99"), (1296.0, 1.0, "99.95"), (6.8, 0.3, "99.9999"), (0.0, 0.0, "100.00")],
)
def test_what_an_outage_once_a_month_leaves_is_told_from_100_percent(rto: float, share: float, percent: str) -> None:
    assert monthly_sentence(Outage(rto, None, 0.0, None, share=share)) == f"this outage, once a month: {percent} %"
