"""The state folder: where it is, and how files in it are written.

In: `WORKSHOP_HOME` or a path. Out: a folder that is this user's alone; files that are private, and written whole or not at all.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shlex
import tempfile
from pathlib import Path

import platformdirs

from workshop.errors import UsageError, WorkshopError

__all__ = [
    "UnwritableError",
    "folder_to_read",
    "open_folder",
    "open_state_folder",
    "prepare",
    "private_folder",
    "refuse_link",
    "state_folder",
    "unwritable",
    "write_private",
]

INSIDE = ("cloud", "grants", "locks", "receipts", "reports", "sites", "sites/local")
"""Folders in the state folder that are written to."""


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
"""No space, no quota, a file system that is read-only, and a file that may not grow (`ulimit -f`)."""
SQLITE_NO_ROOM = (8, 10, 13)
"""SQLITE_READONLY, SQLITE_IOERR and SQLITE_FULL, by which SQLite names the same."""
LEAST_ROOM = 128 * 1024
"""Bytes that a run's record takes at least: the journal's tables, and its log with the memory that it shares."""


class UnwritableError(WorkshopError):
    """A disk is full or read-only. What only looks or removes goes on without a record."""


def state_folder() -> Path:
    """`WORKSHOP_HOME`, else the platform's user state folder. Nothing is created."""
    named = os.environ.get("WORKSHOP_HOME", "")
    if named:
        return Path(named).expanduser().absolute()
    try:
        return Path(platformdirs.user_state_path("workshop"))
    except RuntimeError as error:
        raise UsageError(
            what="The state folder cannot be used: it is not known where it is.",
            why="WORKSHOP_HOME is not set, and this user has no home directory.",
            fix="Name a folder that you can write, for example: export WORKSHOP_HOME=/var/tmp/my-workshop",
            code="StateFolder",
        ) from error


def open_folder(folder: Path | None = None) -> Path:
    """The state folder, or the one given, ready to be written; see `open_state_folder`."""
    return open_state_folder(folder or state_folder())


def folder_to_read(folder: Path | None = None) -> Path:
    """The same for what does not have to write: on a disk that is full or read-only, the folder as it is."""
    try:
        return open_folder(folder)
    except UnwritableError:
        found = folder or state_folder()
        if not found.is_dir():  # nothing was ever recorded there, so another folder is as good
            raise
        return found


def open_state_folder(folder: Path) -> Path:
    """The state folder `folder`, ready to be written; `UsageError` when it, or a folder in it, is a symbolic link.

    Such a link could lead what we write, and what we delete, to other places.
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
        _prove_room(folder)
    except OSError as error:
        if (full := unwritable(error, folder)) is not None:
            raise full from error
        raise _unusable(str(folder), str(error.strerror or error)) from error
    return folder


def _prove_room(folder: Path) -> None:
    """Write a file that is as large as the least that a run needs, and drop it; `OSError` when that cannot be."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(LEAST_ROOM))


def unwritable(error: BaseException, folder: Path | None = None) -> UnwritableError | None:
    """The error as people need it, when it is one of a disk that is full or read-only; None for any other.

    `folder` is what was written, else the file that the error names, else the state folder. SQLite's errors count too.
    """
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        why = str(error.strerror)
    elif getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_NO_ROOM:
        why = f"SQLite: {error}"
    else:
        return None
    named = getattr(error, "filename", None)
    return UnwritableError(
        what=f"The disk cannot be written: {folder or named or state_folder()}.",
        why=f"{why[:1].upper()}{why[1:]}.",
        fix="Free space there, or name another folder: export WORKSHOP_HOME=$HOME/.workshop; then run the same command again",
        code="Unwritable",
    )


def private_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, each of mode 0700 whatever the umask is; `OSError` when that cannot be."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)  # raises when it is a file


def refuse_link(path: Path) -> None:
    """Raise `UsageError` when `path` is a symbolic link: nothing of ours is one, so another hand put it there."""
    try:
        linked = path.is_symlink()
    except OSError:  # a name too long: using it raises an error of its own
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
    """Whether this user is alone in a group: no other is a member, and it is the group of no other account."""
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
        what=f"The state folder cannot be used: {folder}.",
        why=f"{why[:1].upper()}{why[1:]}.",
        fix=fix or "Point WORKSHOP_HOME at a folder that you can write, for example: export WORKSHOP_HOME=$HOME/.workshop",
        code="StateFolder",
    )
