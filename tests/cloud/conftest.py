"""Desks for the tests that use the tool as a user does: one per module, with a cloud of its own, or one per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud.desk import Desk


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cloud: end to end through the command line")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk for the tests of one module, its cloud in the profile `instant`."""
    with_cloud = Desk(tmp_path_factory.mktemp("desk"))
    yield with_cloud.cloud()
    with_cloud.leave()


@pytest.fixture
def fresh(tmp_path) -> Iterator[Desk]:
    """A desk for one test; nothing runs on it yet."""
    alone = Desk(tmp_path / "desk")
    yield alone
    alone.leave()


@pytest.fixture
def clean(desk: Desk) -> Iterator[Desk]:
    """The module's desk with an empty cloud and no memory of earlier runs."""
    desk.run("cloud", "reset")
    for path in desk.state.glob("runs.db*"):
        path.unlink()
    yield desk
