"""A deployed workshop for the drills from the command line: one per module, and nothing failed before and after each test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.cloud.quick_workshop import quick_workshop
from tests.cloud.shell import Shell
from tests.drill.command_line import reserve
from workshop.engine.journal import Journal


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """An installation whose workshop is deployed, with the pace of `quick_workshop`."""
    with_workshop = Shell(tmp_path_factory.mktemp("drill")).cloud("fast")
    with_workshop.more = {"WORKSHOP_WORKSHOP": str(quick_workshop(with_workshop))}
    with_workshop.run("setup", "--yes")
    yield with_workshop
    with_workshop.leave()


@pytest.fixture
def restored(shell: Shell) -> Iterator[None]:
    """The test begins and ends with nothing failed."""
    reserve(shell, None)
    yield
    with contextlib.closing(Journal(shell.state / "runs.db")) as journal:
        pending = journal.undos.everywhere()
    if pending:
        shell.run("drill", "recover")
