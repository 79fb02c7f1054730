"""Every test of the parts that opened a virtual cloud closes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.fakes.dynamodb import close_cloud


@pytest.fixture(autouse=True)
def _closed_cloud() -> Iterator[None]:
    yield
    close_cloud()
