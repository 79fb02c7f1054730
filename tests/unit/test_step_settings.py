"""The settings that name files are known by their marks, never by their names."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import ValidationError

from tests.unit.definition_builders import Inert, steps, write
from workshop.definition.lint import lint
from workshop.steps.base import Params
from workshop.steps.registry import kinds
from workshop.steps.settings import DataFile, Folder, TemplateFile, named_files


class SongParams(Params):
    lyrics: Annotated[str, TemplateFile("json")]
    notes: Annotated[str, DataFile()] = ""
    file: str = ""


def test_the_kinds_mark_the_settings_that_name_files():
    marked = {name: named_files(kind.Params) for name, kind in kinds().items()}
    assert {name: marks for name, marks in marked.items() if marks} == {
        "cloudformation.stack": {"template": TemplateFile("yaml or json")},
        "dynamodb.items": {"file": DataFile()},
        "web.site": {"source": Folder(), "shared": Folder(), "config": TemplateFile("json", inside="source")},
    }


def test_lint_checks_the_marked_settings_of_a_kind_it_has_never_seen(tmp_path):
    song = "{id: song, kind: song, in: home, with: {lyrics: l.txt, notes: missing.txt, file: no-file.txt}}"
    path = write(tmp_path, steps(song), l__txt="[{{ region | tojson }},]")
    problems = lint(str(path), {"song": Inert("song", SongParams)})
    assert [(problem.field.rpartition(".")[2], problem.line) for problem in problems] == [("lyrics", 10), ("notes", 10)]
    assert "As JSON" in problems[0].what and "There is no file 'missing.txt'" in problems[1].what


@pytest.mark.parametrize("setting", ["lyrics", "notes", "pages"])
@pytest.mark.parametrize("name", ["a\x1b[8m.txt", "a\tb.txt", "a\nb.txt", "a\u202etxt.exe"])
def test_a_setting_that_names_a_file_has_no_hidden_characters(setting, name):
    class Songs(SongParams):
        pages: Annotated[str, Folder()] = ""

    with pytest.raises(ValidationError, match="holds characters that cannot be seen"):
        Songs(**{"lyrics": "l.txt", setting: name})
    assert Songs(lyrics="l.txt", file=name).file == name, "it names no file"


def test_lint_reports_the_field_of_a_file_name_with_hidden_characters_and_what_to_do(tmp_path):
    song = '{id: song, kind: song, in: home, with: {lyrics: l.txt, notes: "a\\tb.txt"}}'
    path = write(tmp_path, steps(song), l__txt="{}")
    (problem,) = lint(str(path), {"song": Inert("song", SongParams)})
    assert problem.field.endswith("song.with.notes") and r"'a\tb.txt' holds characters" in problem.what
    assert problem.fix == "Leave those characters out."
