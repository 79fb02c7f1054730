"""`workshop definition`, as an author types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs `workshop ...` in an empty folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WORKSHOP_")}
    environment["WORKSHOP_HOME"] = str(tmp_path / "home")
    work = tmp_path / "work"
    work.mkdir()

    def call(*arguments, **more):
        return subprocess.run(
            [sys.executable, "-m", "workshop", *arguments],
            cwd=work,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    call.folder = work
    return call


def test_a_new_workshop_is_made_linted_and_refused_a_second_time(run):
    made = run("definition", "new", "my-workshop")
    assert made.returncode == 0
    assert "workshop setup --workshop ./my-workshop" in made.stdout
    assert run("definition", "lint", "./my-workshop").stdout == "./my-workshop is sound.\n"
    again = run("definition", "new", "my-workshop")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_a_copy_of_the_builtin_workshop_is_sound(run):
    made = json.loads(run("definition", "new", "my-films", "--from", "global-serverless", "--json").stdout)
    assert made["version"] == 1
    assert made["command"] == "definition new"
    assert made["ok"] is True
    assert "api/app.py" in made["files"]
    assert run("definition", "lint", "my-films").returncode == 0


def test_lint_shows_every_problem_with_its_place_and_remedy(run):
    run("definition", "new", "w")
    path = run.folder / "w" / "workshop.yaml"
    text = path.read_text().replace("kind: dynamodb.table", "kind: dynamodb.tabel").replace("file: items.json", "file: item.json")
    path.write_text(text)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "dynamodb.tabel" in row)
    done = run("definition", "lint", "w")
    assert done.returncode == 2
    assert f"w/workshop.yaml:{line}: modules.first-steps.steps.table.kind\n" in done.stdout
    assert "→ Did you mean 'dynamodb.table'?" in done.stdout
    assert "There is no file 'item.json'" in done.stdout
    assert done.stderr == "2 problems in w.\n"


def test_lint_as_json_lists_the_problems_and_fails(run):
    (run.folder / "w.yaml").write_text("name: w\n")
    done = run("definition", "lint", "w.yaml", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["ok"] is False
    assert document["command"] == "definition lint"
    assert {(each["where"], each["line"], each["field"]) for each in document["problems"]} == {
        ("w.yaml", 1, field) for field in ("title", "regions", "modules")
    }
    assert all(each["what"] and each["fix"] for each in document["problems"])


def test_an_unknown_path_is_wrong_usage(run):
    done = run("definition", "lint", "./nowhere", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "UnknownWorkshop"
    assert "no workshop at nowhere" in done.stderr


def test_the_schema_is_printed_as_it_is(run):
    schema = json.loads(run("definition", "schema").stdout)
    assert schema["title"] == "workshop.yaml"
    assert "dynamodb.replica" in schema["$defs"]
    assert json.loads(run("definition", "schema", "--json").stdout)["schema"] == schema


@pytest.mark.parametrize("command", ["lint", "schema", "new"])
def test_every_help_text_has_an_example(run, command):
    shown = run("definition", command, "--help").stdout
    assert f"workshop definition {command}" in shown.partition("Example")[2]


def test_lint_opens_no_door_to_aws(run):
    program = (
        "import sys\nfrom workshop.cli.main import run\ncode = run(['definition', 'lint', 'global-serverless'])\n"
        "print(code, sorted({'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=run.folder)
    assert done.stdout.splitlines()[-1] == "0 []"
