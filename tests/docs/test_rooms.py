"""The rooms of the code: who may import whom, how large a file may be, what start-up loads."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ROOT / "workshop"
FOUNDATION = {"errors", "state_dir", "waiting", "quoting", "redaction", "shell", "site_files", "durations"}
# Each room and the rooms that it may import. What no room lists, none may import.
MAY = {
    "cli": {"app", "console"},
    "app": {"console", "engine", "checks", "drill", "cloud", "definition", "steps", "aws"},
    "console": {"engine", "checks", "drill", "definition", "steps"},
    "engine": {"steps", "definition"},
    "definition": {"steps"},
    "checks": {"steps", "aws", "definition"},
    "drill": {"engine", "definition", "steps", "aws"},
    "steps": {"aws"},
    "aws": set(),
    "cloud": set(),
}
# What is imported against these arrows, module by module, with the reason. A line that nothing needs any more has to go.
EXCEPTIONS = {
    ("cli", "checks.context"): "the options of `check` are an EventPlan",
    ("cli", "checks.policy"): "`policy` renders a document that has no use case of its own",
    ("cli", "cloud"): "the `cloud` commands are commands of the daemon",
    ("cli", "cloud.faults"): "`cloud fault` orders faults of the daemon",
    ("cli", "cloud.fault_model"): "`cloud fault` offers the kinds of faults as choices",
    ("cli", "definition.lint"): "`definition lint` needs no session",
    ("cli", "definition.scaffold"): "`definition new` needs no session",
    ("cli", "definition.schema"): "`definition schema` needs no session",
    ("cli", "definition.loader"): "`step list` and `step show` read a definition without a session",
    ("cli", "checks.registry"): "the names of the families in the help: a light table",
    ("cli", "drill.registry"): "`drill` offers the faults as choices",
    ("cli", "engine.setup"): "`step run` reports what is missing before it",
    ("cli", "engine.execute"): "Ctrl-C sets the engine's stop signal",
    ("engine", "aws.errors"): "an error that no step has explained is described by its AWS code",
    ("engine", "aws.client"): "a workspace holds one client for each account",
    ("engine", "aws.target"): "a workspace holds the target of its addresses",
}
MODULES = sorted(CODE.rglob("*.py"))


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


@functools.cache
def imports(path):
    """The modules that a file imports, wherever in it; those for type checkers alone do not count."""
    found, waiting = [], [parsed(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        elif not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            waiting += (inner for inner in ast.iter_child_nodes(node) if not isinstance(inner, ast.expr))
    return found


def room(path):
    inside = path.relative_to(CODE).parts
    return inside[0] if len(inside) > 1 else "foundation"


@pytest.fixture(scope="module")
def crossings():
    """Every import of another room as `(room, file, module below workshop)`."""
    return sorted(
        (room(path), path.relative_to(ROOT), module.removeprefix("workshop."))
        for path in MODULES
        for module in imports(path)
        if module.startswith("workshop.") and module.split(".")[1] != room(path)
    )


@pytest.mark.parametrize("name", sorted(MAY))
def test_a_room_imports_only_what_lies_below_it(name, crossings):
    allowed = MAY[name] | FOUNDATION
    against = [
        f"{path} imports workshop.{module}"
        for importer, path, module in crossings
        if importer == name and module.partition(".")[0] not in allowed and (name, module) not in EXCEPTIONS
    ]
    assert against == []


def test_every_exception_is_needed(crossings):
    assert EXCEPTIONS.keys() - {(importer, module) for importer, _, module in crossings} == set()


def test_every_room_is_known():
    assert {room(path) for path in MODULES} - {"foundation", "_builtin"} == set(MAY)


def test_the_foundation_imports_no_room():
    for path in (path for path in MODULES if path.stem in FOUNDATION and room(path) == "foundation"):
        assert {m.split(".")[1] for m in imports(path) if m.startswith("workshop.")} <= FOUNDATION


def test_only_the_command_line_knows_click():
    for path in MODULES:
        if "click" in {module.split(".")[0] for module in imports(path)}:
            assert room(path) == "cli", path


def test_only_two_rooms_know_botocore():
    for path in MODULES:
        if {"boto3", "botocore"} & {module.split(".")[0] for module in imports(path)}:
            assert room(path) in ("aws", "cloud"), path


def test_only_the_cloud_knows_the_emulator():
    for path in MODULES:
        if {"ministack", "hypercorn"} & {module.split(".")[0] for module in imports(path)}:
            assert room(path) == "cloud", path


def test_the_local_cloud_is_known_by_its_daemon_and_its_faults_to_two_rooms(crossings):
    known = {(importer, module) for importer, _, module in crossings if module.partition(".")[0] == "cloud"}
    assert {importer for importer, _ in known} == {"app", "cli"}
    assert {module for _, module in known} <= {"cloud", "cloud.daemon", "cloud.faults", "cloud.fault_model", "cloud.ports"}


def test_no_file_is_longer_than_400_lines_and_the_median_is_near_130():
    lengths = sorted(len(path.read_text().splitlines()) for path in MODULES if path.read_text().strip())
    assert lengths[-1] <= 400
    assert lengths[len(lengths) // 2] <= 140


def test_every_module_says_what_it_is_for_and_what_it_offers():
    for path in MODULES:
        tree = parsed(path)
        if not tree.body:
            continue
        assert ast.get_docstring(tree), path
        names = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert "__all__" in names or path.name in ("__init__.py", "__main__.py"), path


def test_start_up_loads_nothing_heavy():
    heavy = ("boto3", "botocore", "rich", "pydantic", "jinja2", "httpx", "yaml", "ministack")
    program = f"import workshop.cli, sys; print(sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("words", [["--help"], ["setup", "--help"], ["cloud", "status"], ["--version"]])
def test_small_commands_load_no_client_of_aws(words, tmp_path):
    program = (
        f"import sys\nfrom workshop.cli.main import run\nrun({words!r})\n"
        "print(sorted({'boto3', 'botocore'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path), "WORKSHOP_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_texts_leave_the_process_in_two_places_that_escape_control_characters():
    lines, markup, questions = CODE / "console" / "echo.py", CODE / "console" / "style.py", CODE / "cli" / "questions.py"
    for path in (path for path in MODULES if room(path) != "cloud" and path != lines):
        tree = parsed(path)
        for node in ast.walk(tree):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("print", "pprint", "echo", "Console"), f"{path.relative_to(ROOT)}:{node.lineno}"
            assert not called.startswith(("click.echo", "click.secho", "click.prompt", "rich.")), path
            assert called != "click.confirm" or (path == questions and ast.unparse(node.args[0]).startswith("visible(")), path
            assert not re.search(r"\b(stdout|stderr)\.(buffer\.)?write(lines)?$", called), path
            if isinstance(node, ast.ImportFrom) and node.module == "rich.console" and path != markup:
                assert "Console" not in [alias.name for alias in node.names], path


def test_the_list_of_commands_loads_no_command():
    program = (
        "import sys\nfrom workshop.cli.main import COMMANDS, run\nrun(['--help'])\n"
        "print([module for module, _ in COMMANDS.values() if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "  teardown    Remove everything" in done.stdout
