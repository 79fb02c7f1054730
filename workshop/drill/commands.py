"""The `workshop` commands that messages offer, with the options that were given: they mean the same workshop in the same place.

In: the options as words. Out: lines for pasting.
"""

from __future__ import annotations

from dataclasses import dataclass

from workshop.shell import command_line, flagged

__all__ = ["Commands"]

EXAMPLE_REGIONS = ("us-west-2", "eu-west-1")


@dataclass(frozen=True, slots=True)
class Commands:
    """`options` are the given options without the regions; `regions` are those in which the workshop was asked for, if given.

    The regions are kept apart because `drill` and `observe` take `--region` for the regions to fail or to compare.
    """

    options: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def line(self, words: str, *regions: str) -> str:
        """The command `words` (`drill recover`), for these regions only when there are some."""
        named = [word for region in regions for word in flagged("--region", region)]
        return command_line(["workshop", *words.split(), *named, *self.options])

    @property
    def recover(self) -> str:
        """Restores what is failed, in every region."""
        return self.line("drill recover")

    @property
    def setup(self) -> str:
        """Brings the workshop to ready."""
        return self.line("setup", *self.regions)

    @property
    def status(self) -> str:
        """Lists what is deployed, and which regions are failed."""
        return self.line("status", *self.regions)

    def setup_in_two(self, home: str) -> str:
        """Sets it up in a second region beside its home region."""
        return self.line("setup", home, next(region for region in EXAMPLE_REGIONS if region != home))

    def throttle(self, region: str) -> str:
        """Drills a region with the fault that every workshop allows."""
        return self.line("drill run --fault throttle", region)
