"""The files of a definition: beside it first, for built-in workshops also at the project's root, and nowhere else.

In: a name from `workshop.yaml` or a template. Out: a path inside these folders, or a rendered text. Refuses `..`, absolute
names, symbolic links to the outside, pipes and devices.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from workshop.definition.renderer import Renderer
from workshop.definition.wellformed import unreadable
from workshop.definition.yamlfile import display, read_text
from workshop.errors import DefinitionError
from workshop.quoting import hidden, shown
from workshop.steps.base import Files

__all__ = ["DefinitionFiles"]


class DefinitionFiles(Files):
    """Looks files up in `folder`, then in `shared` when there is one."""

    def __init__(self, folder: Path, shared: Path | None = None) -> None:
        self._folder = folder
        self._shared = shared

    @property
    def root(self) -> Path:
        return self._folder

    @cached_property
    def renderer(self) -> Renderer:
        """Renders templates that may `read()` and include these files."""
        return Renderer(self.text)

    def path(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        if not parts or name.startswith(("/", "~")) or ".." in parts or "\\" in name or hidden(name):
            raise DefinitionError(
                what=f"The file name '{shown(name)}' is not allowed.",
                why="Names are relative to the definition's folder and stay inside it.",
                fix="Copy the file beside workshop.yaml and name it from there.",
            )
        for folder in (self._folder, self._shared):
            if folder is not None and _exists(folder / name):
                _require_inside(folder / name, folder, name)
                return folder / name
        raise DefinitionError(
            what=f"There is no file '{shown(name)}'.",
            why=f"It was looked for in {self._places()}.",
            fix="Create it there, or correct the name.",
        )

    def text(self, name: str) -> str:
        """The text of the file `name`, UTF-8 and at most 1 MB; raises `DefinitionError`."""
        return self._text(self.path(name), name)

    @staticmethod
    def _text(path: Path, name: str) -> str:
        if path.is_dir():
            raise DefinitionError(
                what=f"'{shown(name)}' is a folder.", why="A file is needed here.", fix="Name a file inside it."
            )
        return read_text(path)

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        path = self.path(name)
        return _readable(self.renderer.render(self._text(path, name), variables, display(path)), path)

    def render_leniently(self, name: str, variables: Mapping[str, Any]) -> str:
        """The same, with the empty string in place of outputs that do not exist."""
        path = self.path(name)
        return _readable(self.renderer.render_leniently(self._text(path, name), variables, display(path)), path)

    def _places(self) -> str:
        folders = [folder for folder in (self._folder, self._shared) if folder is not None]
        return " and ".join(display(folder) for folder in folders)


def _readable(rendered: str, path: Path) -> str:
    """The rendered text of a file, unless reading it as YAML or JSON would fill the machine."""
    if reason := unreadable(rendered):
        raise DefinitionError(
            what="The result of the template is refused.",
            why=reason,
            fix="Make it flatter, and write out what its aliases repeat.",
            where=f"{display(path)}:1",
        )
    return rendered


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is longer than file systems take, a closed folder
        return False


def _require_inside(path: Path, folder: Path, name: str) -> None:
    """Refuse a path that leads out of `folder`, a folder with such a link inside, and what is neither file nor folder."""
    if not (path.is_file() or path.is_dir()):
        raise DefinitionError(
            what=f"'{shown(name)}' is neither a file nor a folder.",
            why="Reading a pipe or a device may never end.",
            fix="Put a plain file there.",
        )
    inside = os.path.realpath(folder)  # unlike Path.resolve, takes links that lead to themselves
    for each in (path, *_links(path)):
        if not Path(found := os.path.realpath(each)).is_relative_to(inside):
            raise DefinitionError(
                what=f"The file '{shown(str(each.relative_to(folder)))}' leads out of the definition's folder.",
                why=f"It is a link to {shown(found)}.",
                fix="Copy the file itself beside workshop.yaml.",
            )


def _links(path: Path) -> Iterator[Path]:
    """The symbolic links in a folder: a site made of it would show the files behind them."""
    for folder, folders, files in os.walk(path):
        yield from (link for name in (*folders, *files) if (link := Path(folder, name)).is_symlink())
