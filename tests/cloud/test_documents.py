"""What every command answers with `--json`: one document on stdout, of the same outline, whatever comes of it."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.cloud

STEP = {"id", "module", "region", "kind", "account", "outcome", "seconds", "outputs", "error"}
BEFORE = [
    ("setup --plan", {"workshop", "target", "account", "regions", "minutes", "usd", "steps"}),
    ("status", {"workshop", "target", "account", "regions", "module", "steps", "failed_regions", "apis", "web"}),
    ("step list", {"workshop", "steps"}),
    ("step show table", {"id", "kind", "module", "in", "regions", "needs", "with", "minutes", "usd"}),
    ("step show api --template --in eu-west-1", {"id", "region", "template"}),
    ("step run table", {"workshop", "target", "account", "regions", "seconds", "steps"}),
    ("explain", {"workshop", "target", "steps"}),
    ("setup", {"workshop", "target", "account", "regions", "seconds", "steps", "apis", "web"}),
    ("open globalflix", {"url", "folder"}),
    ("teardown --plan", {"workshop", "target", "account", "regions", "steps"}),
    ("teardown", {"workshop", "target", "account", "regions", "seconds", "steps", "leftovers", "receipt"}),
    ("cloud start", {"running", "pid", "port", "endpoint", "timing"}),
    ("cloud status", {"running", "pid", "port", "endpoint", "timing"}),
    ("cloud env", {"variables"}),
    ("cloud logs -n 3", {"lines"}),
    ("cloud reset", {"running", "pid", "port", "endpoint", "timing"}),
    ("definition new sea-tour", {"workshop", "folder", "files"}),
    ("definition lint sea-tour", {"workshop", "problems"}),
    ("definition schema", {"schema"}),
]


@pytest.mark.parametrize(("line", "fields"), BEFORE, ids=[line for line, _ in BEFORE])
def test_a_command_prints_one_document(shell, line, fields):
    words = line.split()
    document = shell.run(*words, "--json").document
    named = {"cloud", "step", "definition"}
    assert document["version"] == 1
    assert document["command"] == " ".join(words[: 2 if words[0] in named else 1])
    assert document["ok"] is True
    assert fields <= set(document)
    if "seconds" in fields:
        assert all(set(step) == STEP for step in document["steps"])


@pytest.mark.parametrize(
    ("line", "code", "command"),
    [
        ("setup --workshop nowhere", 2, "setup"),
        ("step run nothing", 2, "step run"),
        ("cloud start --port 1", 2, "cloud start"),
        ("open nothing", 2, "open"),
        ("setup --no-such-option", 2, "setup"),
        ("step run replica", 1, "step run"),
    ],
)
def test_a_command_that_fails_prints_a_document_too(shell, line, code, command):
    done = shell.run(*line.split(), "--json", code=code)
    document = json.loads(done.out)
    assert (document["version"], document["command"], document["ok"]) == (1, command, False)
    assert set(document["error"]) == {"what", "why", "fix", "code"}
    assert document["error"]["what"]
    assert document["error"]["fix"]
    assert any(line.startswith("Error: ") for line in done.err.splitlines())


def test_the_json_variable_asks_for_the_document_too(shell):
    assert shell.run("status", env={"WORKSHOP_JSON": "1"}).document["command"] == "status"


def test_without_json_the_result_is_text_and_the_progress_is_elsewhere(clean):
    done = clean.run("setup", "--through", "backend")
    assert done.out.startswith("global-serverless is ready on local")
    assert "✓" not in done.out
    assert "✓ table (us-west-2)" in done.err
