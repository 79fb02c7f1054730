"""Loading a workshop by the value of `--workshop`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.unit.definition_builders import HEAD, KINDS, steps, workshop, write
from workshop.definition import builtins
from workshop.definition.loader import load
from workshop.errors import DefinitionError, UsageError
from workshop.steps.base import Placement

TABLE = "{id: table, kind: dynamodb.table, in: home, with: {name: '{{ table }}', keys: {PK: S}}}"
CHECK = "{id: check, kind: http.check, in: each, needs: [table], with: {url: 'http://x'}}"


def test_a_folder_and_its_file_are_the_same_workshop(tmp_path):
    path = write(tmp_path / "films", steps(TABLE, CHECK))
    for name in (str(path), str(path.parent)):
        found = load(name, KINDS)
        assert found.name == "films"
        assert found.source.resolve() == path.resolve()
        assert not found.builtin


def test_a_definition_gives_its_steps_by_id_and_by_module(tmp_path):
    definition = workshop(tmp_path, steps(TABLE, CHECK)).definition
    assert [step.id for step in definition.steps()] == ["table", "check"]
    assert definition.step("check").placement is Placement.EACH
    assert definition.step("check").needs == ("table",)
    assert definition.module_of("check") == "backend"
    assert definition.module_names() == ("backend",)
    with pytest.raises(KeyError):
        definition.step("nothing")


def test_the_builtin_workshops_are_found_by_name_and_by_their_folder():
    assert "global-serverless" in builtins.builtin_names()
    for name in ("global-serverless", str(builtins.builtin_folder("global-serverless"))):
        place = load_place(name)
        assert place.builtin
        assert place.files().path("sample-data.json") == builtins.shared_root() / "sample-data.json"


def load_place(name):
    from workshop.definition.loader import locate

    return locate(name)


def test_in_an_installation_the_builtin_workshops_lie_inside_the_package(tmp_path):
    """The package is copied to where no checkout is around it, as a wheel lays it out."""
    import shutil

    import workshop as package

    shutil.copytree(package.__path__[0], tmp_path / "workshop", ignore=shutil.ignore_patterns("__pycache__"))
    root = builtins.shared_root()
    builtin = tmp_path / "workshop" / "_builtin"
    shutil.copytree(root / "templates", builtin / "templates", ignore=shutil.ignore_patterns("web", ".*"))
    shutil.copy(root / "sample-data.json", builtin)
    program = (
        "from workshop.definition.loader import locate\n"
        "place = locate('global-serverless')\n"
        "print(place.path, place.files().path('sample-data.json'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        env={"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    source, data = done.stdout.split()
    assert source == str(builtin / "templates/global-serverless/workshop.yaml")
    assert data == str(builtin / "sample-data.json")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("global-serverles", "Did you mean 'global-serverless'"),
        ("./nowhere", "No such file"),
        ("nowhere.yaml", "No such file"),
        ("x" * 5000, "cannot be read. File name too long"),
        ("./" + "x" * 5000, "cannot be read. File name too long"),
        ("~no-such-user/films", "cannot be read"),
        ("/dev/zero", "No such file"),
        ("films\x1b[2J/", r"films\\x1b\[2J"),
    ],
)
def test_an_unknown_workshop_is_a_usage_error(name, said):
    with pytest.raises(UsageError, match=said) as caught:
        load(name, KINDS)
    assert caught.value.exit_code == 2
    assert caught.value.fix


def test_the_error_for_a_folder_without_a_definition_offers_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="workshop definition new"):
        load(str(tmp_path), KINDS)


WRONG = {
    "unknown kind": (steps(TABLE.replace("dynamodb.table", "dynamodb.tabel")), 10, "Did you mean 'dynamodb.table'"),
    "duplicate id": (steps(TABLE, TABLE), 11, "two steps with the id 'table', the first in line 10"),
    "unknown need": (steps(TABLE, CHECK.replace("[table]", "[tabel]")), 11, "Did you mean 'table'"),
    "cycle": (steps(TABLE.replace("in: home", "in: home, needs: [check]"), CHECK), 10, "table -> check -> table"),
    "needs itself": (steps(CHECK.replace("[table]", "[check]")), 10, "check -> check"),
    "bad region": (steps(TABLE).replace("eu-west-1", "europe"), 3, "'europe' is not the name of a region"),
    "region twice": (steps(TABLE).replace("eu-west-1", "us-west-2"), 3, "us-west-2 is listed twice"),
    "placement": (steps(TABLE.replace("in: home", "in: each")), 10, "cannot run in 'each'.*Use one of: home"),
    "placement word": (
        steps(TABLE.replace("in: home", "in: everywhere")),
        10,
        "not a place where a step runs. Use home, replicas, each, global, a region",
    ),
    "reserved parameter": (steps(TABLE).replace("  table: {", "  region: {"), 5, "cannot be a parameter"),
    "default against pattern": (steps(TABLE).replace("default: films", "default: X"), 5, "does not match the pattern"),
    "pattern": (steps(TABLE).replace("'[a-z]{3,9}'", "'[a-z'"), 5, "not a regular expression"),
    "module without steps": (HEAD + "      []\n", 9, "must not be empty"),
    "unknown field": (
        steps(TABLE).replace("title: Films", "titel: Films"),
        2,
        "no field 'titel' here, and 'title' is missing.*Did you mean 'title'",
    ),
    "unknown field of a module": (steps(TABLE).replace("    title: The", "    titel: The"), 8, "'titel'.*'title' is missing"),
    "field without a likeness": (steps(TABLE).replace("title: Films", "subject: Films"), 1, "The field 'title' is missing"),
    "number for text": (steps(TABLE).replace("title: Films in two regions", "title: 12"), 2, "quotes: '12'"),
    "name": (steps(TABLE).replace("name: films", "name: ../films"), 1, "cannot be a name"),
    "apis": (steps(TABLE) + "apis: {step: tabel, stage: api}\n", 11, "Did you mean 'table'"),
    "link": (steps(TABLE) + "links: {site: {step: web}}\n", 11, "'web' is not a step"),
    "link outside": (steps(TABLE) + "links: {site: {step: table, page: ../x.html}}\n", 11, "not a page"),
    "one region for replicas": (
        steps("{id: check, kind: http.check, in: replicas, with: {url: x}}").replace(", eu-west-1", ""),
        10,
        "only one region",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_has_its_own_message_and_line(tmp_path, name):
    text, line, said = WRONG[name]
    path = write(tmp_path, text)
    with pytest.raises(DefinitionError, match=said) as caught:
        load(str(path), KINDS)
    assert caught.value.where == f"{path}:{line}"
    assert caught.value.exit_code == 2


def test_a_need_of_a_later_module_is_refused(tmp_path):
    later = "  - name: explore\n    title: Later\n    steps:\n      - {id: late, kind: http.check, in: home, with: {url: x}}\n"
    with pytest.raises(DefinitionError, match="the later module explore") as caught:
        workshop(tmp_path, steps(TABLE, CHECK.replace("[table]", "[late]")) + later)
    assert caught.value.field == "modules.backend.steps.check.needs.0"
