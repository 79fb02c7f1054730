"""boto3 against one of MiniStack's services in this process: no port, no server, nothing but the service's own function."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from ministack.core import responses


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def client(service: str, module: Any, region: str = "us-east-1", account: str = "000000000000") -> Any:
    """A client whose requests are handed to `module.handle_request`."""

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        address = urlsplit(request.url)
        body = request.body or b""
        with responses.request_scope(account, region):
            call = module.handle_request(
                request.method,
                address.path,
                {str(name).lower(): _text(value) for name, value in request.headers.items()},
                body.encode() if isinstance(body, str) else body,
                parse_qs(address.query, keep_blank_values=True),
            )
            try:
                call.send(None)
            except StopIteration as done:
                status, headers, content = done.value
            else:
                raise AssertionError("a request waited")
        content = content.encode() if isinstance(content, str) else content
        return AWSResponse(request.url, status, headers, _Raw(content))

    found = boto3.client(
        service, region_name=region, aws_access_key_id=account, aws_secret_access_key="x", endpoint_url="http://in.process"
    )
    found.meta.events.register(f"before-send.{service}", answer)
    return found


@contextmanager
def emptied(*modules: Any) -> Iterator[None]:
    """The modules' state is empty before and after."""
    for module in modules:
        module.reset()
    try:
        yield
    finally:
        for module in modules:
            module.reset()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
