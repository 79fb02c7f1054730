"""`workshop cloud fault`: a region cut off, an error on demand, and the end of both."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.cloud.desk import OTHER_REGION
from workshop.cli.fault import KINDS
from workshop.cloud import faults

pytestmark = pytest.mark.cloud


def test_the_kinds_of_the_help_are_those_of_the_cloud():
    assert set(KINDS) == set(faults.KINDS)


def test_an_error_on_demand_strikes_as_often_as_ordered_and_is_counted(clean):
    ordered = clean.run(
        "cloud", "fault", "add", "error", "--service", "dynamodb", "--operation", "ListTables", "--code", "Weather",
        "--status", "400", "--times", "1", "--json",
    ).document  # fmt: skip
    tables = clean.client("dynamodb", OTHER_REGION)
    with pytest.raises(ClientError, match="Weather"):
        tables.list_tables()
    assert tables.list_tables()["TableNames"] == []
    listed = clean.run("cloud", "fault", "list", "--json").document["faults"]
    assert [fault["id"] for fault in listed if fault["times"] == 0] == []
    assert ordered["ok"] and ordered["fault"]["code"] == "Weather"


def test_faults_are_listed_and_ended(clean):
    clean.run("cloud", "fault", "add", "cut", "--region", OTHER_REGION)
    assert f"region={OTHER_REGION}" in clean.run("cloud", "fault", "list").out
    assert "1 fault ended" in clean.run("cloud", "fault", "clear").out
    assert "No fault is in force" in clean.run("cloud", "fault", "list").out


@pytest.mark.parametrize(
    "words", [("cut",), ("error", "--status", "200"), ("error", "--operation", "PutItme", "--service", "dynamodb"), ("rain",)]
)
def test_a_fault_that_could_never_strike_is_refused(clean, words):
    assert clean.run("cloud", "fault", "add", *words, code=2).err.startswith("Error: ")
    assert "No fault is in force" in clean.run("cloud", "fault", "list").out
