"""The state folder: found, made private, proven writable; its files are written whole or not at all."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop.errors import UsageError
from workshop.state_dir import open_state_folder, prepare, private_folder, state_folder, write_private


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


@pytest.fixture
def loose():
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_folder_on_the_way_is_private_under_any_umask(tmp_path, loose):
    private_folder(tmp_path / "sites" / "local" / "mine")
    prepare(tmp_path / "a" / "b")
    assert {mode(path) for path in tmp_path.rglob("*")} == {0o700} and len(list(tmp_path.rglob("*"))) == 5


def test_a_folder_that_every_user_may_write_is_refused_with_the_fix(tmp_path, loose):
    (tmp_path / "my state").mkdir(mode=0o777)
    with pytest.raises(UsageError, match="Every user may write") as caught:
        prepare(tmp_path / "my state")
    assert caught.value.fix == f"chmod go-w '{tmp_path}/my state'"


ME = SimpleNamespace(pw_name="ana", pw_uid=os.geteuid(), pw_gid=1000)
OTHER = SimpleNamespace(pw_name="bob", pw_uid=4242, pw_gid=1001)


@pytest.mark.parametrize(
    ("group", "members", "users", "taken"),
    [
        ("ana", [], [ME, OTHER], True),
        ("ana", ["ana"], [ME, OTHER], True),
        ("ana", ["ana", "bob"], [ME, OTHER], False),
        ("staff", [], [ME, OTHER], True),
        ("staff", ["bob"], [ME, OTHER], False),
        ("users", [], [ME, SimpleNamespace(pw_name="bob", pw_uid=4242, pw_gid=1000)], False),
        ("", [], [ME], False),
    ],
)
def test_a_folder_that_a_group_may_write_is_taken_only_when_the_group_is_the_users_own(
    monkeypatch, tmp_path, group, members, users, taken
):
    def found(gid: int) -> SimpleNamespace:
        if not group:
            raise KeyError(gid)
        return SimpleNamespace(gr_name=group, gr_mem=members)

    monkeypatch.setattr(grp, "getgrgid", found)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(**{**vars(ME), "pw_gid": tmp_path.stat().st_gid}))
    here = tmp_path.stat().st_gid
    everyone = [SimpleNamespace(**{**vars(u), "pw_gid": here if u.pw_gid == 1000 else -1}) for u in users]
    monkeypatch.setattr(pwd, "getpwall", lambda: everyone)
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o770)
    if taken:
        assert prepare(folder) == folder
        return
    with pytest.raises(UsageError, match="Its group may write") as caught:
        prepare(folder)
    assert caught.value.fix == f"chmod g-w {folder}"
