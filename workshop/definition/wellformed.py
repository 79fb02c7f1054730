"""Whether the result of a template can be read: valid YAML or JSON, and within bounds.

In: the rendered text and, where it has a purpose, its form. Out: what is wrong as a sentence, or the empty string.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Literal

import yaml

from workshop.definition.bounded_yaml import Bounds, YamlBoundError, compose

__all__ = ["malformed", "unreadable"]

BOUNDS = Bounds(levels=100, values=200_000, characters=2_000_000)
"""CloudFormation's own limits are far below."""
_TOO_DEEP = "As JSON: it is nested too deeply."


def malformed(text: str, form: Literal["json", "yaml or json"], name: str) -> str:
    """What is wrong with a rendered text of that form; empty when nothing is. `name` is the file's, without `.j2`."""
    return _json(text) if form == "json" or name.endswith(".json") or text.lstrip().startswith("{") else _yaml(text)


def unreadable(text: str) -> str:
    """Why no reader of YAML or JSON should be given a text, whatever it is for; empty when reading it is harmless.

    A few characters can expand to more values than fit into memory, or for more levels than a reader can follow.
    """
    if len(text) <= BOUNDS.levels:
        return ""
    error = _yaml_error(text)
    if isinstance(error, YamlBoundError):
        return f"Read as YAML, it {error}."
    if error is not None:  # JSON may hold what YAML does not, such as half of a character
        return _TOO_DEEP if _json(text) == _TOO_DEEP else ""
    return ""


@lru_cache(maxsize=16)
def _yaml_error(text: str) -> YamlBoundError | yaml.YAMLError | None:
    """Why a text is no YAML within bounds. The result of one template is looked at several times in a run."""
    try:
        compose(text, BOUNDS)
    except (YamlBoundError, yaml.YAMLError) as error:
        return error.with_traceback(None)
    return None


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return f"As JSON: {error} of the result."
    except RecursionError:
        return _TOO_DEEP
    return ""


def _yaml(text: str) -> str:
    error = _yaml_error(text)
    if isinstance(error, YamlBoundError):
        return f"As YAML: it {error}, in line {error.line} of the result."
    return "" if error is None else f"As YAML: {' '.join(str(error).split())}."
