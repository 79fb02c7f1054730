"""The state folder: where it lies, and how files in it are written (private, whole or not at all)."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import tempfile
from pathlib import Path

import platformdirs

from workshop.errors import UsageError

__all__ = ["open_folder", "open_state_folder", "prepare", "private_folder", "refuse_link", "state_folder", "write_private"]

INSIDE = ("cloud", "grants", "locks", "receipts", "reports", "sites", "sites/local")
"""Folders in the state folder that are written to."""


def state_folder() -> Path:
    """`WORKSHOP_HOME`, else the platform's user state folder. Nothing is created."""
    named = os.environ.get("WORKSHOP_HOME", "")
    if named:
        return Path(named).expanduser().absolute()
    try:
        return Path(platformdirs.user_state_path("workshop"))
    except RuntimeError as error:
        raise UsageError(
            "The state folder cannot be used: nothing says where it is.",
            "WORKSHOP_HOME is not set, and this user has no home directory.",
            "Name a folder that you can write, for example: export WORKSHOP_HOME=/var/tmp/my-workshop",
            code="StateFolder",
        ) from error


def open_folder(folder: Path | None = None) -> Path:
    """The state folder, or the one given, ready to be written; see `open_state_folder`."""
    return open_state_folder(folder or state_folder())


def open_state_folder(folder: Path) -> Path:
    """The state folder `folder`, ready to be written; `UsageError` when it, or a folder in it, is a symbolic link.

    Whoever can put such a link there could lead what we write, and what we delete, to other places.
    """
    refuse_link(folder)
    for name in INSIDE:
        refuse_link(folder / name)
    return prepare(folder)


def prepare(folder: Path) -> Path:
    """Make `folder` (mode 0700) and prove that it can be written, is ours alone and no link; the error names `WORKSHOP_HOME`.

    A folder that belongs to someone else, or that others may write to, could hold links that lead our writes elsewhere. A group
    may write to it when it is the user's own, as on systems that give each user one.
    """
    refuse_link(folder)
    try:
        private_folder(folder)
        about, name = folder.stat(), shlex.quote(str(folder))
        if about.st_uid != os.geteuid():
            raise _unusable(str(folder), "it belongs to another user")
        if about.st_mode & 0o002:
            raise _unusable(str(folder), "every user may write to it", f"chmod go-w {name}")
        if about.st_mode & 0o020 and not _is_own_group(about.st_gid):
            raise _unusable(str(folder), "its group may write to it, and may have other members", f"chmod g-w {name}")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unusable(str(folder), str(error.strerror or error)) from error
    return folder


def private_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, each of mode 0700 whatever the umask is; `OSError` when that cannot be."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)  # raises when it is a file


def refuse_link(path: Path) -> None:
    """Raise `UsageError` when `path` is a symbolic link: nothing of ours is one, so somebody put it there."""
    try:
        linked = path.is_symlink()
    except OSError:  # a name too long: whoever wants to use it says so
        linked = False
    if linked:
        raise _unusable(str(path), "it is a symbolic link, which could lead what is written elsewhere")


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file of mode 0600 in one step: a reader sees the old content or the new, never a part."""
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _is_own_group(gid: int) -> bool:
    """Whether nobody but this user is in a group: neither as a member nor because it is the group of their account."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    if set(group.gr_mem) - {user.pw_name}:
        return False
    if group.gr_name == user.pw_name:
        return True
    return gid == user.pw_gid and not any(other.pw_gid == gid and other.pw_uid != user.pw_uid for other in pwd.getpwall())


def _unusable(folder: str, why: str, fix: str = "") -> UsageError:
    return UsageError(
        f"The state folder cannot be used: {folder}.",
        f"{why[:1].upper()}{why[1:]}.",
        fix or "Point WORKSHOP_HOME at a folder that you can write, for example: export WORKSHOP_HOME=$HOME/.workshop",
        code="StateFolder",
    )
