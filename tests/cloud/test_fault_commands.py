"""`workshop cloud fault`: a region cut off, an error on demand, and the end of both."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.cloud.shell import OTHER_REGION
from workshop.cloud.fault_model import KINDS

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_in_the_manual(kind):
    manual = (Path(__file__).parents[2] / "docs" / "local-cloud.md").read_text()
    assert f"`{kind}`" in manual


def test_an_error_on_demand_hits_as_many_calls_as_ordered_and_is_counted(clean):
    words = "cloud fault add error --service dynamodb --operation ListTables --code Weather --status 400 --times 2 --json"
    ordered = clean.run(*words.split()).document["fault"]
    assert (ordered["code"], ordered["times"], ordered["hits"]) == ("Weather", 2, 0)
    tables = clean.client("dynamodb", OTHER_REGION)
    with pytest.raises(ClientError, match="Weather"):
        tables.list_tables()
    listed = clean.run("cloud", "fault", "list", "--json").document["faults"]
    assert [(fault["id"], fault["hits"]) for fault in listed] == [(ordered["id"], 1)]
    assert "1 hit" in clean.run("cloud", "fault", "list").out
    with pytest.raises(ClientError, match="Weather"):
        tables.list_tables()
    assert tables.list_tables()["TableNames"] == []
    assert clean.run("cloud", "fault", "list", "--json").document["faults"] == []


def test_faults_are_listed_and_ended(clean):
    clean.run("cloud", "fault", "add", "cut", "--region", OTHER_REGION)
    assert f"region={OTHER_REGION}" in clean.run("cloud", "fault", "list").out
    assert "1 fault ended" in clean.run("cloud", "fault", "clear").out
    assert "No fault is in force" in clean.run("cloud", "fault", "list").out


@pytest.mark.parametrize(
    "words", [("cut",), ("error", "--status", "200"), ("error", "--operation", "PutItme", "--service", "dynamodb"), ("rain",)]
)
def test_a_fault_that_could_never_hit_a_call_is_refused(clean, words):
    assert clean.run("cloud", "fault", "add", *words, code=2).err.startswith("Error: ")
    assert "No fault is in force" in clean.run("cloud", "fault", "list").out
