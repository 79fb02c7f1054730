"""Lengths of time as people write and read them."""

from __future__ import annotations

import pytest

from workshop.durations import format_duration, parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("2.5", 2.5)])
def test_lengths_of_time_are_parsed_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "1 week", "1s2"])
def test_other_texts_are_no_lengths_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "none"), (0.04, "40 ms"), (2.5, "2.5 s"), (10.0, "10 s"), (119.94, "119.9 s"), (200, "3 min 20 s"), (900, "15 min")],
)
def test_seconds_are_shown_as_precisely_as_people_need(seconds: float | None, text: str) -> None:
    assert format_duration(seconds) == text
