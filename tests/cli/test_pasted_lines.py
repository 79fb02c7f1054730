"""What `workshop explain` prints is pasted: it runs with the options that were given, and nothing that is hidden in it.

The programs that the lines name are stand-ins that write down how they were called.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.warm import commands

PRINTS = {"aws": "echo ACTIVE", "workshop": "echo rendered", "curl": ":", "cat": ":", "sleep": ":", "rm": ":"}
"""Each stand-in and what it does beside writing down its words."""
FOLDER = "it's; touch MARK-folder #"
SOURCE = "web $(touch MARK-source)"
TEMPLATE = "`touch MARK-template`.yaml.j2"
FILE = "data & touch MARK-file.json"
VALUE = '"; touch MARK-value; $(touch MARK-value) `touch MARK-value` #'
CAPABILITY = "CAPABILITY_NAMED_IAM"
DEFINITION = f"""
name: hostile
title: 'Hostile $(touch MARK-title)'
regions: [us-west-2, eu-west-1]
parameters:
  table: {{default: films, pattern: '[a-z]{{3,20}}'}}
  note: {{default: nothing}}
modules:
  - name: all
    title: All
    steps:
      - {{id: table, kind: dynamodb.table, in: home, with: {{name: '{{{{ table }}}}', keys: {{PK: S, s.k-1: N}}}}}}
      - {{id: replica, kind: dynamodb.replica, in: replicas, needs: [table], with: {{table: '{{{{ table }}}}'}}}}
      - {{id: data, kind: dynamodb.items, in: home, needs: [table], with: {{table: '{{{{ table }}}}', file: '{FILE}'}}}}
      - id: api
        kind: cloudformation.stack
        in: each
        with: {{name: hostile, template: '{TEMPLATE}', parameters: {{Note: '{{{{ note }}}}'}}, capabilities: [{CAPABILITY}]}}
      - {{id: web, kind: web.site, in: global, with: {{source: '{SOURCE}', config: config.json.j2}}}}
      - {{id: ping, kind: http.check, in: each, with: {{url: 'http://localhost/{{{{ note }}}}'}}}}
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with a definition that hides commands wherever lint lets it."""
    folder = tmp_path / "work" / FOLDER
    (folder / SOURCE).mkdir(parents=True)
    (folder / "workshop.yaml").write_text(DEFINITION)
    (folder / SOURCE / "config.json.j2").write_text("{}")
    (folder / FILE).write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}, "s.k-1": {"N": "1"}}}}]}')
    (folder / TEMPLATE).write_text("Resources: {T: {Type: 'AWS::SNS::Topic'}}")
    return tmp_path / "work"


@pytest.fixture
def workshop(work: Path, tmp_path: Path):
    """Runs `workshop ...` beside the definition and answers what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKSHOP_", "AWS_"))}

    def call(*words: str, code: int = 0) -> str:
        environment = {**kept, "WORKSHOP_HOME": str(tmp_path / "home")}
        ended, out, err = commands.run(words, cwd=work, environment=environment, text="", timeout=60)
        assert ended == code, err
        return out + (err if code else "")

    return call


