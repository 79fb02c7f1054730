"""Whether the result of a template can be read: valid YAML or JSON, and within bounds.

In: the rendered text and, where the text has a purpose, its form. Out: what is wrong as a sentence, or the empty string.
"""

from __future__ import annotations

import json

import yaml

from workshop.definition.bounded_yaml import Bounds, YamlBoundError, compose

__all__ = ["malformed", "unreadable"]

BOUNDS = Bounds(levels=100, values=200_000, characters=2_000_000)
"""CloudFormation's own limits are far below."""
_TOO_DEEP = "As JSON: it is nested too deeply."


def malformed(key: str, name: str, text: str) -> str:
    """What is wrong with a rendered file, in a sentence; empty when nothing is.

    `key` is the setting: a `config` is JSON, and a `template` YAML or JSON, whatever it is called.
    """
    if key == "config" or name.endswith(".json") or (key == "template" and text.lstrip().startswith("{")):
        return _json(text)
    return _yaml(text) if key == "template" or name.endswith((".yaml", ".yml")) else ""


def unreadable(text: str) -> str:
    """Why no reader of YAML or JSON should be given a text, whatever it is for; empty when reading it is harmless.

    A few characters can stand for more values than fit into memory, or for more levels than a reader can follow.
    """
    if len(text) <= BOUNDS.levels:
        return ""
    try:
        compose(text, BOUNDS)
    except YamlBoundError as error:
        return f"Read as YAML, it {error}."
    except yaml.YAMLError:  # JSON may hold what YAML does not, such as an escaped slash
        problem = _json(text)
        return problem if problem == _TOO_DEEP else ""
    return ""


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return f"As JSON: {error} of the result."
    except RecursionError:
        return _TOO_DEEP
    return ""


def _yaml(text: str) -> str:
    try:
        compose(text, BOUNDS)
    except YamlBoundError as error:
        return f"As YAML: it {error}, in line {error.line} of the result."
    except yaml.YAMLError as error:
        return f"As YAML: {' '.join(str(error).split())}."
    return ""
