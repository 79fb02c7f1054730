"""Definitions and data that mean harm, handed to the installed command: refused in words, within bounds, with nothing made.

Every command runs within a minute of processor time and two gigabytes, beyond which the system ends it. Teardown must be able to
remove whatever stands, so it passes over files that it does not need, and where it cannot read a template it says that it does
not know what is left.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.amount import few, long
from tests.cloud.shell import Result, Shell

BOUNDED = 'ulimit -t 60; ulimit -v 2000000; exec workshop "$@"'
HUNDRED_MEGABYTES = 100_000_000
SECRET = "Nobody may read this."
TABLE = {"id": "table", "kind": "dynamodb.table", "in": "home", "with": {"name": "{{ table }}", "keys": {"PK": "S"}}}
DATA = {
    "id": "data", "kind": "dynamodb.items", "in": "home", "needs": ["table"],
    "with": {"table": "{{ table }}", "file": "items.json"},
}  # fmt: skip
STACK = {"id": "api", "kind": "cloudformation.stack", "in": "home", "with": {"name": "api", "template": "stack.yaml.j2"}}
ITEM = '{"PutRequest": {"Item": {"PK": {"S": "%s"}}}}'

EXPRESSIONS = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ regions | attr('__class__') }}",
    "{% include '/etc/passwd' %}",
    "{% import '../secret.txt' as x %}",
    "{% for i in range(10**9) %}{% endfor %}",
    "{{ 'a' * 10**10 }}",
    "{{ 10**(10**8) }}",
)
NAMES = ("../../etc/passwd", "/etc/passwd", "out/secret.txt", "secret\n.txt", "x" * 5000, "pipe")


@dataclass(frozen=True)
class Hostile:
    """What writes the definition into its folder, what each refusal says, and how teardown ends."""

    write: Callable[[Path], object]
    said: str
    lint: int = 2
    teardown: int = 2
    blamed: tuple[str, ...] = ()
    """The steps or files each of which lint names."""


def definition(*steps: dict[str, object], head: str = "", parameters: str = "{table: {default: small-table}}") -> str:
    """A definition of these steps. `head` stands in place of its name and regions."""
    lines = [head or "name: small\nregions: [us-west-2, eu-west-1]", "title: Harmless", f"parameters: {parameters}"]
    lines += ["modules:", "  - name: all", "    title: All", "    steps:", *(f"      - {json.dumps(step)}" for step in steps)]
    return "\n".join(lines) + "\n"


def file(text: str | bytes, **beside: str) -> Callable[[Path], None]:
    """Writes the definition of that text, and files beside it whose names have `__` for a dot."""

    def write(folder: Path) -> None:
        (folder / "workshop.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        for name, content in beside.items():
            (folder / name.replace("__", ".")).write_text(content)

    return write


def templates(folder: Path) -> None:
    """Every expression in a setting, in a stack's template and in a site's configuration, and one in a parameter."""
    (folder / "web").mkdir()
    steps: list[dict[str, object]] = [TABLE]
    for n, text in enumerate(EXPRESSIONS):
        (folder / f"{n}.yaml.j2").write_text(f"Resources: {text}\n")
        (folder / f"{n}.json.j2").write_text(f'{{"a": "{text}"}}')
        steps += [
            {"id": f"check{n}", "kind": "http.check", "in": "home", "with": {"url": text}},
            {"id": f"stack{n}", "kind": "cloudformation.stack", "in": "home", "with": {"name": "a", "template": f"{n}.yaml.j2"}},
            {"id": f"site{n}", "kind": "web.site", "in": "global", "with": {"source": "web", "config": f"{n}.json.j2"}},
        ]
    parameter = json.dumps({"table": {"default": EXPRESSIONS[0]}})
    (folder / "workshop.yaml").write_text(definition(*steps, parameters=parameter))


def names(folder: Path) -> None:
    """Every name wherever a file is named, and a site with a link inside that leads out."""
    (folder.parent / "secret.txt").write_text(SECRET)
    (folder / "out").symlink_to(folder.parent)
    (folder / "web").mkdir()
    (folder / "web" / "config.json.j2").write_text("{}")
    (folder / "web" / "leak.txt").symlink_to(folder.parent / "secret.txt")
    os.mkfifo(folder / "pipe")
    steps: list[dict[str, object]] = [TABLE]
    for n, name in enumerate(NAMES):
        steps += [
            {"id": f"data{n}", "kind": "dynamodb.items", "in": "home", "with": {"table": "{{ table }}", "file": name}},
            {"id": f"stack{n}", "kind": "cloudformation.stack", "in": "home", "with": {"name": "a", "template": name}},
            {"id": f"site{n}", "kind": "web.site", "in": "global", "with": {"source": name}},
            {"id": f"config{n}", "kind": "web.site", "in": "global", "with": {"source": "web", "config": name}},
        ]
    steps.append({"id": "leak", "kind": "web.site", "in": "global", "with": {"source": "web"}})
    (folder / "workshop.yaml").write_text(definition(*steps))


def bomb(lines: int, *, merged: bool) -> str:
    """YAML that grows ninefold with every line."""
    text = "a0: &a0 {k: 1}\n"
    for n in range(1, lines):
        nine = ", ".join([f"*a{n - 1}"] * 9)
        text += f"a{n}: &a{n}\n  <<: [{nine}]\n" if merged else f"a{n}: &a{n} [{nine}]\n"
    return text


def endless(folder: Path) -> None:
    (folder / "workshop.yaml").symlink_to("/dev/zero")


def line_of_yaml(folder: Path) -> None:
    (folder / "workshop.yaml").write_text("title: ")
    os.truncate(folder / "workshop.yaml", HUNDRED_MEGABYTES)


def line_of_data(folder: Path) -> None:
    file(definition(TABLE, DATA))(folder)
    (folder / "items.json").write_text(f'{{"small-table": [{ITEM % ("x" * HUNDRED_MEGABYTES)}]}}')


def of_pattern(pattern: str) -> str:
    return json.dumps({"table": {"default": "a" * 40 + "!", "pattern": pattern}})


EVERY = tuple(range(len(EXPRESSIONS)))
CASES = {
    "templates": Hostile(
        templates, r"workshop.yaml:\d+: modules.all.steps.table.with.name: '{{ ''.__class__.* does not fit",
        blamed=(
            "steps.table.", *(f"steps.check{n}." for n in EVERY), *(f"/{n}.yaml.j2:1" for n in EVERY),
            *(f"/{n}.json.j2:1" for n in EVERY),
        ),
    ),
    "names": Hostile(
        names, r"workshop.yaml:\d+: modules.all.steps.data0.with.file: The file name '\.\./\.\./etc/passwd' is not allowed"
        r"|workshop.yaml:\d+: modules.all.steps.\w+3.with.\w+: The name 'secret\\n.txt' holds characters that cannot be seen",
        blamed=(*(f"steps.{k}{n}." for k in ("data", "stack", "site", "config") for n in range(len(NAMES))), "steps.leak."),
    ),
    "aliases": Hostile(file(bomb(12, merged=False)), r"workshop.yaml:\d+: The file holds more than 40,000 values"),
    "aliases in a stack": Hostile(
        file(definition(STACK), stack__yaml__j2=bomb(12, merged=True)), r"stack.yaml.j2:\d+: .*aliases included", teardown=5
    ),
    "levels": Hostile(file(f"name: {'[' * 100_000}"), r"workshop.yaml:1: The file is nested deeper"),
    "levels in a stack": Hostile(
        file(definition(STACK), stack__yaml__j2=f"A: {'[' * 40_000}{']' * 40_000}"), r"stack.yaml.j2:1: .*deeper", teardown=5
    ),
    "a long line": Hostile(line_of_yaml, r"workshop.yaml: The file is too large"),
    "no end": Hostile(endless, r"There is no workshop in the folder '.*no end'"),
    "a tag": Hostile(
        file('name: !!python/object/apply:os.system ["touch made-by-a-tag"]'), r"yaml:1: The file has the tag .*os.system"
    ),
    "a pattern": Hostile(file(definition(TABLE, parameters=of_pattern("(a+)+b"))), r"workshop.yaml:4: .*not match the pattern"),
    "characters": Hostile(file(b'name: small\ntitle: "\\e]0;mine\\a\\0"\n'), r"workshop.yaml:2: .* holds the character \\x1b"),
    "a name": Hostile(file(definition(TABLE, head="name: ../../x\nregions: [us-west-2]")), r"yaml:1: .*'../../x' cannot be"),
    "a region": Hostile(file(definition(TABLE, head="name: x\nregions: [../x]")), r"workshop.yaml:2: .*'../x' is not the"),
    "a long line of data": Hostile(line_of_data, "items.json is larger than 16 MB", 0, 0),
    "levels of data": Hostile(
        file(definition(TABLE, DATA), items__json=f'{{"small-table": [{{"PutRequest": {"[" * 100_000}'),
        r"items.json holds values nested deeper", 0, 0,
    ),
    "another table's data": Hostile(
        file(definition(TABLE, DATA), items__json=f'{{"small-table": [{ITEM % 1}], "other": [{ITEM % 2}]}}'),
        r"items.json is for the table 'other', not 'small-table'", 0, 0,
    ),
}  # fmt: skip
VERBS = {"setup": ("setup", "--workshop"), "definition lint": ("definition", "lint"), "teardown": ("teardown", "--workshop")}
SHORT = {("names", "setup"), ("templates", "definition lint"), ("aliases in a stack", "teardown")}
"""What a short run tries: one definition for each command. The unit tests of the definition's readers refuse all of them."""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("shell")
    (folder / "tmp").mkdir()
    with_cloud = Shell(folder, {"TMPDIR": str(folder / "tmp")})
    yield with_cloud.cloud()
    with_cloud.leave()
    for large in folder.rglob("items.json"):
        large.unlink()


