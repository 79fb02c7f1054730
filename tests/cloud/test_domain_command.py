"""`workshop domain delegate`: the record that the parent needs, printed, written, guarded and removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.shell import Shell

pytestmark = pytest.mark.cloud

DEFINITION = """
name: a07
title: A zone
regions: [us-west-2]
parameters: {domain: {default: a07.event.localhost}}
modules:
  - name: names
    title: Names
    steps:
      - {id: zone, kind: route53.zone, in: global, with: {name: '{{ zone_name }}'}}
"""
ZONE, PARENT = "a07.event.localhost", "event.localhost"
WHERE = ("--workshop", "./a07", "--yes")
SERVERS = ["ns-1.awsdns-1.com", "ns-2.awsdns-2.net", "ns-3.awsdns-3.org", "ns-4.awsdns-4.co.uk"]


@pytest.fixture
def event(clean: Shell) -> Shell:
    (clean.work / "a07").mkdir(exist_ok=True)
    (clean.work / "a07" / "workshop.yaml").write_text(DEFINITION)
    return clean


@pytest.fixture
def parent(event: Shell) -> str:
    event.run("setup", *WHERE)
    return str(event.client("route53").create_hosted_zone(Name=PARENT, CallerReference="parent")["HostedZone"]["Id"])


def delegation(shell: Shell, parent: str) -> list[dict[str, Any]]:
    rows = shell.client("route53").list_resource_record_sets(HostedZoneId=parent)["ResourceRecordSets"]
    return [row for row in rows if row["Name"] == f"{ZONE}."]


def test_the_record_is_printed_ready_to_paste(event: Shell, parent: str) -> None:
    printed = event.run("domain", "delegate", *WHERE)
    assert printed.out.splitlines() == [f"{ZONE}. 60 IN NS {server}." for server in SERVERS]
    assert delegation(event, parent) == []


def test_the_record_is_written_once_and_removed(event: Shell, parent: str) -> None:
    first = event.document("domain", "delegate", "--parent", PARENT, *WHERE)
    assert (first["outcome"], first["zone"], first["parent"], first["servers"]) == ("written", ZONE, PARENT, SERVERS)
    (row,) = delegation(event, parent)
    assert row["TTL"] == 60 and [value["Value"] for value in row["ResourceRecords"]] == [f"{server}." for server in SERVERS]
    assert event.document("domain", "delegate", "--parent", PARENT, *WHERE)["outcome"] == "unchanged"
    assert "delegates it no more" in event.run("domain", "delegate", "--parent", PARENT, "--remove", *WHERE).out
    assert delegation(event, parent) == []
    assert event.document("domain", "delegate", "--parent", PARENT, "--remove", *WHERE)["outcome"] == "unchanged"


def test_a_delegation_to_others_is_neither_written_over_nor_removed_unasked(event: Shell, parent: str) -> None:
    row = {"Name": ZONE, "Type": "NS", "TTL": 300, "ResourceRecords": [{"Value": "ns.elsewhere.net."}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
    event.client("route53").change_resource_record_sets(HostedZoneId=parent, ChangeBatch=batch)
    for more in ((), ("--remove",)):
        refused = event.run("domain", "delegate", "--parent", PARENT, *more, *WHERE, code=1)
        assert "ns.elsewhere.net" in refused.err and delegation(event, parent)[0]["TTL"] == 300
    event.run("domain", "delegate", "--parent", PARENT, "--replace", *WHERE)
    assert delegation(event, parent)[0]["TTL"] == 60


def test_a_zone_of_another_machine_is_named_with_its_servers(event: Shell) -> None:
    words = ("--zone", "B09.event.localhost.", "--server", "ns-1.awsdns-1.com.", "--server", "ns-2.awsdns-2.net")
    printed = event.run("domain", "delegate", *words, *WHERE).out
    assert printed.splitlines() == [f"b09.event.localhost. 60 IN NS ns-{n}" for n in ("1.awsdns-1.com.", "2.awsdns-2.net.")]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--remove",), 2, "--remove needs --parent"),
        (("--zone", "a.b.net"), 2, "go together"),
        (("--zone", "a b", "--server", "ns.x.net"), 2, "is no domain name"),
        (("--parent", "other.localhost"), 2, "is not below other.localhost"),
        (("--parent", "localhost"), 2, "has no public zone localhost"),
        (("--parent", PARENT, "--expect-account", "111122223333"), 2, "This is account 000000000000"),
    ],
)
def test_wrong_words_change_nothing(event: Shell, parent: str, words: tuple[str, ...], code: int, text: str) -> None:
    assert text in event.run("domain", "delegate", *words, *WHERE, code=code).err
    assert delegation(event, parent) == []


def test_a_zone_that_was_never_set_up_is_named_as_such(event: Shell) -> None:
    refused = event.run("domain", "delegate", *WHERE, code=1)
    assert "workshop setup --workshop ./a07" in refused.err and "--zone NAME" in refused.err
