"""What was asked for: the workshop, the target and the options that all commands share, as one value.

In: words of a command line or variables, already parsed. Out: a frozen value, and the command lines that mean the same again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workshop.shell import command_line, flagged

__all__ = ["DEFAULT_WORKSHOP", "Invocation"]

DEFAULT_WORKSHOP = "global-serverless"


@dataclass(frozen=True, slots=True)
class Invocation:
    """The common options. `target` is empty when it was left to the command."""

    workshop: str = DEFAULT_WORKSHOP
    target: str = ""
    profile: str = ""
    regions: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    expect_account: str = ""
    yes: bool = False
    json: bool = False

    def command_line(self, command: str, target: str) -> str:
        """The line that runs `command` (`setup`, `drill run`) on the same workshop and target, ready to be pasted."""
        return command_line(["workshop", *command.split(), *self.options(target)])

    def options(self, target: str) -> tuple[str, ...]:
        """The words of the options that mean the same workshop on that target, those that are the defaults left out."""
        options = [("--workshop", self.workshop if self.workshop != DEFAULT_WORKSHOP else "")]
        options.append(("--target", target if target == "aws" else self.target and target))
        options.append(("--profile", self.profile if target == "aws" else ""))
        options += [("--region", region) for region in self.regions]
        options += [("--param", f"{name}={value}") for name, value in self.parameters.items()]
        options.append(("--expect-account", self.expect_account))
        return tuple(word for name, value in options if value for word in flagged(name, value))

    def recorded(self) -> Invocation:
        """The same without what the journal has after a setup: regions and parameters."""
        return replace(self, regions=(), parameters={})
