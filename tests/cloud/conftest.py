"""Shells for the tests that use the tool as a user does: one per module, with a cloud of its own, or one per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud.shell import Shell


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cloud: end to end through the command line")


@pytest.fixture(scope="module")
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell for the tests of one module, its cloud in the profile `instant`."""
    with_cloud = Shell(tmp_path_factory.mktemp("shell"), apart=_apart(request))
    yield with_cloud.cloud()
    with_cloud.leave()


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path) -> Iterator[Shell]:
    """A shell for one test; nothing runs on it yet."""
    alone = Shell(tmp_path / "shell", apart=_apart(request))
    yield alone
    alone.leave()


@pytest.fixture
def clean(shell: Shell) -> Shell:
    """The module's shell with an empty cloud and no memory of earlier runs."""
    return shell.start_over()


def _apart(request: pytest.FixtureRequest) -> bool:
    """Whether every command of the module runs in a process of its own: what it proves is about processes and their streams."""
    return bool(getattr(request.module, "APART", False))
