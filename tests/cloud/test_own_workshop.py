"""A workshop that the user wrote, and a copy of the built-in one, set up by path and taken down again."""

from __future__ import annotations

import json

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, REGIONS, eventually

pytestmark = pytest.mark.cloud


def test_a_new_workshop_runs_as_it_is_made(clean):
    clean.run("definition", "new", "sea-tour")
    where = ("--workshop", "./sea-tour", "--yes")
    setup = clean.document("setup", *where)
    assert setup["workshop"] == "sea-tour"
    assert {step["outcome"] for step in setup["steps"]} == {"created"}
    assert [clean.count(region, "sea-tour-table") for region in REGIONS] == [3, 3]
    assert clean.tags(OTHER_REGION, "sea-tour-table")["workshop"] == "sea-tour"
    assert {step["outcome"] for step in clean.document("setup", *where)["steps"]} == {"unchanged"}
    assert {step["state"] for step in clean.document("status")["steps"]} == {"absent"}
    assert "workshop has no web pages" in clean.run("open", *where, code=2).err.replace("sea-tour", "workshop")
    assert clean.document("teardown", *where)["leftovers"] == []
    assert clean.inventory() == []


def test_a_step_of_ones_own_that_fails_is_told_with_the_command_that_goes_on(clean):
    clean.run("definition", "new", "lake-tour")
    clean.table("lake-tour-table", keys=("id",))
    done = clean.run("setup", "--workshop", "./lake-tour", "--yes", code=1)
    assert "go on with: workshop setup --workshop ./lake-tour" in done.out


@pytest.fixture(scope="module")
def films(shell):
    """A copy of the built-in workshop."""
    shell.run("definition", "new", "my-films", "--from", "global-serverless")
    return ("--workshop", "./my-films", "--yes")


def test_a_copy_of_the_builtin_workshop_runs_and_can_be_edited(clean, films):
    assert clean.run("definition", "lint", "./my-films").out == "./my-films is sound.\n"
    first = clean.document("setup", *films)
    assert {step["outcome"] for step in first["steps"]} == {"created"}
    assert b"ping" in clean.get(first["apis"][HOME_REGION]["path_url"])
    assert "/sites/my-films/" in first["web"]["harness"]
    source = clean.work / "my-films" / "api" / "app.py"
    assert source.read_text().count('{"ping": "ok"}') == 1
    source.write_text(source.read_text().replace('{"ping": "ok"}', '{"ping": "ok", "by": "me"}'))
    page = clean.work / "my-films" / "web" / "index.html"
    page.write_text(page.read_text().replace("<title>", "<title>Mine: ", 1))
    second = clean.document("setup", *films)
    outcomes = {(step["id"], step["region"]): step["outcome"] for step in second["steps"]}
    assert {key for key, outcome in outcomes.items() if outcome == "updated"} == {
        ("web", "global"),
        *(("api", region) for region in REGIONS),
    }
    assert second["apis"] == first["apis"]
    assert json.loads(clean.get(first["apis"][OTHER_REGION]["path_url"])) == {"ping": "ok", "by": "me"}
    assert "Mine: " in clean.get(first["web"]["harness"].replace("harness.html", "index.html")).decode()
    assert clean.document("teardown", *films)["leftovers"] == []
    assert clean.inventory() == []


def test_what_setup_and_explain_offer_next_means_the_workshop_that_was_set_up(clean, films):
    given = (*films, "--param", "table=mine-too", "--target", "local")
    said = clean.run("explain", "data", *given).out
    assert (
        "workshop step show data --file --workshop ./my-films --target local --param table=mine-too > data-mine-too.json" in said
    )
    assert (
        "# needs what earlier steps make, shown after: workshop setup --workshop ./my-films" in clean.run("explain", *given).out
    )
    offered = [line.rsplit("  ", 1) for line in clean.run("setup", *given).out.splitlines()[-3:]]
    commands = [line.strip() for line, _ in offered]
    assert commands == [f"workshop {word} --workshop ./my-films --target local" for word in ("open", "status", "teardown")]
    assert [what for _, what in offered] == ["opens the web app", "shows what is deployed", "removes it again"]
    assert clean.bash(commands[1]).out.startswith("my-films on local")
    explained = "\n".join(line for step in clean.document("explain", "data", *films[:2])["steps"] for line in step["commands"])
    assert clean.bash(f'eval "$(workshop cloud env)"\n{explained}').out.split()[-2:] == ["13", "13"]
    clean.bash(commands[2])
    assert clean.inventory() == []


def test_another_workshop_with_the_same_names_is_foreign(clean, films):
    clean.run("setup", "--through", "backend")
    refused = clean.document("setup", *films, "--through", "backend", code=1)
    assert {step["error"]["code"] for step in refused["steps"] if step["error"]} == {"Foreign"}
    assert {step["state"] for step in clean.document("status")["steps"] if step["module"] == "backend"} == {"ready"}
    clean.run("teardown", *films, code=5)
    assert {step["state"] for step in clean.document("status")["steps"] if step["module"] == "backend"} == {"ready"}


CHANGING = """
name: changing
title: Changed between setup and teardown
regions: [us-west-2, eu-west-1]
parameters:
  {parameter}: {{default: changing-{table}}}
modules:
  - name: all
    title: All
    steps:
      - {{id: table, kind: dynamodb.table, in: home, with: {{name: '{{{{ {parameter} }}}}', keys: {{id: S}}}}}}
"""


def test_what_a_definition_does_not_make_any_more_is_named_and_a_lost_parameter_stops_nothing(clean):
    folder = clean.work / "changing"
    folder.mkdir()
    where = ("--workshop", "./changing", "--yes")
    (folder / "workshop.yaml").write_text(CHANGING.format(parameter="who", table="one"))
    clean.run("setup", *where, "--param", "who=changing-mine")
    (folder / "workshop.yaml").write_text(CHANGING.format(parameter="whom", table="two"))
    ended = clean.run("teardown", *where, "--json", code=5)
    assert "who=changing-mine, which its definition does not take any more" in ended.err
    (left,) = ended.document["leftovers"]
    assert (left["kind"], left["name"], left["region"]) == ("table", "changing-mine", HOME_REGION) and left["ours"]
    assert "does not use now" in left["why"] and left["fix"].startswith("aws dynamodb delete-table")
    assert clean.inventory() == [(HOME_REGION, "table", "changing-mine")]
    clean.client("dynamodb").delete_table(TableName="changing-mine")
    eventually(lambda: clean.inventory() == [])
    assert clean.document("teardown", *where)["leftovers"] == []
