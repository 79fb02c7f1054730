"""This machine: Python, packages, the state folder, the local cloud and its port, a browser. In: a context. Out: findings."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from packaging.requirements import Requirement

from workshop.checks.base import Check, Family, Finding, failed, passed, skipped, warned

__all__ = ["FAMILY", "Browser", "LocalCloud", "Packages", "Port", "Python", "StateFolder", "unmet"]

DISTRIBUTION = "aws-workshop"
TESTED = ((3, 11), (3, 14))
"""The first and the last version of Python that are tested."""
ROOM = 500 * 1024 * 1024
"""Bytes that the state folder may grow by: sites, the local cloud's objects, its log."""
FIRST_PORT = 4566
BROWSERS = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "firefox",
    "microsoft-edge",
    "brave-browser",
)
MAC = tuple(Path("/Applications") / f"{name}.app" for name in ("Safari", "Google Chrome", "Firefox"))


class Python(Check):
    """A Python that this program is tested with."""

    name = "python"
    title = "Python"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        version = sys.version_info[:2]
        shown = ".".join(str(part) for part in sys.version_info[:3])
        if version < TESTED[0]:
            return failed(f"Python {shown} is too old.", "Install Python 3.11 or newer, then: pip install aws-workshop")
        if version > TESTED[1]:
            return warned(f"Python {shown} is newer than what is tested.", "Use Python 3.14: python3.14 -m venv .venv")
        return passed(shown)


class Packages(Check):
    """The packages that this program needs are there in versions that fit; for the local target its extra, too."""

    name = "packages"
    title = "Packages"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        try:
            wanted = importlib.metadata.requires(DISTRIBUTION) or []
        except importlib.metadata.PackageNotFoundError:
            return skipped(f"{DISTRIBUTION} is not installed as a package, so its requirements are unknown.")
        extras = ("",) if self.context.on_aws else ("", "local")
        count, wrong = unmet(wanted, extras, _installed)
        if wrong:
            extra = "" if self.context.on_aws else "[local]"
            return failed("; ".join(wrong), f"pip install --upgrade '{DISTRIBUTION}{extra}'")
        return passed(f"{count} packages, boto3 {importlib.metadata.version('boto3')}")


class StateFolder(Check):
    """The state folder can be written and has room."""

    name = "state-folder"
    title = "The state folder can be written"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        machine = self.context.machine
        if machine.folder_error is not None:
            return failed(f"{machine.folder_error.what} {machine.folder_error.why}", machine.folder_error.fix)
        free = shutil.disk_usage(machine.folder).free
        if free < ROOM:
            return warned(
                f"{machine.folder} has {free // 1024**2} MB left.",
                "Make room, or point WORKSHOP_HOME elsewhere: export WORKSHOP_HOME=/path/with/room",
            )
        return passed(str(machine.folder))


class LocalCloud(Check):
    """The local cloud runs."""

    name = "cloud"
    title = "The local cloud runs"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        machine = self.context.machine
        if self.context.on_aws:
            return skipped("Not needed for AWS.")
        if machine.cloud_error is not None:
            error = machine.cloud_error
            return failed(f"{error.what} {error.why}", error.fix or "Read its log: workshop cloud logs")
        if machine.cloud_unsaved:
            return failed(machine.cloud_unsaved, "Make room there, or make it writable; the local cloud recovers by itself.")
        return passed(f"on port {machine.cloud_port}")


class Port(Check):
    """The port of the local cloud is free, or is its own."""

    name = "port"
    title = "Its port is free"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        if self.context.on_aws:
            return skipped("Not needed for AWS.")
        named = os.environ.get("WORKSHOP_PORT", "").strip()
        wanted = int(named) if named.isdigit() else FIRST_PORT
        used = self.context.machine.cloud_port
        if used == wanted:
            return passed(f"{wanted}, used by the local cloud")
        if _free(wanted):
            return passed(str(used or wanted))
        if used:
            return warned(
                f"Another program has port {wanted}; the local cloud uses {used}.",
                f"Tell attendees {used}, or stop that program and run: workshop cloud stop && workshop cloud start",
            )
        return failed(f"Another program has port {wanted}.", f"Choose another: export WORKSHOP_PORT={wanted + 1}")


class Browser(Check):
    """A browser to show the pages with."""

    name = "browser"
    title = "A browser"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        found = _browser()
        if found:
            return passed(found)
        return warned("No browser was found on this machine.", "Install one, or open the pages on another machine")


def _browser() -> str:
    """The name of a browser; empty when there is none."""
    named = os.environ.get("BROWSER", "").split(os.pathsep)[0]
    found = next((name for name in (named, *BROWSERS) if name and shutil.which(name)), "")
    return found or next((place.stem for place in MAC if place.is_dir()), "")


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def unmet(wanted: Iterable[str], extras: Iterable[str], version_of: Callable[[str], str | None]) -> tuple[int, list[str]]:
    """How many of the wanted requirements (PEP 508) apply with these extras, and a phrase for each that is not met.

    `version_of` returns the installed version of a distribution, or None.
    """
    count, found = 0, []
    for requirement in map(Requirement, wanted):
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        count += 1
        version = version_of(requirement.name)
        if version is None:
            found.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement.name} is {version}, needed is {requirement.specifier}")
    return count, found


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


FAMILY = Family("machine", "This machine", (Python, Packages, StateFolder, LocalCloud, Port, Browser))
