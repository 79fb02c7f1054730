"""The options that commands share, each with its `WORKSHOP_*` variable.

In: words of a command line and variables. Out: an `Invocation`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from workshop.app.invocation import DEFAULT_WORKSHOP, Invocation
from workshop.errors import UsageError

__all__ = ["common_options", "in_option", "json_option"]

in_option = click.option("--in", "in_region", metavar="REGION", help="Only in this region of the workshop.")


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`: one document on stdout."""
    option = click.option("--json", "as_json", is_flag=True, envvar="WORKSHOP_JSON", help="Print one JSON document.")
    return option(command)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The common options, handed to the command as its first argument, an `Invocation`."""

    @functools.wraps(command)
    def gather(**given: Any) -> Any:
        invocation = Invocation(
            workshop=given.pop("workshop"),
            target=given.pop("target") or "",
            profile=given.pop("profile") or "",
            regions=tuple(given.pop("region")),
            parameters=_parameters(given.pop("param")),
            expect_account=given.pop("expect_account") or "",
            yes=given.pop("yes"),
            json=given.pop("as_json"),
        )
        given.pop("debug")
        return command(invocation, **given)

    decorated: Callable[..., Any] = gather
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return json_option(decorated)


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(what=f"{text!r} is not a parameter.", fix="Write it as --param NAME=VALUE", code="Usage")
        found[name] = value
    return found


_OPTIONS = [
    click.option(
        "-w",
        "--workshop",
        default=DEFAULT_WORKSHOP,
        show_default=True,
        envvar="WORKSHOP_WORKSHOP",
        metavar="NAME|PATH",
        help="A built-in workshop, or the path of your own.",
    ),
    click.option(
        "-t",
        "--target",
        type=click.Choice(["local", "aws"]),
        envvar="WORKSHOP_TARGET",
        help="Where: the embedded local cloud, or AWS.",
    ),
    click.option("--profile", envvar="WORKSHOP_PROFILE", metavar="NAME", help="The AWS profile to use (with --target aws)."),
    click.option(
        "--region", multiple=True, envvar="WORKSHOP_REGION", metavar="REGION", help="A region; repeat it. The first is home."
    ),
    click.option(
        "--param", multiple=True, envvar="WORKSHOP_PARAM", metavar="NAME=VALUE", help="A parameter of the workshop; repeat it."
    ),
    click.option(
        "--expect-account", envvar="WORKSHOP_EXPECT_ACCOUNT", metavar="ID", help="Stop unless this is the account of the caller."
    ),
    click.option("-y", "--yes", is_flag=True, envvar="WORKSHOP_YES", help="Do not ask before the first change."),
    click.option("--debug", is_flag=True, envvar="WORKSHOP_DEBUG", help="Show the traceback of an unknown error."),
]
