"""The tests of the package are end to end too."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cloud: end to end through the command line")
