"""A new workshop works from the first moment, or is not there at all."""

from __future__ import annotations

import json
import os

import pytest

from workshop.definition.builtins import builtin_folder, shared_root
from workshop.definition.lint import lint
from workshop.definition.loader import load
from workshop.definition.scaffold import new
from workshop.errors import UsageError


def test_the_skeleton_is_sound_and_bears_its_name(tmp_path):
    files = new("my-workshop", tmp_path / "my-workshop")
    assert [str(path) for path in files] == ["items.json", "workshop.yaml"]
    assert lint(str(tmp_path / "my-workshop")) == []
    made = load(str(tmp_path / "my-workshop"))
    assert made.name == "my-workshop"
    assert made.definition.parameters["table"].default == "my-workshop-table"
    assert [step.kind for step in made.definition.steps()] == ["dynamodb.table", "dynamodb.replica", "dynamodb.items"]


def test_the_shortest_and_the_longest_name_make_sound_workshops(tmp_path):
    for name in ("w", "w" * 40):
        new(name, tmp_path / name)
        assert lint(str(tmp_path / name)) == []


def test_the_items_of_the_skeleton_are_for_its_own_table(tmp_path):
    new("my-workshop", tmp_path / "w")
    items = json.loads((tmp_path / "w" / "items.json").read_text(encoding="utf-8"))
    assert list(items) == ["my-workshop-table"]
    assert len(items["my-workshop-table"]) == 3
    assert all(set(entry["PutRequest"]["Item"]) == {"PK", "SK", "text"} for entry in items["my-workshop-table"])


def test_a_copy_of_a_builtin_workshop_is_complete(tmp_path):
    new("my-films", tmp_path / "my-films", "global-serverless")
    copied = load(str(tmp_path / "my-films"))
    assert copied.name == "my-films"
    assert not copied.builtin
    assert lint(str(tmp_path / "my-films")) == []
    source = builtin_folder("global-serverless")
    assert copied.files.text("api/app.py") == (source / "api/app.py").read_text(encoding="utf-8")
    assert copied.files.text("sample-data.json") == (shared_root() / "sample-data.json").read_text(encoding="utf-8")
    assert copied.files.path("_shared/web/scripts/dom.js").is_file(), "a copy has its own of what built-in workshops share"
    assert "templates/_shared" not in (tmp_path / "my-films" / "workshop.yaml").read_text(encoding="utf-8")
    assert [step.id for step in copied.definition.steps()] == [step.id for step in load("global-serverless").definition.steps()]


def test_a_copy_can_be_edited(tmp_path):
    new("my-films", tmp_path / "my-films", "global-serverless")
    for path in (tmp_path / "my-films").rglob("*"):
        assert os.access(path, os.W_OK)
        assert not path.name.startswith((".", "__pycache__"))


@pytest.mark.parametrize("name", ["", "My-Workshop", "-x", "a/b", "..", "a" * 41, "ü"])
def test_a_name_that_cannot_be_a_workshop_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be the name"):
        new(name, tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_builtin_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'global-serverless'"):
        new("w", tmp_path / "w", "global-serverles")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone_and_an_empty_one_is_used(tmp_path):
    (tmp_path / "w").mkdir()
    new("w", tmp_path / "w")
    (tmp_path / "w" / "workshop.yaml").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        new("w", tmp_path / "w", "global-serverless")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        new("file", tmp_path / "file")
    assert (tmp_path / "w" / "workshop.yaml").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "w"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    """The parent is no folder: the error comes while the draft is being made."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        new("w", tmp_path / "file" / "w")
    with pytest.raises(UsageError, match="cannot be written"):
        new("w", tmp_path / "no" / "such" / "w")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
