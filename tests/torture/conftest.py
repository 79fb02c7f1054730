"""Torture: everything that can end badly, tried. TORTURE=long (make torture) walks all of it, a plain run a share of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

pytest.register_assert_rewrite("tests.torture.ground")

from tests.torture.ground import Ground, Inventory  # noqa: E402

T = TypeVar("T")
HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "torture: every ugly ending; TORTURE=long for all of them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("torture")
            if long():
                item.add_marker(pytest.mark.timeout(3 * 3600))


def long() -> bool:
    """Whether the long version was asked for."""
    return os.environ.get("TORTURE", "") == "long"


def few(cases: Iterable[T], short: int) -> list[T]:
    """All cases in the long version; of a short one evenly spread `short`."""
    every = list(cases)
    return every if long() else every[:: max(1, len(every) // short)][:short]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One cloud for the tests of a module; each leaves it as it found it."""
    standing = Ground(tmp_path_factory.mktemp("ground"))
    yield standing
    standing.leave()


@pytest.fixture
def before(ground: Ground) -> Iterator[Inventory]:
    """What stands before a test, and has to stand after it. No fault outlives a test."""
    found = ground.inventory()
    yield found
    ground.mend()
    if ground.inventory() != found:  # a test that failed must not fail the next ones too
        ground.run("teardown")
