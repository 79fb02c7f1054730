"""A definition that is not built in shows what it brings and asks before its code runs or its addresses are called."""

from __future__ import annotations

import http.server
import json
import os
import pty
import select
import stat
import threading
import time
from pathlib import Path

import pytest

from tests.cloud.quick_workshop import quick_workshop
from tests.cloud.shell import eventually

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.cloud
DEFINITION = """
name: stranger
title: By somebody else
regions: [us-west-2]
modules:
  - name: all
    title: All
    steps:
      - {{id: api, kind: cloudformation.stack, in: each, with: {{name: stranger-api, template: stack.yaml.j2}}}}
      - {{id: call, kind: http.check, in: home, with: {{url: '{url}', deadline: 5}}}}
"""
STACK = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Runs:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          def handler(event, context):
              return {}
"""


class Listener:
    """A web server that remembers who called it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        calls = self.calls

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                calls.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hello"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def stranger(clean, listener):
    """A definition by somebody else with a function, a role of an administrator and an address, never granted."""
    folder = clean.work / "stranger"
    folder.mkdir(exist_ok=True)
    (folder / "workshop.yaml").write_text(DEFINITION.format(url=listener.url))
    (folder / "stack.yaml.j2").write_text(STACK)
    yield ("--workshop", "./stranger")
    (folder / "stack.yaml.j2").write_text(STACK)
    clean.run("teardown", "--workshop", "./stranger")
    for file in [*(clean.state / "grants").glob("*"), *folder.iterdir()]:
        file.unlink()


def on_a_terminal(shell, text, *words, before=lambda: None):
    """Run a command on a pseudo-terminal and type `text`, after `before`, once it asks; returns exit code and what appeared."""
    ours, theirs = pty.openpty()
    process = shell.at(theirs, *words, TERM="dumb", NO_COLOR="1", COLUMNS="80")
    os.close(theirs)
    seen, asked, end = b"", False, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
        if b"[y/N]" in seen and not asked:
            before()
            os.write(ours, text.encode())
            asked = True
    os.close(ours)
    return process.wait(30), seen.decode(errors="replace")


@pytest.mark.parametrize(
    "words", [("setup",), ("step", "run", "api"), ("step", "run", "call"), ("setup", "--json")], ids=" ".join
)
def test_without_a_terminal_nothing_runs_and_the_error_names_yes(clean, stranger, listener, words):
    done = clean.run(*words, *stranger, code=2)
    assert "AdministratorAccess" in done.err and "python3.13, code in the template" in done.err and listener.url in done.err
    refusal = json.loads(done.out)["error"]["fix"] if "--json" in words else done.err
    assert "--yes" in refusal and "--plan" in refusal
    assert clean.inventory() == [] and listener.calls == []
    assert clean.run(*words, *stranger, code=2).code == 2, "being refused grants nothing"


def test_yes_grants_it_for_good_and_privately(clean, stranger, listener):
    clean.run("setup", *stranger, "--yes")
    assert listener.calls
    (grant,) = (clean.state / "grants").iterdir()
    assert stat.S_IMODE(grant.stat().st_mode) == 0o600 and stat.S_IMODE(grant.parent.stat().st_mode) == 0o700
    again = clean.run("setup", *stranger)
    assert "not built in" not in again.err
    assert {step["state"] for step in clean.document("status", *stranger)["steps"]} == {"ready"}


@pytest.mark.parametrize("change", ["stack.yaml.j2", "a-new-file", ".hidden"])
def test_a_change_to_any_file_asks_again(clean, stranger, change):
    clean.run("setup", *stranger, "--yes")
    with (clean.work / "stranger" / change).open("a") as file:
        file.write("\n# changed\n")
    assert "was not granted as it is now" in clean.run("setup", *stranger, code=2).err
    clean.run("setup", *stranger, "--yes")


def test_on_a_terminal_one_question_is_asked_and_no_is_no(clean, stranger, listener):
    code, seen = on_a_terminal(clean, "n\n", "setup", *stranger)
    assert code != 0 and seen.count("[y/N]") == 1 and "AdministratorAccess" in seen
    assert clean.inventory() == [] and listener.calls == []
    code, seen = on_a_terminal(clean, "y\n", "setup", *stranger)
    assert code == 0 and "stranger is ready" in seen
    assert "not built in" not in clean.run("setup", *stranger).err


def test_plans_and_looks_ask_nothing_and_call_nothing_before_the_grant(clean, stranger, listener):
    plan = clean.document("setup", "--plan", *stranger)
    assert {(each["step"], each["kind"], each["name"]) for each in plan["brings"]} == {
        ("api", "role", "Role"), ("api", "function", "Runs"), ("api", "capabilities", "stranger-api"),
        ("call", "address", listener.url),
    }  # fmt: skip
    assert "AdministratorAccess" in clean.run("setup", "--plan", *stranger).out
    status = clean.document("status", *stranger)
    assert {step["id"]: step["detail"] for step in status["steps"]}["call"].startswith("not called")
    clean.run("teardown", "--plan", *stranger)
    clean.run("check", "--only", "leftovers", *stranger)
    assert listener.calls == []