def pasted(lines: str, folder: Path) -> list[list[str]]:
    """Run the lines with stand-ins on the PATH alone, and answer the words of each call."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    for name, does in PRINTS.items():
        (programs / name).write_text(f'#!{shutil.which("bash")}\nprintf "%s\\0" "{name}" "$@" "" >> "$CALLS"\n{does}\n')
        (programs / name).chmod(0o755)
    (programs / "touch").symlink_to(str(shutil.which("touch")))
    paste = folder / "paste"
    paste.mkdir()
    calls = folder / "calls"
    subprocess.run(
        [str(shutil.which("bash")), "-eu"], input=lines, text=True, cwd=paste, env={"PATH": str(programs), "CALLS": str(calls)},
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    return [call.split("\0") for call in calls.read_text().removesuffix("\0\0").split("\0\0")]


WHERE = ("--workshop", f"./{FOLDER}", "--target", "aws", "--region", "us-west-2", "--region", "ap-south-1")
GIVEN = (*WHERE, "--param", "table=mine", "--param", f"note={VALUE}")


def test_the_lines_run_with_what_was_given_and_run_nothing_else(workshop, work, tmp_path):
    workshop("definition", "lint", f"./{FOLDER}")
    calls = pasted(workshop("explain", *GIVEN), tmp_path / "shell")
    made = sorted(path.name for path in (tmp_path / "shell" / "paste").iterdir())
    assert made == ["data-mine.json", "hostile-ap-south-1.yaml", "hostile-us-west-2.yaml"]
    assert not list(work.rglob("MARK*")) and {call[0] for call in calls} <= {"aws", "workshop", "curl", "cat"}
    shown = [call for call in calls if call[0] == "workshop"]
    assert shown == [
        ["workshop", "step", "show", *words, *GIVEN]
        for words in (("data", "--file"), *(("api", "--in", r, "--template") for r in ("us-west-2", "ap-south-1")))
    ]
    deploy = next(call for call in calls if call[:3] == ["aws", "cloudformation", "deploy"])
    assert deploy[deploy.index("--parameter-overrides") + 1 :] == [f"Note={VALUE}"]
    assert ["curl", "-sS", f"http://localhost/{VALUE}"] in calls


def test_the_line_of_the_data_writes_a_file_for_the_table_that_was_given(workshop):
    text = workshop("step", "show", "data", "--file", *GIVEN)
    assert json.loads(text) == {"mine": [{"PutRequest": {"Item": {"PK": {"S": "a"}, "s.k-1": {"N": "1"}}}}]}
    document = json.loads(workshop("step", "show", "data", "--file", "--json", *GIVEN))
    assert document["id"] == "data" and list(document["file"]) == ["mine"]
    assert "The step table has no file." in workshop("step", "show", "table", "--file", *GIVEN, code=2)
    assert "cannot be given together" in workshop("step", "show", "data", "--file", "--template", *GIVEN, code=2)


@pytest.mark.parametrize(
    ("was", "now", "field"),
    [
        (CAPABILITY, '"CAPABILITY_IAM; touch x #"', "modules.all.steps.api.with.capabilities"),
        ("s.k-1: N", "'PK;touch x;#': S", "modules.all.steps.table.with.keys"),
        ("{Note: ", "{'--role-arn': ", "modules.all.steps.api.with.parameters"),
        (f"source: '{SOURCE}'", 'source: "web\\ntouch x #"', "modules.all.steps.web.with.source"),
        ("config: config.json.j2", 'config: "a\\tb"', "modules.all.steps.web.with.config"),
        (f"file: '{FILE}'", "file: \"{{ '\\\\x1b[2J' }}\"", "modules.all.steps.data.with.file"),
        (f"template: '{TEMPLATE}'", 'template: "a\\nb"', "modules.all.steps.api.with.template"),
    ],
)
def test_a_setting_that_would_be_more_than_a_word_is_refused_with_its_line(workshop, work, was, now, field):
    path = work / FOLDER / "workshop.yaml"
    assert was in DEFINITION
    path.write_text(DEFINITION.replace(was, now))
    said = workshop("definition", "lint", f"./{FOLDER}", code=2)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if now in text)
    assert f"workshop.yaml:{line}" in said and field in said and "\x1b" not in said


def test_a_default_that_does_not_fit_is_refused_though_a_value_was_given(workshop, work):
    (work / FOLDER / "workshop.yaml").write_text(DEFINITION.replace("default: films", "default: 'x\"/y/;1e touch x #'"))
    assert "default" in workshop("definition", "lint", f"./{FOLDER}", code=2)
    assert "files" not in workshop("explain", "data", *GIVEN, code=2)
