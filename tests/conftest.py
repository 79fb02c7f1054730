"""Tests that are coroutines run in virtual time: see `tests.unit.fakes.virtual_time`. The longest files begin first."""

from __future__ import annotations

import functools
import gc
import inspect
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.amount import long
from tests.unit.fakes.virtual_time import run
from tests.warm import processes

ROOT = Path(__file__).parent
LONGEST = (
    "browser",
    "drill/test_drill_interrupted.py",
    "checks/test_check_end_to_end.py",
    "drill/test_drill_command.py",
    "checks/test_policy_enforced.py",
    "cloud/test_foreign_resources.py",
    "cloud/test_interruptions.py",
    "cloud/test_granting.py",
    "cloud_room/test_cloud_persistence.py",
    "torture",
    "drill/test_offered_commands.py",
    "docs/test_readme.py",
    "packaging",
    "checks",
    "cloud",
    "cloud_room",
)
"""Files and folders that take long, the longest first. Whole files are dealt out to processes in the order of collection: one
that takes a minute and begins last would run by itself at the end."""


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        processes.share()  # with the workers that begin after this
    config.addinivalue_line("markers", "long: a case of `make torture` alone (tests/amount.py)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [] if long() else [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=lambda item: _place(item.path))


class _Dealing(LoadScopeScheduling):
    """Whole files go to one process each; all of the browser's files to one, because they share a Chromium."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/browser" if file.startswith("tests/browser/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Dealing(config, log)


def pytest_collection_finish() -> None:
    """The tests run commands in their own process, whose modules and service models stay: looking through them for garbage again
    and again took a third of the processor time. The command itself does the same (`workshop.cli.main`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@functools.cache
def _place(path: Path) -> int:
    """The place of a file among the longest; of several that match, the first."""
    return next((number for number, name in enumerate(LONGEST) if path.is_relative_to(ROOT / name)), len(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = inspect.signature(pyfuncitem.obj).parameters
    run(pyfuncitem.obj(**{name: value for name, value in pyfuncitem.funcargs.items() if name in arguments}))
    return True
