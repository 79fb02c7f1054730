"""Torture: everything that can end badly, tried. TORTURE=long (make torture) walks all of it, a plain run a share of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.torture.cloud_sandbox")

from tests.amount import long  # noqa: E402
from tests.torture.cloud_sandbox import CloudSandbox, Inventory  # noqa: E402

Tally = Callable[[str, int], None]
HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "torture: every ugly ending; TORTURE=long for all of them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("torture")
            if long():
                item.add_marker(pytest.mark.timeout(3 * 3600))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Tell what was done to the tool, and how many times: rows of the table at the end of a run."""

    def tell(fault: str, times: int) -> None:
        request.node.user_properties.append(("torture", (fault, times)))

    return tell


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table: what a test that passed was done to, it survived, with the inventory past the tool as it was before."""
    done, survived, where = Counter[str](), Counter[str](), dict[str, str]()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, (fault, times) in (row for row in report.user_properties if row[0] == "torture"):
                assert name == "torture"
                done[fault] += times
                survived[fault] += times * (outcome == "passed")
                where[fault] = report.nodeid.partition("[")[0]
    if done:
        terminalreporter.section("what was done, and survived")
        for fault in sorted(done):
            lost = "" if survived[fault] == done[fault] else "  <- see the failure above"
            terminalreporter.line(f"{fault:44} {done[fault]:6,} done {survived[fault]:6,} survived  {where[fault]}{lost}")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudSandbox]:
    """One cloud for the tests of a module; each leaves it as it found it."""
    standing = CloudSandbox(tmp_path_factory.mktemp("sandbox"))
    yield standing
    standing.leave()


@pytest.fixture
def before(sandbox: CloudSandbox) -> Iterator[Inventory]:
    """What stands before a test, and has to stand after it. No fault outlives a test."""
    found = sandbox.inventory()
    yield found
    sandbox.clear_faults()
    if sandbox.inventory() != found:  # a test that failed must not fail the next ones too
        sandbox.run("teardown")