def test_a_teardown_needs_no_grant(clean, stranger):
    clean.run("setup", *stranger, "--yes")
    (clean.work / "stranger" / "another").write_text("changed")
    assert clean.document("teardown", *stranger)["leftovers"] == []
    assert clean.inventory() == []


def test_a_wrong_definition_is_reported_before_any_question(clean, stranger):
    (clean.work / "stranger" / "stack.yaml.j2").write_text("Resources: {{ nothing }}")
    refused = clean.run("setup", *stranger, code=2).err
    assert "nothing" in refused and "not built in" not in refused


def test_what_is_built_in_never_asks_and_its_copy_does(clean):
    assert "not built in" not in clean.run("step", "run", "table").err
    clean.run("teardown")
    eventually(lambda: clean.inventory() == [])
    clean.run("definition", "new", "copied", "--from", "global-serverless")
    for words in (("setup",), ("step", "run", "table"), ("check", "--rehearse", "--only", "definition")):
        refused = clean.run(*words, "--workshop", "./copied", code=2).err
        assert "copied is not built in" in refused and f"workshop {' '.join(words[:3]).partition(' --only')[0]}" in refused
    assert clean.inventory() == []


def test_a_granted_rehearsal_runs_its_drill_too_and_is_remembered_by_the_users_own_folder(clean):
    where = ("--workshop", str(quick_workshop(clean)), "--only", "definition")
    document = clean.document("check", "--rehearse", *where, "--yes")
    assert {each["status"] for each in document["checks"] if each["family"] == "rehearsal"} == {"pass"}
    assert len(list((clean.state / "grants").iterdir())) == 1
    later = clean.run("setup", *where[:2], "--through", "backend")
    assert "not built in" not in later.err
    clean.run("teardown", *where[:2])


def test_a_deployed_workshop_whose_files_changed_is_not_drilled_without_a_grant(clean):
    clean.run("definition", "new", "drilled", "--from", "global-serverless")
    where = ("--workshop", "./drilled")
    clean.run("setup", *where, "--yes")
    (clean.work / "drilled" / "notes.txt").write_text("changed")
    for words in (("drill", "run"), ("drill", "fail"), ("observe", "conflict")):
        assert "was not granted as it is now" in clean.run(*words, *where, code=2).err
    assert clean.document("status")["steps"]
    clean.run("teardown", *where)


def test_the_plan_of_the_built_in_workshop_lists_what_it_brings_within_80_columns(clean):
    code, seen = on_a_terminal(clean, "", "setup", "--plan")
    assert code == 0 and "dynamodb:GetItem" in seen and "http://own-api/get/library/01" in seen
    assert max(len(line) for line in seen.splitlines()) <= 80
    assert seen.count("http://own-api/query/library") == 1, "one entry for all regions"


def test_a_link_to_a_builtin_definition_is_the_builtin_workshop_and_nothing_beside_the_link(clean):
    """The API's source beside the link is foreign."""
    folder = clean.work / "linked"
    (folder / "api").mkdir(parents=True)
    (folder / "workshop.yaml").symlink_to(ROOT / "templates" / "global-serverless" / "workshop.yaml")
    (folder / "api" / "app.py").write_text("raise SystemExit('mine')")
    shown = clean.run("step", "show", "api", "--template", "--in", "us-west-2", "--workshop", "./linked").out
    assert "SystemExit" not in shown and "def handler" in shown


HIDING = """
name: hiding
title: Shows one thing and brings another
regions: [us-west-2]
modules:
  - name: all
    title: All
    steps:
      - {id: first, kind: cloudformation.stack, in: home, with: {name: hiding-first, template: first.yaml.j2}}
      - {id: second, kind: cloudformation.stack, in: home, needs: [first], with: {name: hiding-second, template: second.yaml.j2,
         capabilities: [CAPABILITY_IAM]}}
"""
FIRST = """
Resources:
  Noted: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}
Outputs:
  Word: {Value: go}
"""


def test_what_a_template_brings_only_once_an_output_is_known_is_not_made(clean):
    folder = clean.work / "hiding"
    folder.mkdir()
    (folder / "workshop.yaml").write_text(HIDING)
    (folder / "first.yaml.j2").write_text(FIRST)
    (folder / "second.yaml.j2").write_text(
        "{% if steps.first.Word == 'go' %}" + STACK + "{% else %}" + FIRST.partition("Outputs")[0] + "{% endif %}"
    )
    try:
        refused = clean.document("setup", "--workshop", "./hiding", "--yes", code=1)
        (second,) = [step for step in refused["steps"] if step["id"] == "second"]
        assert second["error"]["code"] == "NotGranted" and "role Role" in second["error"]["what"]
        assert [row for row in clean.inventory() if row[1] in ("function", "role")] == []
    finally:
        clean.run("teardown", "--workshop", "./hiding")


def test_a_definition_that_changes_while_it_is_asked_about_is_refused(stranger, clean):
    folder, before = clean.work / "stranger", set((clean.state / "grants").glob("*"))

    def edit() -> None:
        (folder / "stack.yaml.j2").write_text(STACK.replace("AdministratorAccess", "ReadOnlyAccess"))

    code, seen = on_a_terminal(clean, "y\n", "setup", *stranger, before=edit)
    assert code == 2 and "changed while its grant was asked for" in seen
    assert set((clean.state / "grants").glob("*")) == before
