"""`workshop definition`, as an author types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.cloud.shell import Result
from tests.warm import commands


@pytest.fixture
def run(tmp_path):
    """Runs `workshop ...` in an empty folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WORKSHOP_")}
    environment["WORKSHOP_HOME"] = str(tmp_path / "home")
    work = tmp_path / "work"
    work.mkdir()

    def call(*arguments):
        return Result(*commands.run(arguments, cwd=work, environment=environment, text="", timeout=60))

    call.folder = work
    return call


def test_a_new_workshop_is_made_linted_and_refused_a_second_time(run):
    made = run("definition", "new", "my-workshop")
    assert made.code == 0
    assert "workshop setup --workshop ./my-workshop" in made.out
    assert run("definition", "lint", "./my-workshop").out == "./my-workshop is sound.\n"
    again = run("definition", "new", "my-workshop")
    assert again.code == 2
    assert "exists already" in again.err


def test_a_copy_of_the_builtin_workshop_is_sound(run):
    made = json.loads(run("definition", "new", "my-films", "--from", "global-serverless", "--json").out)
    assert made["version"] == 1
    assert made["command"] == "definition new"
    assert made["ok"] is True
    assert "api/app.py" in made["files"]
    assert run("definition", "lint", "my-films").code == 0


def test_lint_shows_every_problem_with_its_place_and_remedy(run):
    run("definition", "new", "w")
    path = run.folder / "w" / "workshop.yaml"
    text = path.read_text().replace("kind: dynamodb.table", "kind: dynamodb.tabel").replace("file: items.json", "file: item.json")
    path.write_text(text)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "dynamodb.tabel" in row)
    done = run("definition", "lint", "w")
    assert done.code == 2
    assert f"w/workshop.yaml:{line}: modules.first-steps.steps.table.kind\n" in done.out
    assert "→ Did you mean 'dynamodb.table'?" in done.out
    assert "There is no file 'item.json'" in done.out
    assert done.err == "2 problems in w.\n"


def test_lint_as_json_lists_the_problems_and_fails(run):
    (run.folder / "w.yaml").write_text("name: w\n")
    done = run("definition", "lint", "w.yaml", "--json")
    document = json.loads(done.out)
    assert done.code == 2
    assert document["ok"] is False
    assert document["command"] == "definition lint"
    assert {(each["where"], each["line"], each["field"]) for each in document["problems"]} == {
        ("w.yaml", 1, field) for field in ("title", "regions", "modules")
    }
    assert all(each["what"] and each["fix"] for each in document["problems"])


def test_an_unknown_path_is_wrong_usage(run):
    """By the name of the module, which is another way to run the command."""
    command = [sys.executable, "-m", "workshop", "definition", "lint", "./nowhere", "--json"]
    done = subprocess.run(command, cwd=run.folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "UnknownWorkshop"
    assert "no workshop at nowhere" in done.stderr


def test_the_schema_is_printed_as_it_is(run):
    schema = json.loads(run("definition", "schema").out)
    assert schema["title"] == "workshop.yaml"
    assert "dynamodb.replica" in schema["$defs"]
    assert json.loads(run("definition", "schema", "--json").out)["schema"] == schema


@pytest.mark.parametrize("command", ["lint", "schema", "new"])
def test_every_help_text_has_an_example(run, command):
    shown = run("definition", command, "--help").out
    assert f"workshop definition {command}" in shown.partition("Example")[2]


def test_lint_opens_no_door_to_aws(run):
    program = (
        "import sys\nfrom workshop.cli.main import run\ncode = run(['definition', 'lint', 'global-serverless'])\n"
        "print(code, sorted({'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=run.folder)
    assert done.stdout.splitlines()[-1] == "0 []"
