"""A workshop that is nothing but names, on the local cloud: set up, asked, looked at, and taken down with nothing left."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cloud.shell import REGIONS, Shell

pytestmark = pytest.mark.cloud

DEFINITION = """
name: two-names
title: A name in front of two regions
regions: [us-west-2, eu-west-1]
parameters:
  domain: {default: ''}
  adopt: {default: 'true'}
  weight: {default: '1', pattern: '[0-9]+'}
modules:
  - name: names
    title: One name
    steps:
      - {id: zone, kind: route53.zone, in: global, with: {name: '{{ zone_name }}', adopt: '{{ adopt }}'}}
      - {id: delegation, kind: dns.delegation, in: global, needs: [zone],
         with: {name: '{{ zone_name }}', servers: '{{ steps.zone.NameServers }}', deadline: 20}}
      - id: records
        kind: route53.records
        in: global
        needs: [delegation]
        with:
          zone: '{{ steps.zone.ZoneId }}'
          name: 'api.{{ zone_name }}'
          targets: {host: 'a1.execute-api.{{ region }}.localhost', weight: '{{ weight if region == home else 1 }}'}
      - {id: answers, kind: dns.answers, in: global, needs: [records],
         with: {name: 'api.{{ zone_name }}', zone: '{{ steps.zone.ZoneId }}', deadline: 20}}
names: {api: {step: records}}
"""
WHERE = ("--workshop", "./two-names", "--yes")


@pytest.fixture
def names(clean: Shell) -> Shell:
    folder = clean.work / "two-names"
    folder.mkdir(exist_ok=True)
    (folder / "workshop.yaml").write_text(DEFINITION)
    return clean


def zones(shell: Shell) -> list[str]:
    return [zone["Name"] for zone in shell.client("route53").list_hosted_zones()["HostedZones"]]


def test_names_are_set_up_asked_and_taken_down(names: Shell) -> None:
    setup = names.document("setup", *WHERE)
    assert {step["outcome"] for step in setup["steps"]} == {"created"}
    assert setup["names"]["api"]["host"] == "api.names.localhost" and zones(names) == ["names.localhost."]
    assert {step["outcome"] for step in names.document("setup", *WHERE)["steps"]} == {"unchanged"}
    assert {step["state"] for step in names.document("status", *WHERE)["steps"]} == {"ready"}

    found = names.document("observe", "answers", "--queries", "120", *WHERE)
    assert found["queries"] == sum(found["answers"].values()) == 120 and set(found["answers"]) == set(REGIONS)
    assert found["expected"] == dict.fromkeys(sorted(REGIONS), 0.5) and found["ok"] and found["policy"] == "weighted"
    assert [each["region"] in REGIONS for each in found["cached"]] == [True] * 3 and found["via"] == ["udp"]
    assert ET.parse(Path(found["svg"])).getroot().tag.endswith("svg")
    shown = names.run("observe", "answers", "--from", "198.51.100.7", *WHERE).out
    assert "api.names.localhost from 198.51.100.0/24: weighted, 200 queries" in shown
    assert "One resolver keeps each answer for its TTL" in shown and "50.0%" in shown

    down = names.document("teardown", *WHERE)
    assert down["leftovers"] == [] and zones(names) == []


def test_a_zone_that_exists_is_used_and_kept(names: Shell) -> None:
    names.client("route53").create_hosted_zone(Name="names.localhost", CallerReference="theirs")
    names.run("setup", *WHERE)
    plan = names.document("teardown", "--plan", *WHERE)
    assert {step["id"]: step["state"] for step in plan["steps"]}["zone"] == "ready"
    assert "keep" in names.run("teardown", "--plan", *WHERE).out
    down = names.document("teardown", *WHERE)
    assert {step["id"]: step["outcome"] for step in down["steps"]}["zone"] == "skipped"
    assert down["leftovers"] == [] and zones(names) == ["names.localhost."]


def test_a_zone_that_exists_is_adopted_where_it_is_asked_for_and_stays(names: Shell) -> None:
    zone = names.client("route53").create_hosted_zone(Name="names.localhost", CallerReference="theirs")["HostedZone"]["Id"]
    own = (*WHERE, "--param", "adopt=false")
    refused = names.run("setup", *own, code=1)
    assert "A hosted zone names.localhost exists" in refused.out + refused.err
    assert {step["outcome"] for step in names.document("setup", "--adopt", *own)["steps"]} <= {"created", "updated"}
    assert names.document("teardown", *own)["leftovers"] == [] and zones(names) == ["names.localhost."]
    tags = names.client("route53").list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone.rpartition("/")[2])
    assert tags["ResourceTagSet"]["Tags"] == []


def test_a_zone_that_others_filled_is_left_with_each_record_named_until_they_are_gone(names: Shell) -> None:
    names.run("setup", *WHERE)
    route53 = names.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    row = {"Name": "www.names.localhost", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    down = names.document("teardown", *WHERE, code=5)
    (left,) = down["leftovers"]
    assert (left["kind"], left["region"]) == ("hosted-zone", "global") and "A www.names.localhost" in left["why"]
    batch["Changes"][0]["Action"] = "DELETE"
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    assert names.document("teardown", *WHERE)["leftovers"] == [] and zones(names) == []


def test_a_sweep_without_a_journal_finds_the_zone_and_removes_it(names: Shell) -> None:
    names.run("setup", *WHERE)
    names.lose_the_journal()
    assert names.document("teardown", "--sweep", "--yes-dangling", *WHERE)["leftovers"] == [] and zones(names) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--from", "here"), 2, "is no network"),
        (("--name", "other"), 2, "has no name 'other'"),
        ((), 1, "No public zone"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_helps(names: Shell, words: tuple[str, ...], code: int, text: str) -> None:
    result = names.run("observe", "answers", *words, *WHERE, code=code)
    assert text in result.err
    if code == 1:
        assert "workshop setup --workshop ./two-names" in result.err


def test_a_workshop_without_names_has_no_answers_to_observe(clean: Shell) -> None:
    result = clean.run("observe", "answers", code=2)
    assert "lists no `names:`" in result.err
