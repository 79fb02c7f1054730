"""One value for everything that a definition is: any change to any file of its folder gives another.

In: a workshop. Out: a SHA-256 in hexadecimal. Reads every file in pieces, follows no link, and opens no pipe or device.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from workshop.definition.loader import Workshop
from workshop.errors import DefinitionError
from workshop.quoting import shown

__all__ = ["MOST_BYTES", "MOST_FILES", "fingerprint"]

MOST_FILES, MOST_BYTES = 20_000, 4_000_000_000
"""Beyond these a folder is no workshop but, say, a home directory that contains a YAML file."""
PIECE = 1 << 20


def fingerprint(workshop: Workshop) -> str:
    """The digest of the names and contents of all files beside `workshop.yaml`, and of that file wherever it really lies.

    Modes and times do not count. Raises `DefinitionError` for a link that leads out of the folder, for what is neither file nor
    folder, for what cannot be read, and for a folder that is too large.
    """
    folder = workshop.source.parent
    total = hashlib.sha256()
    left = MOST_BYTES
    try:
        for number, path in enumerate([workshop.source, *_entries(folder)]):
            if number > MOST_FILES:
                raise _too_large(folder)
            kind, content, size = _digest(path, folder, left, follow=number == 0)
            left -= size
            for part in (kind, os.fsencode(path.relative_to(folder)), content):
                total.update(len(part).to_bytes(8, "big") + part)
    except OSError as error:
        raise DefinitionError(
            what=f"The folder {shown(str(folder))} cannot be read.",
            why=f"{shown(str(error.filename or folder))}: {error.strerror or error}.",
            fix="Make all of it readable, or copy the workshop into a folder of its own.",
        ) from error
    return total.hexdigest()


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is not a folder itself, links included, in an order that does not depend on the machine."""
    for path, folders, files in os.walk(folder, onerror=_raise):
        folders.sort()
        links = [name for name in folders if Path(path, name).is_symlink()]
        yield from (Path(path, name) for name in sorted([*files, *links]))


def _raise(error: OSError) -> None:
    raise error


def _digest(path: Path, folder: Path, most: int, *, follow: bool) -> tuple[bytes, bytes, int]:
    """What a path is, the digest of what it holds (of a link: where it leads), and its bytes."""
    about = path.stat() if follow else path.lstat()
    if stat.S_ISLNK(about.st_mode):
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            raise DefinitionError(
                what=f"The file '{shown(str(path.relative_to(folder)))}' leads out of the definition's folder.",
                why=f"It is a link to {shown(os.path.realpath(path))}.",
                fix="Copy the file itself beside workshop.yaml.",
            )
        return b"link", os.fsencode(os.readlink(path)), 0  # noqa: PTH115 - a Path would take the text apart
    if not stat.S_ISREG(about.st_mode):
        raise DefinitionError(
            what=f"'{shown(str(path.relative_to(folder)))}' is neither a file nor a folder.",
            why="Reading a pipe or a device may never end.",
            fix="Remove it from the folder of the workshop.",
        )
    if about.st_size > most:
        raise _too_large(folder)
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            if size > most:  # it grows while it is read
                raise _too_large(folder)
    return b"file", digest.digest(), size


def _too_large(folder: Path) -> DefinitionError:
    return DefinitionError(
        what=f"The folder {shown(str(folder))} is too large for a workshop.",
        why=f"Every file of it belongs to the workshop: {MOST_FILES:,} files and {MOST_BYTES / 1e9:g} GB at most.",
        fix="Put workshop.yaml into a folder of its own, with what it uses.",
    )
