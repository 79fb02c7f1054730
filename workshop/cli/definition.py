"""`workshop definition`: what authors of workshops need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workshop.console.document import print_document
from workshop.console.echo import say, say_json
from workshop.errors import ExitCode
from workshop.shell import word

if TYPE_CHECKING:
    from workshop.definition.problem import Problem

__all__ = ["command"]


@click.group()
def command() -> None:
    """Check, describe and create workshops (for authors)."""


@command.command(short_help="Find everything that is wrong with a workshop.")
@click.argument("path", metavar="PATH")
@click.option("--json", "as_json", is_flag=True, envvar="WORKSHOP_JSON", help="Print one JSON document.")
@click.pass_context
def lint(ctx: click.Context, path: str, as_json: bool) -> None:
    """Find everything that is wrong with the workshop at PATH, before anything is deployed.

    PATH is a folder with a workshop.yaml, a YAML file, or the name of a built-in workshop. Exit code 0: sound; 2: not.

    \b
    Example:
      workshop definition lint ./my-workshop
    """
    from workshop.definition.lint import lint as find

    problems = find(path)
    if as_json:
        print_document("definition lint", not problems, {"workshop": path, "problems": [_entry(each) for each in problems]})
    else:
        _show(path, problems)
    if problems:
        ctx.exit(ExitCode.USAGE)


@command.command(short_help="Print the JSON Schema of workshop.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print it inside the document of the other commands.")
def schema(as_json: bool) -> None:
    """Print the JSON Schema of workshop.yaml, the settings of every step kind included.

    \b
    Example:
      workshop definition schema > workshop.schema.json
    """
    from workshop.definition.schema import json_schema

    if as_json:
        print_document("definition schema", True, {"schema": json_schema()})
    else:
        say_json(json_schema())


@command.command(short_help="Create a workshop that works, for you to change.")
@click.argument("name", metavar="NAME")
@click.option("--from", "builtin", metavar="NAME", help="Copy this built-in workshop instead of the skeleton.")
@click.option("--json", "as_json", is_flag=True, envvar="WORKSHOP_JSON", help="Print one JSON document.")
def new(name: str, builtin: str | None, as_json: bool) -> None:
    """Create a workshop that works, in the new folder NAME, for you to change.

    \b
    Examples:
      workshop definition new my-workshop
      workshop definition new my-films --from global-serverless
    """
    from workshop.definition.scaffold import new as make

    folder = Path(name)
    files = make(name, folder, builtin)
    if as_json:
        content = {"workshop": name, "folder": str(folder.absolute()), "files": [str(path) for path in files]}
        print_document("definition new", True, content)
        return
    say(f"Created {folder}/ with {_count(len(files), 'file')}:")
    for path in files[:12]:
        say(f"  {path}")
    if len(files) > 12:
        say(f"  and {len(files) - 12} more")
    here = word(f"./{folder}")
    say(f"\nCheck it:  workshop definition lint {here}\nRun it:    workshop setup --workshop {here}")


def _show(path: str, problems: list[Problem]) -> None:
    for problem in problems:
        say(f"{problem.place}: {problem.field}" if problem.field else problem.place)
        say(f"  {problem.what}")
        if problem.fix:
            say(f"  → {problem.fix}")
    if problems:
        say(f"{_count(len(problems), 'problem')} in {path}.", err=True)
    else:
        say(f"{path} is sound.")


def _entry(problem: Problem) -> dict[str, str | int]:
    return {"where": problem.where, "line": problem.line, "field": problem.field, "what": problem.what, "fix": problem.fix}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
