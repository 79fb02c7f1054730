"""The real aws over moto: a second, independent opinion of DynamoDB, STS, IAM, Lambda, logs and CloudFormation.

moto runs inside the process; calls run on the spot, so that waits take virtual time.
"""

from __future__ import annotations

from collections.abc import Iterator

import botocore.session
import pytest
from moto import mock_aws

from tests.unit.fakes.botocore_session import Inline
from tests.unit.fakes.context import Notes, context
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.boto_client import BotoClient
from workshop.steps.base import Context, Params

ACCOUNT = "123456789012"


class Moto:
    """The account that moto plays, with the notes that steps write."""

    def __init__(self) -> None:
        session = botocore.session.Session()
        session.set_credentials("AKIDEXAMPLE", "secret")
        self.clock = VirtualClock()
        self.aws = BotoClient(session, ACCOUNT, executor=Inline())
        self.notes = Notes(self.clock)

    def context(self, params: Params, **more) -> Context:
        return context(self.aws, self.notes, params, **more)

    async def ask(self, service: str, operation: str, region: str = "us-west-2", **parameters):
        return await self.aws.call(service, region, operation, **parameters)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with mock_aws():
        yield Moto()
