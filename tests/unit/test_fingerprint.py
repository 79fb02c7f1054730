"""One value for a whole definition: the same for the same files, another after any change, and never read through a link."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from workshop.definition import fingerprint as fingerprints
from workshop.definition.fingerprint import fingerprint
from workshop.definition.loader import load
from workshop.errors import DefinitionError

DEFINITION = """
name: films
title: Films
regions: [us-west-2]
modules:
  - name: all
    title: All
    steps:
      - {id: table, kind: dynamodb.table, in: home, with: {name: films, keys: {id: S}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "films"
    (made / "web" / "media").mkdir(parents=True)
    (made / "workshop.yaml").write_text(DEFINITION)
    (made / "web" / "media" / "film.webm").write_bytes(b"\0" * 3_000_000)
    (made / "web" / "a.html").write_text("a")
    return made


def of(folder: Path, file: str = "") -> str:
    return fingerprint(load(str(folder / file)))


def test_the_same_files_elsewhere_and_with_other_modes_have_the_same_value(folder, tmp_path):
    before = of(folder)
    (folder / "web" / "a.html").chmod(0o755)
    os.utime(folder / "web" / "a.html", (1, 1))
    assert of(folder) == before == of(Path(shutil.copytree(folder, tmp_path / "copy")))


def rewrite(folder: Path) -> None:
    (folder / "web" / "media" / "film.webm").write_bytes(b"\0" * 2_999_999 + b"\1")


def rename(folder: Path) -> None:
    (folder / "web" / "a.html").rename(folder / "web" / "b.html")


def move(folder: Path) -> None:
    (folder / "web" / "a.html").rename(folder / "a.html")


def add_hidden(folder: Path) -> None:
    (folder / "web" / ".hidden").write_text("")


def remove(folder: Path) -> None:
    (folder / "web" / "a.html").unlink()


def link(folder: Path) -> None:
    (folder / "web" / "a.html").unlink()
    (folder / "web" / "a.html").symlink_to("media/film.webm")


@pytest.mark.parametrize("change", [rewrite, rename, move, add_hidden, remove, link], ids=lambda change: change.__name__)
def test_any_change_gives_another_value(folder, change):
    before = of(folder)
    change(folder)
    assert of(folder) != before


def test_a_linked_folder_inside_counts_by_where_it_leads(folder):
    (folder / "one").symlink_to("web")
    before = of(folder)
    (folder / "one").unlink()
    (folder / "one").symlink_to("web/media")
    assert of(folder) != before


def test_two_definitions_in_one_folder_are_told_apart(folder):
    shutil.copy(folder / "workshop.yaml", folder / "other.yaml")
    assert of(folder) != of(folder, "other.yaml")


def test_a_definition_behind_a_link_counts_with_what_it_holds(folder, tmp_path):
    real = tmp_path / "films" / "real.yaml"
    (folder / "workshop.yaml").rename(real)
    (folder / "workshop.yaml").symlink_to("real.yaml")
    before = of(folder)
    real.write_text(DEFINITION.replace("title: Films", "title: Other films"))
    assert of(folder) != before


@pytest.mark.parametrize("place", ["secret", "web/secret"])
def test_a_link_that_leads_out_is_refused(folder, tmp_path, place):
    (tmp_path / "outside").write_text("secret")
    (folder / place).symlink_to(tmp_path / "outside")
    with pytest.raises(DefinitionError, match="leads out of the definition's folder"):
        of(folder)


def test_a_pipe_is_refused_without_being_opened(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(DefinitionError, match="neither a file nor a folder"):
        of(folder)


@pytest.mark.parametrize(("limit", "value"), [("MOST_FILES", 2), ("MOST_BYTES", 2_000_000)])
def test_a_folder_beyond_all_measure_is_refused(folder, monkeypatch, limit, value):
    monkeypatch.setattr(fingerprints, limit, value)
    with pytest.raises(DefinitionError, match="too large for a workshop"):
        of(folder)
