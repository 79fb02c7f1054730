"""Names that do not exist and files that are wrong: each has its message and exit code 2, and nothing is made."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cloud.shell import TABLE

pytestmark = pytest.mark.cloud


@pytest.fixture
def nothing_made(shell):
    """The shell, whose cloud must be as empty after the test as it was before."""
    before = shell.inventory()
    yield shell
    assert shell.inventory() == before == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("setup --workshop global-serverles", "There is no workshop named 'global-serverles'.|Did you mean 'global-serverless'?"),
        ("setup --workshop ./nowhere", "There is no workshop at nowhere.|workshop definition new NAME"),
        ("setup --region us-wst-2 --region eu-west-1", "us-wst-2|us-west-2"),
        ("setup --region us-west-2 --region EU", "'EU' is not the name of a region."),
        ("setup --region us-west-2", "needs at least two regions|--region us-west-2 --region eu-west-1"),
        ("setup --region us-west-2 --region us-west-2", "named twice"),
        ("setup --through backnd", "There is no module 'backnd'|backend, explore, globalflix"),
        ("step run tabel", "There is no step 'tabel'.|table"),
        ("step show tabel", "There is no step 'tabel'."),
        ("step run table --in eu-west-1", "Nothing of that runs in eu-west-1.|us-west-2"),
        ("step show table --template", "The step table has no template."),
        ("step show table --file", "The step table has no file."),
        ("explain tabel", "There is no step 'tabel'."),
        ("explain table --in mars-1", "Nothing of that runs in mars-1."),
        ("open harnes", "There is no page 'harnes'.|harness, globalflix"),
        ("setup --param tabel=x", "has no parameter 'tabel'|Did you mean 'table'?"),
        ("setup --param table=x", "does not fit parameter 'table'"),
        ("setup --param table", "'table' is not a parameter.|--param NAME=VALUE"),
        ("setup --target gcp", "'gcp' is not one of 'local', 'aws'"),
        ("stup", "No such command 'stup'.|workshop --help"),
        ("setup --expect-account 111122223333", "This is account 000000000000, not 111122223333.|--profile"),
        ("teardown --expect-account 111122223333", "This is account 000000000000, not 111122223333."),
        ("cloud start --timing slow", "'slow' is not one of"),
        ("cloud start --time-scale -1", "-1"),
        ("definition lint ./nowhere", "There is no workshop at nowhere."),
        ("definition new Bad_Name", "'Bad_Name' cannot be the name of a workshop."),
        ("definition new fine --from nothing", "There is no built-in workshop 'nothing'.|global-serverless"),
    ],
)
def test_a_wrong_word_is_named_with_what_would_be_right(nothing_made, line, said):
    done = nothing_made.run(*line.split(), code=2)
    for text in said.split("|"):
        assert text in done.err
    assert done.out == ""
    assert "→" in done.err


def test_the_expected_account_goes_on(nothing_made):
    assert nothing_made.run("status", "--expect-account", "000000000000", "--json").document["account"] == "000000000000"


def test_no_command_shows_the_help_and_is_wrong_usage(shell):
    for words in ((), ("cloud",), ("step",), ("definition",)):
        done = shell.run(*words, code=2)
        assert done.err.startswith("Usage: workshop")
        assert "Error" not in done.err


@pytest.fixture(scope="module")
def skeleton(shell):
    shell.run("definition", "new", "mine")
    return (shell.work / "mine").rename(shell.folder / "skeleton")


@pytest.fixture
def mine(shell, skeleton):
    """A workshop of the user's own, fresh for each test; answers its folder."""
    folder = shell.work / "mine"
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(skeleton, folder)


def refused(shell, *words):
    done = shell.run("setup", "--workshop", "./mine", code=2)
    for word in words:
        assert word in done.err
    assert shell.inventory() == []
    return done.err


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("regions: [us-west-2, eu-west-1]", "regions: [us-west-2", "workshop.yaml:|"),
        ("kind: dynamodb.table", "kind: dynamodb.tabel", "Did you mean 'dynamodb.table'?"),
        ("needs: [table]", "needs: [tabel]", "tabel"),
        ("id: replica", "id: table", "table"),
        ("kind: dynamodb.table\n        in: home\n", "kind: dynamodb.table\n        in: home\n        needs: [data]\n", "data"),
        ("name: '{{ table }}', keys", "name: '{{ tabel }}', keys", "tabel"),
        ("keys: {PK: S, SK: S}", "keys: {PK: S, SK: Q}", "keys"),
        ("file: items.json", "file: nothing.json", "There is no file 'nothing.json'"),
        ("file: items.json", "file: ../../../../../../../etc/passwd", "etc/passwd"),
        ("title: My first", "titel: My first", "title"),
        ("regions: [us-west-2, eu-west-1]", "regions: [us-west-2, nowhere]", "nowhere"),
    ],
)
def test_a_definition_that_is_wrong_stops_before_anything_is_made(shell, mine, before, after, said):
    path = mine / "workshop.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    refused(shell, "workshop.yaml:", *(word for word in said.split("|") if word))


def item(**attributes):
    return {"PutRequest": {"Item": {"PK": {"S": "greeting"}, "SK": {"S": "en"}, **attributes}}}


WHOLE = json.dumps({"mine-table": [item(), item(SK={"S": "es"})]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "items.json"),
        ("{}", "holds no items"),
        ('{"mine-table": []}', "holds no items"),
        ("[1, 2]", "is not an object"),
        (WHOLE[:70], "is not JSON at line 1, column"),
        (WHOLE.replace("mine-table", TABLE), f"is for the table '{TABLE}', not 'mine-table'"),
        (json.dumps({"mine-table": [item(), item()]}), "Item 2|has the same key as item 1 (PK=greeting, SK=en)"),
        (json.dumps({"mine-table": [item(text={"S": "x" * 500_000})]}), "Item 1|DynamoDB takes 409,600 at most"),
        (json.dumps({"mine-table": [item(), item(SK={"N": "1"})]}), "Item 2|has no key attribute SK of type S"),
        (json.dumps({"mine-table": [item(n={"N": "many"})]}), "Item 1|'many' in n, which is not a number"),
        (json.dumps({"mine-table": [item(n=3)]}), "Item 1|has no single typed value in n"),
        (json.dumps({"mine-table": [{"DeleteRequest": {"Key": {}}}]}), "Item 1|is not a PutRequest"),
    ],
    ids=[
        "empty", "no-table", "no-items", "a-list", "truncated", "another-table", "equal-keys", "too-large", "wrong-key-type",
        "no-number", "untyped", "a-delete",
    ],
)  # fmt: skip
def test_a_data_file_that_is_wrong_stops_before_anything_is_made(shell, mine, content, said):
    (mine / "items.json").write_text(content)
    refused(shell, "items.json", *said.split("|"))


def test_a_data_file_that_is_not_text_is_refused(shell, mine):
    (mine / "items.json").write_bytes(b"\xff\xfe\x00{")
    refused(shell, "items.json", "is not JSON")


def test_a_template_that_is_no_template_is_refused(shell, mine):
    path = mine / "workshop.yaml"
    step = "      - {id: api, kind: cloudformation.stack, in: home, with: {name: mine-api, template: api.yaml.j2}}\n"
    text = path.read_text()
    path.write_text(text.replace("      - id: table\n", step + "      - id: table\n", 1))
    (mine / "api.yaml.j2").write_text("Resources: {% if %}")
    refused(shell, "api.yaml.j2:1")
    (mine / "api.yaml.j2").write_text("Resources: [")
    refused(shell, "api.yaml.j2")
