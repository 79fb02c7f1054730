"""The options that commands share, each with its `WORKSHOP_*` variable, and what they come to as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from workshop.errors import UsageError
from workshop.shell import command_line, flagged

__all__ = ["DEFAULT_WORKSHOP", "Common", "common_options", "json_option", "retyped", "retyped_options"]

DEFAULT_WORKSHOP = "global-serverless"


@dataclass(frozen=True, slots=True)
class Common:
    """What was asked for on the command line or by variables. `target` is empty when it was left to the command."""

    workshop: str
    target: str
    profile: str
    regions: tuple[str, ...]
    parameters: Mapping[str, str]
    expect_account: str
    yes: bool
    json: bool


def retyped(common: Common, words: str, target: str) -> str:
    """The command that does `words` (`setup`) with the same workshop on the same target, as a person would type it."""
    return command_line(["workshop", *words.split(), *retyped_options(common, target)])


def retyped_options(common: Common, target: str) -> tuple[str, ...]:
    """The words of the options that mean the same workshop on the same target, those that are the defaults left out."""
    options = [("--workshop", common.workshop if common.workshop != DEFAULT_WORKSHOP else "")]
    options.append(("--target", target if target == "aws" else common.target and target))
    options.append(("--profile", common.profile if target == "aws" else ""))
    options += [("--region", region) for region in common.regions]
    options += [("--param", f"{name}={value}") for name, value in common.parameters.items()]
    options.append(("--expect-account", common.expect_account))
    return tuple(word for name, value in options if value for word in flagged(name, value))


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`: one document on stdout."""
    option = click.option("--json", "as_json", is_flag=True, envvar="WORKSHOP_JSON", help="Print one JSON document.")
    return option(command)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The common options, handed to the command as its first argument, a `Common`."""

    @functools.wraps(command)
    def gather(**given: Any) -> Any:
        common = Common(
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
        return command(common, **given)

    decorated: Callable[..., Any] = gather
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return json_option(decorated)


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is not a parameter.", "", "Write it as --param NAME=VALUE", code="Usage")
        found[name] = value
    return found


_OPTIONS = [
    click.option("-w", "--workshop", default=DEFAULT_WORKSHOP, show_default=True, envvar="WORKSHOP_WORKSHOP", metavar="NAME|PATH",
                 help="A built-in workshop, or the path of your own."),
    click.option("-t", "--target", type=click.Choice(["local", "aws"]), envvar="WORKSHOP_TARGET",
                 help="Where: the embedded local cloud, or AWS."),
    click.option("--profile", envvar="WORKSHOP_PROFILE", metavar="NAME", help="The AWS profile to use (with --target aws)."),
    click.option("--region", multiple=True, envvar="WORKSHOP_REGION", metavar="REGION",
                 help="A region; repeat it. The first is home."),
    click.option("--param", multiple=True, envvar="WORKSHOP_PARAM", metavar="NAME=VALUE",
                 help="A parameter of the workshop; repeat it."),
    click.option("--expect-account", envvar="WORKSHOP_EXPECT_ACCOUNT", metavar="ID",
                 help="Stop unless this is the account."),
    click.option("-y", "--yes", is_flag=True, envvar="WORKSHOP_YES", help="Do not ask before the first change."),
    click.option("--debug", is_flag=True, envvar="WORKSHOP_DEBUG", help="Show tracebacks of unknown errors."),
]  # fmt: skip
