"""The errors that users see: one tree, one text for each question, and no exit code by accident."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

import workshop
from workshop import errors
from workshop.errors import DefinitionError, ExitCode, PartlyDoneError, UsageError, WorkshopError

LINE = re.compile(r"^ {4}(?P<indent>[│ ]*)(?:[├└]── )?(?P<name>[A-Z]\w+) +(?P<code>\d)   ", re.MULTILINE)


def drawn() -> dict[str, tuple[str, int]]:
    """Each name of the tree in the module's docstring, with its parent and its exit code."""
    above, found = ["", ""], {}
    for line in LINE.finditer(errors.__doc__ or ""):
        depth = line.start("name") - line.start("indent")
        level = depth // 4 + 1
        above[level:] = [line["name"]]
        found[line["name"]] = (above[level - 1], int(line["code"]))
    return found


def existing() -> dict[str, tuple[str, int]]:
    """The same of the classes that the package has."""
    found = {"WorkshopError": ("", int(WorkshopError.exit_code))}
    for module in pkgutil.walk_packages(workshop.__path__, "workshop."):
        if "_builtin" in module.name or module.name.endswith("__main__"):
            continue
        for name, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(value, WorkshopError) and value is not WorkshopError and not name.startswith("_"):
                found[name] = (value.__bases__[0].__name__, int(value.exit_code))
    return found


def test_the_tree_in_the_module_is_the_tree_of_the_package():
    assert drawn() == existing()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (WorkshopError, ExitCode.FAILED),
        (UsageError, ExitCode.USAGE),
        (DefinitionError, ExitCode.USAGE),
        (PartlyDoneError, ExitCode.PARTLY),
    ],
)
def test_an_error_has_its_three_texts_its_name_as_its_code_and_its_exit_code(kind, code):
    error = kind(what="What happened.", why="Why it did.", fix="Run this.")
    assert str(error) == "What happened. Why it did. Run this." and error.exit_code is code
    assert error.document() == {"what": "What happened.", "why": "Why it did.", "fix": "Run this.", "code": kind.__name__}


def test_no_secret_and_nothing_that_a_terminal_obeys_stays_in_an_error():
    error = WorkshopError(what="\x1b[31mAKIA1234567890ABWXYZ", why="X-Amz-Security-Token=abc", code="\x07Bell")
    assert "\x1b" not in str(error) and "AKIA1234" not in str(error) and "abc" not in str(error)
    assert "\x07" not in error.code


def test_an_error_of_a_definition_begins_with_its_place():
    error = DefinitionError(what="It is empty.", where="workshop.yaml:3", field="modules")
    assert error.what == "workshop.yaml:3: modules: It is empty." and error.problem == "It is empty."
