"""`workshop teardown --sweep`: without a journal, in every region."""

from __future__ import annotations

import pytest

from tests.cloud.desk import OTHER_REGION, Desk

pytestmark = pytest.mark.cloud


def lose_the_journal(desk: Desk) -> None:
    for path in desk.state.glob("runs.db*"):
        path.unlink()


def test_a_lost_journal_and_other_regions_leave_nothing_standing(clean):
    before = clean.inventory()
    clean.run("setup", "--through", "backend", "--region", "us-west-2", "--region", "ap-southeast-2")
    lose_the_journal(clean)
    swept = clean.run("teardown", "--sweep", "--json").document
    assert swept["leftovers"] == [] and "ap-southeast-2" in swept["regions"]
    assert clean.inventory() == before


def test_what_was_set_up_under_other_names_is_found_by_its_tags_and_named(clean):
    clean.run("setup", "--through", "backend", "--param", "table=other-table", "--param", "stack=other-stack",
              "--param", "function=other-function")  # fmt: skip
    lose_the_journal(clean)
    swept = clean.run("teardown", "--sweep", "--json", code=5).document
    left = {(r["kind"], r["name"], r["region"]) for r in swept["leftovers"]}
    assert {("table", "other-table", "us-west-2"), ("table", "other-table", OTHER_REGION)} <= left
    assert {("stack", "other-stack", "us-west-2"), ("stack", "other-stack", OTHER_REGION)} <= left
    assert all("other parameters" in r["why"] and r["fix"] for r in swept["leftovers"])
    again = clean.run("teardown", "--param", "table=other-table", "--param", "stack=other-stack", "--param",
                      "function=other-function", "--json").document  # fmt: skip
    assert again["leftovers"] == []
