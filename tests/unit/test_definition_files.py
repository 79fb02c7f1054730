"""Which files a definition may use."""

from __future__ import annotations

import os

import pytest

from workshop.definition.files import DefinitionFiles
from workshop.errors import DefinitionError


@pytest.fixture
def folders(tmp_path):
    own, shared = tmp_path / "own", tmp_path / "shared"
    own.mkdir()
    shared.mkdir()
    (own / "a.txt").write_text("own a")
    (shared / "a.txt").write_text("shared a")
    (shared / "b.txt").write_text("shared b")
    (tmp_path / "secret.txt").write_text("secret")
    return own, shared


def test_a_file_beside_the_definition_comes_before_a_shared_one(folders):
    files = DefinitionFiles(*folders)
    assert files.text("a.txt") == "own a"
    assert files.text("b.txt") == "shared b"
    assert files.root == folders[0]


def test_a_users_own_definition_has_no_shared_files(folders):
    with pytest.raises(DefinitionError, match=r"no file 'b.txt'.*looked for in"):
        DefinitionFiles(folders[0]).path("b.txt")


@pytest.mark.parametrize(
    "name", ["../secret.txt", "x/../../secret.txt", "/etc/passwd", "~/x", "", "..\\secret.txt", "a\0b", "a\x1b[2J"]
)
def test_names_that_lead_outside_are_refused(folders, name):
    with pytest.raises(DefinitionError, match="not allowed"):
        DefinitionFiles(*folders).path(name)


def test_a_link_to_the_outside_is_refused_and_one_inside_is_followed(folders, tmp_path):
    own, _ = folders
    (own / "out.txt").symlink_to(tmp_path / "secret.txt")
    (own / "folder").symlink_to(tmp_path)
    (own / "in.txt").symlink_to(own / "a.txt")
    files = DefinitionFiles(own)
    for name in ("out.txt", "folder/secret.txt"):
        with pytest.raises(DefinitionError, match="leads out"):
            files.path(name)
    assert files.text("in.txt") == "own a"


def test_a_folder_that_holds_a_link_to_the_outside_is_refused(folders, tmp_path):
    own, _ = folders
    (own / "web" / "deep").mkdir(parents=True)
    (own / "web" / "round").symlink_to("round")
    (own / "web" / "in.txt").symlink_to(own / "a.txt")
    assert DefinitionFiles(own).path("web") == own / "web"
    (own / "web" / "deep" / "out.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DefinitionError, match=r"'web/deep/out.txt' leads out.*a link to .*secret.txt"):
        DefinitionFiles(own).path("web")


def test_what_never_ends_is_not_opened(folders):
    os.mkfifo(folders[0] / "pipe")
    with pytest.raises(DefinitionError, match="neither a file nor a folder"):
        DefinitionFiles(folders[0]).text("pipe")


def test_a_name_that_no_file_can_have_is_refused(folders):
    with pytest.raises(DefinitionError, match=r"no file 'x+\.\.\.'"):
        DefinitionFiles(*folders).path("x" * 5000)


def test_reading_a_file_in_a_loop_is_refused(folders):
    (folders[0] / "t.j2").write_text("{% for i in range(90000) %}{% set x = read('a.txt') %}{% endfor %}")
    with pytest.raises(DefinitionError, match="too much work"):
        DefinitionFiles(folders[0]).render("t.j2", {})


def test_a_definition_folder_that_is_itself_a_link_works(folders, tmp_path):
    (tmp_path / "alias").symlink_to(folders[0])
    assert DefinitionFiles(tmp_path / "alias").text("a.txt") == "own a"


def test_a_template_reads_and_includes_its_neighbours(folders):
    own, _ = folders
    (own / "app.py").write_text("def f():\n    return 1\n")
    (own / "part.j2").write_text("part of {{ region }}")
    (own / "t.j2").write_text("Code: |\n  {{ read('app.py') | indent(2) }}\n# {% include 'part.j2' %}\n")
    text = DefinitionFiles(own).render("t.j2", {"region": "us-west-2"})
    assert text == "Code: |\n  def f():\n      return 1\n\n# part of us-west-2"


def test_an_error_in_a_template_names_the_file_and_the_line(folders):
    own, _ = folders
    (own / "part.j2").write_text("one\ntwo {{ nothing }}\n")
    (own / "t.j2").write_text("\n\n{% include 'part.j2' %}\n")
    (own / "u.j2").write_text("\n{{ read('../secret.txt') }}\n")
    (own / "v.j2").write_text("\n\n\n{% for %}\n")
    files = DefinitionFiles(own)
    for name, place, said in (
        ("t.j2", "part.j2:2", "'nothing' is not defined"),
        ("u.j2", "u.j2:2", "not allowed"),
        ("v.j2", "v.j2:4", "not well formed"),
    ):
        with pytest.raises(DefinitionError, match=said) as caught:
            files.render(name, {})
        assert caught.value.where.endswith(place)


def test_a_folder_is_no_template(folders):
    (folders[0] / "web").mkdir()
    with pytest.raises(DefinitionError, match="is a folder"):
        DefinitionFiles(folders[0]).render("web", {})
