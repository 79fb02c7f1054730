"""The files of a definition: beside it first, for built-in workshops also at the project's root, and nowhere else.

In: a name from `workshop.yaml` or a template. Out: a path that is inside, or a rendered text. Never follows `..`, an
absolute name or a symbolic link to the outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from workshop.definition.renderer import Renderer
from workshop.definition.yamlfile import display, read_text
from workshop.errors import DefinitionError
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
        """What fills in templates that may `read()` and include these files."""
        return Renderer(self.text)

    def path(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        if not parts or name.startswith(("/", "~")) or ".." in parts or "\\" in name or "\0" in name:
            raise DefinitionError(
                f"The file name '{name}' is not allowed.",
                "Names are relative to the definition's folder and stay inside it.",
                "Copy the file beside workshop.yaml and name it from there.",
            )
        for folder in (self._folder, self._shared):
            if folder is None or not (folder / name).exists():
                continue
            found = (folder / name).resolve()
            if not found.is_relative_to(folder.resolve()):
                raise DefinitionError(
                    f"The file '{name}' leads out of the definition's folder.",
                    f"It is a link to {found}.",
                    "Copy the file itself beside workshop.yaml.",
                )
            return folder / name
        raise DefinitionError(
            f"There is no file '{name}'.", f"It was looked for in {self._places()}.", "Create it there, or correct the name."
        )

    def text(self, name: str) -> str:
        """The text of the file `name`, UTF-8 and at most 1 MB; raises `DefinitionError`."""
        path = self.path(name)
        if path.is_dir():
            raise DefinitionError(f"'{name}' is a folder.", "A file is needed here.", "Name a file inside it.")
        return read_text(path)

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        return self.renderer.render(self.text(name), variables, display(self.path(name)))

    def _places(self) -> str:
        folders = [folder for folder in (self._folder, self._shared) if folder is not None]
        return " and ".join(display(folder) for folder in folders)