def bounded(shell: Shell, *words: str, code: int) -> Result:
    """Run the command within the bounds."""
    return shell.call("bash", "-c", BOUNDED, "bash", *words, code=code)


def around(shell: Shell) -> dict[str, tuple[int, int]]:
    """Every file outside the state folder, with its size and the time of its last change."""
    paths = (path for path in shell.folder.rglob("*") if not path.is_relative_to(shell.state))
    return {str(path): ((about := path.lstat()).st_size, about.st_mtime_ns) for path in paths}


def standing(shell: Shell) -> list[tuple[object, ...]]:
    """What the journal believes to stand, and to have made."""
    if not (shell.state / "runs.db").exists():
        return []
    journal = sqlite3.connect(f"file:{shell.state / 'runs.db'}?mode=ro", uri=True)
    try:
        return [row for table in ("standings", "made") for row in journal.execute(f"SELECT * FROM {table}")]  # noqa: S608
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("name", "verb"),
    [pair for pair in itertools.product(CASES, VERBS) if long() or pair in SHORT],
)
def test_it_is_refused_in_words_and_nothing_is_made(shell: Shell, name: str, verb: str) -> None:
    case, folder = CASES[name], shell.work / name
    if not folder.exists():
        folder.mkdir()
        case.write(folder)
    before = around(shell)
    code = {"setup": 2, "definition lint": case.lint, "teardown": case.teardown}[verb]
    ended = bounded(shell, *VERBS[verb], str(folder), code=code)
    said = ended.out + ended.err
    assert SECRET not in said and "root:" not in said and "<class" not in said
    assert "does not know" not in said, "a defect"
    assert "\x1b" not in said and max(map(len, said.splitlines())) < 1000
    if code == 2:
        assert "→" in said
        assert verb == "definition lint" or re.search(case.said, ended.err), said
    for blamed in case.blamed if verb == "definition lint" else ():
        assert blamed in said
    assert shell.inventory() == [] and standing(shell) == [] and not list((shell.state / "sites").rglob("*.*"))
    assert around(shell) == before


@pytest.mark.parametrize("words", few([("--param", "table=../../x"), ("--region", "../x"), ("--param", "table={{ region }}")], 1))
def test_what_is_typed_leads_nowhere_either(shell: Shell, words: tuple[str, ...]) -> None:
    folder = shell.work / "typed"
    folder.mkdir(exist_ok=True)
    file(definition(TABLE))(folder)
    before = around(shell)
    ended = bounded(shell, "setup", "--workshop", str(folder), *words, code=2)
    assert words[1].partition("=")[2] in ended.err and "→" in ended.err
    assert shell.inventory() == [] and standing(shell) == [] and around(shell) == before
