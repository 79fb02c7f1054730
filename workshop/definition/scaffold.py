"""Creates a new workshop: a small one with comments that teach, or a copy of a built-in one.

In: a name and a folder. Out: the complete folder; on any error nothing is left of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from workshop.definition import builtins
from workshop.definition.problem import closest
from workshop.definition.yamlfile import display
from workshop.errors import UsageError
from workshop.shell import command_line

__all__ = ["new"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SKIPPED = shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "node_modules")


def new(name: str, folder: Path, from_builtin: str | None = None) -> list[Path]:
    """Make the workshop `name` in `folder`, as a copy of `from_builtin` when that is given.

    Returns the files, sorted, relative to `folder`. Raises `UsageError` when the name does not fit, there is no such
    built-in workshop, or the folder is not empty.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            what=f"'{name}' cannot be the name of a workshop.",
            why="A name has lower case letters, digits and -, begins with a letter and has at most 40 characters.",
            fix="Choose another one, for example: workshop definition new my-workshop",
            code="BadName",
        )
    if from_builtin is not None and from_builtin not in builtins.builtin_names():
        raise UsageError(
            what=f"There is no built-in workshop '{from_builtin}'.",
            why=closest(from_builtin, builtins.builtin_names()),
            fix=f"See: {command_line(['workshop', 'definition', 'new', name, '--from', builtins.builtin_names()[0]])}",
            code="UnknownWorkshop",
        )
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise UsageError(
            what=f"{display(folder)} exists already.",
            why="Nothing in it was changed.",
            fix="Choose another name, or remove it first.",
            code="FolderExists",
        )
    try:
        return _made(name, folder, from_builtin)
    except OSError as error:
        raise UsageError(
            what=f"The workshop cannot be written to {display(folder)}.",
            why=f"{error.strerror or error}.",
            fix="Change to a folder that you can write, and try again.",
            code="FolderUnwritable",
        ) from error


def _made(name: str, folder: Path, from_builtin: str | None) -> list[Path]:
    """Written beside its place first and moved there in one step."""
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{name}-") as work:
        draft = Path(work) / name
        if from_builtin is None:
            _write_skeleton(name, draft)
        else:
            _copy(name, draft, from_builtin)
        draft.replace(folder)  # an empty folder of that name is taken over
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _copy(name: str, draft: Path, builtin: str) -> None:
    shutil.copytree(builtins.builtin_folder(builtin), draft, ignore=_SKIPPED, copy_function=_copy_file)
    for shared in builtins.shared_root().glob("*.json"):
        if not (draft / shared.name).exists():
            _copy_file(str(shared), str(draft / shared.name))
    definition = draft / builtins.DEFINITION_FILE
    text = definition.read_text(encoding="utf-8")
    if builtins.SHARED in text:
        own = Path(builtins.SHARED).name
        shutil.copytree(builtins.shared_root() / builtins.SHARED, draft / own, ignore=_SKIPPED, copy_function=_copy_file)
        text = text.replace(builtins.SHARED, own)
    text = re.sub(r"(?m)^name:.*$", f"name: {name}", text, count=1)
    text = text.replace(f"templates/{builtin}", f"./{name}")
    definition.write_text(text, encoding="utf-8")


def _copy_file(source: str, destination: str) -> str:
    """A copy that can be edited, although the installation may be read-only."""
    shutil.copyfile(source, destination)
    Path(destination).chmod(0o644 & ~_umask())
    return destination


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _write_skeleton(name: str, draft: Path) -> None:
    draft.mkdir()
    (draft / builtins.DEFINITION_FILE).write_text(_SKELETON.replace("NAME", name), encoding="utf-8")
    items = [
        {"PutRequest": {"Item": {"PK": {"S": "greeting"}, "SK": {"S": language}, "text": {"S": text}}}}
        for language, text in (("en", "Hello"), ("es", "Hola"), ("ja", "こんにちは"))
    ]
    lines = ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in items)
    (draft / "items.json").write_text(f'{{\n  "{name}-table": [\n{lines}\n  ]\n}}\n', encoding="utf-8")


_SKELETON = """\
# A workshop is this one file and the files it names. Nothing in it is code.
#   check it     workshop definition lint ./NAME
#   run it       workshop setup --workshop ./NAME        (on the local cloud; add --target aws for AWS)
#   remove it    workshop teardown --workshop ./NAME
# All fields, for your editor: workshop definition schema > workshop.schema.json

name: NAME                             # lower case; part of tags, addresses and the state folder
title: My first multi-region workshop
description: A table that lives in two regions, with a few items in it.

regions: [us-west-2, eu-west-1]        # the first is the home region; `--region` replaces the list

# What a facilitator may change with `--param table=other`. Templates see every parameter as a variable.
parameters:
  table:
    default: NAME-table
    pattern: '[A-Za-z0-9_.-]{3,255}'   # the whole value must match
    description: The name of the table.
  # Others: choices: [low, high] lists the values; changeable: true lets the next setup change it; secret: true is never shown.

# Modules are what attendees work through, in this order. `workshop setup --through first-steps` stops after one.
modules:
  - name: first-steps
    title: A table in two regions
    steps:
      # kind: what the step does. with: the settings of that kind; {{ }} fills in variables.
      # in:   home, replicas (one after the other), each (all regions at once), global, or a region such as eu-central-1.
      # when: a condition on parameters and target, such as '{{ delegated }}'; without it the step always runs.
      - id: table
        kind: dynamodb.table
        in: home
        with: {name: '{{ table }}', keys: {PK: S, SK: S}}

      # needs: the steps that must be ready first. Steps without a `needs` between them run at the same time.
      - id: replica
        kind: dynamodb.replica
        in: replicas
        needs: [table]
        with: {table: '{{ table }}'}

      # The file is a BatchWriteItem request for the default name of the table. Loading comes after the replica: adding a
      # replica to a table that holds items takes much longer.
      - id: data
        kind: dynamodb.items
        in: home
        needs: [replica]
        with: {table: '{{ table }}', file: items.json}

  # A second module is one more entry like the first. Ideas, one line each:
  #   - {id: api, kind: cloudformation.stack, in: each, with: {name: NAME-api, template: api.yaml.j2}}
  #   - {id: ping, kind: http.check, in: each, needs: [api], with: {url: '{{ apis[region].path_url }}'}}
  # `apis` (below) names the step whose output is the id of the API, so that results and templates know the addresses:
  # apis: {step: api, output: ApiId, stage: api}
  # `names` does the same for names that DNS routes, `links` for pages, and `drill` describes the load of a drill.
"""
