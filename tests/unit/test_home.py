"""The state folder: found, made private, proven writable; its files are written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from workshop.errors import UsageError
from workshop.home import open_state_folder, prepare, state_folder, write_private


def test_the_variable_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state"
    assert not (tmp_path / "state").exists()


def test_a_relative_name_and_a_tilde_are_resolved(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("WORKSHOP_HOME", "state")
    assert state_folder() == tmp_path / "state"
    monkeypatch.setenv("WORKSHOP_HOME", "~/state")
    assert state_folder() == tmp_path / "me" / "state"


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_it_is_the_platforms_state_folder(monkeypatch, tmp_path, value):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    monkeypatch.delenv("WORKSHOP_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("WORKSHOP_HOME", value)
    assert state_folder().is_relative_to(tmp_path)
    assert state_folder().name == "workshop"


def test_a_prepared_folder_is_private_and_keeps_what_it_holds(tmp_path):
    folder = prepare(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "kept").write_text("kept")
    assert prepare(folder) == folder
    assert sorted(entry.name for entry in folder.iterdir()) == ["kept"]


def test_a_file_in_the_place_of_the_folder_is_explained(tmp_path):
    place = tmp_path / "state"
    place.write_text("")
    with pytest.raises(UsageError) as caught:
        prepare(place)
    assert caught.value.exit_code == 2
    assert str(place) in caught.value.what and "WORKSHOP_HOME" in caught.value.fix


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write")
def test_a_folder_that_cannot_be_written_is_explained():
    with pytest.raises(UsageError) as caught:
        prepare(Path("/proc/self"))
    assert caught.value.code == "StateFolder" and caught.value.why


def test_a_link_in_the_place_of_the_folder_is_refused_wherever_it_leads(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for target in (tmp_path / "elsewhere", tmp_path / "nowhere"):
        (tmp_path / "state").symlink_to(target)
        with pytest.raises(UsageError, match="symbolic link") as caught:
            prepare(tmp_path / "state")
        assert str(tmp_path / "state") in caught.value.what and "WORKSHOP_HOME" in caught.value.fix
        (tmp_path / "state").unlink()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["", "cloud", "locks", "receipts", "reports", "sites", "sites/local"])
def test_a_link_among_the_folders_inside_is_refused(tmp_path, name):
    state, link = tmp_path / "state", tmp_path / "state" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path)
    with pytest.raises(UsageError, match="symbolic link") as caught:
        open_state_folder(state)
    assert str(link) in caught.value.what
    link.unlink()
    assert open_state_folder(state) == state


def test_a_name_that_is_too_long_is_explained(tmp_path):
    with pytest.raises(UsageError, match="name too long"):
        open_state_folder(tmp_path / ("x" * 300))


def test_a_file_is_private_from_its_first_moment(tmp_path):
    path = tmp_path / "receipt.json"
    write_private(path, "größe")
    assert path.read_text(encoding="utf-8") == "größe"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_private(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "receipts"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(OSError):
        write_private(target, "a folder cannot be replaced by a file")
    assert [path.name for path in tmp_path.rglob("*")] == ["receipts", "old"]
