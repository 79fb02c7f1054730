"""Tests that are coroutines run in virtual time: see `tests.unit.fakes.virtual_time`."""

from __future__ import annotations

import inspect

import pytest

from tests.unit.fakes.virtual_time import run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = inspect.signature(pyfuncitem.obj).parameters
    run(pyfuncitem.obj(**{name: value for name, value in pyfuncitem.funcargs.items() if name in arguments}))
    return True
