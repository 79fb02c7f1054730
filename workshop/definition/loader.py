"""Loads and checks a workshop by its name or path.

In: the value of `--workshop`. Out: a `Workshop`, or the first problem as a `DefinitionError`. Templates are not rendered here:
`workshop.definition.lint` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from workshop.definition import builtins
from workshop.definition.files import DefinitionFiles
from workshop.definition.form_errors import definition_of, problems_of
from workshop.definition.model import Definition
from workshop.definition.problem import closest
from workshop.definition.semantics import Kinds, semantic_problems
from workshop.definition.source_location import SourceLocation
from workshop.definition.yamlfile import Document, display, read
from workshop.errors import UsageError
from workshop.quoting import shown

__all__ = ["Workshop", "WorkshopSource", "assemble", "known_kinds", "load", "locate"]


@dataclass(frozen=True)
class WorkshopSource:
    """Where a definition is: the path of its `workshop.yaml`, and whether it belongs to the package."""

    path: Path
    builtin: bool

    def files(self) -> DefinitionFiles:
        """The files that the definition may use."""
        return DefinitionFiles(self.path.parent, builtins.shared_root() if self.builtin else None)


@dataclass(frozen=True, eq=False)
class Workshop:
    """A definition with its files. `source` is the path of its `workshop.yaml`."""

    definition: Definition
    files: DefinitionFiles
    source: Path
    builtin: bool

    @property
    def name(self) -> str:
        return self.definition.name


def load(name_or_path: str, kinds: Kinds | None = None) -> Workshop:
    """The workshop of that name or path; `kinds` are the registered ones unless given.

    Raises `UsageError` when there is none, `DefinitionError` for the first problem of its form.
    """
    source = locate(name_or_path)
    document = read(source.path)
    try:
        definition = definition_of(document)
    except ValidationError as error:
        problems = problems_of(error, Definition, document)
        raise min(problems, key=lambda problem: problem.line).error() from None
    for problem in semantic_problems(definition, document, known_kinds() if kinds is None else kinds):
        raise problem.error()
    return assemble(definition, document, source)


def known_kinds() -> Kinds:
    """The registered step kinds."""
    from workshop.steps.registry import kinds

    return kinds()


def assemble(definition: Definition, document: Document, source: WorkshopSource) -> Workshop:
    """The workshop, with the location of each requirement, module and step, of the drill and of the sign-in."""
    files = source.files()

    def at(*field: str | int) -> SourceLocation:
        return SourceLocation(document, field, files.renderer)

    modules = tuple(
        module.model_copy(
            update={
                "steps": tuple(
                    step.located_at(at("modules", module_number, "steps", number)) for number, step in enumerate(module.steps)
                )
            }
        ).located_at(at("modules", module_number))
        for module_number, module in enumerate(definition.modules)
    )
    requires = tuple(spec.located_at(at("requires", number)) for number, spec in enumerate(definition.requires))
    drill = definition.drill and definition.drill.located_at(at("drill"))
    signin = definition.signin and definition.signin.located_at(at("signin"))
    located = definition.model_copy(update={"requires": requires, "modules": modules, "drill": drill, "signin": signin})
    return Workshop(located, files, source.path, source.builtin)


def locate(name_or_path: str) -> WorkshopSource:
    """Where a workshop is, by a built-in name, a folder that holds a `workshop.yaml`, or a YAML file; raises `UsageError`."""
    if name_or_path in builtins.builtin_names():
        return WorkshopSource(builtins.builtin_folder(name_or_path) / builtins.DEFINITION_FILE, builtin=True)
    try:
        path = Path(name_or_path).expanduser()
        found = _file_at(path)
    except (OSError, RuntimeError) as error:  # a name too long, a closed folder, the home of no user
        raise UsageError(
            what=f"The path {shown(name_or_path)} cannot be read.",
            why=f"{str((isinstance(error, OSError) and error.strerror) or error).rstrip('.')}.",
            fix="Name a built-in workshop, or a folder: --workshop ./my-workshop",
            code="UnknownWorkshop",
        ) from error
    if found:
        # A link to the file of a built-in workshop is that workshop, with its own files, and not what lies beside the link.
        return WorkshopSource(found.resolve(), builtin=True) if _is_builtin(found) else WorkshopSource(found, builtin=False)
    names = builtins.builtin_names()
    if "/" in name_or_path or path.suffix in (".yaml", ".yml"):
        raise UsageError(
            what=f"There is no workshop at {shown(display(path))}.",
            why="No such file or folder.",
            fix="Check the path, or make one with: workshop definition new NAME",
            code="UnknownWorkshop",
        )
    raise UsageError(
        what=f"There is no workshop named '{shown(name_or_path)}'.",
        why=closest(name_or_path, names),
        fix="Name a built-in workshop, or a folder: --workshop ./my-workshop",
        code="UnknownWorkshop",
    )


def _file_at(path: Path) -> Path | None:
    """The definition file at a path, which may be its folder; None when there is nothing. Raises `OSError`."""
    if not path.is_dir():
        return path if path.is_file() else None
    if (path / builtins.DEFINITION_FILE).is_file():
        return path / builtins.DEFINITION_FILE
    raise UsageError(
        what=f"There is no workshop in the folder '{shown(str(path))}'.",
        why=f"The folder holds no {builtins.DEFINITION_FILE}.",
        fix="Make one with: workshop definition new NAME",
        code="UnknownWorkshop",
    )


def _is_builtin(path: Path) -> bool:
    folder = path.resolve().parent
    return any(folder == builtins.builtin_folder(name).resolve() for name in builtins.builtin_names())
