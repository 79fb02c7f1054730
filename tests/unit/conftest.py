"""Every test of the parts that opened a virtual cloud closes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.fakes.cognito import close_cognito
from tests.unit.fakes.dynamodb import close_cloud
from tests.unit.fakes.route53 import close_route53


@pytest.fixture(autouse=True)
def _closed_cloud() -> Iterator[None]:
    yield
    close_cloud()
    close_route53()
    close_cognito()
