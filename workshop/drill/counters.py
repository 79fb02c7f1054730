"""The counter of an experiment, which both regions change: how it is read and changed through an API.

In: the load that the definition describes, or nothing: then the API's own counter. Out: requests, and the number in a response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from workshop.drill.load_requests import ApiCall, LoadRequests

__all__ = ["COUNTER_ROUTES", "ApiCounter", "Counter", "StoredCounter"]

NAME = "counter"
COUNTER_ROUTES = (("GET", f"update/k/{NAME}/1"), ("GET", f"get/k/{NAME}"))
"""The routes of an API that counts by itself."""
Body = Mapping[str, Any] | None


class Counter(Protocol):
    """One item with a number."""

    reads_first: bool
    """Whether a change is made of the number that was read before it."""

    def read(self, region: str) -> ApiCall:
        """The request that reads it."""
        ...

    def change(self, region: str, by: int, before: int | None) -> ApiCall:
        """The request that changes it; `before` is what was read, where that is needed."""
        ...

    def number(self, body: Body, *, changed: bool) -> int | None:
        """The number in the response to a read, or to a change."""
        ...


class ApiCounter:
    """A counter that the API changes by itself: `GET update/{key}/counter/{by}`."""

    reads_first = False

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self, region: str) -> ApiCall:  # noqa: ARG002
        return ApiCall("GET", f"get/{self._key}/{NAME}")

    def change(self, region: str, by: int, before: int | None) -> ApiCall:  # noqa: ARG002
        return ApiCall("GET", f"update/{self._key}/{NAME}/{by}")

    def number(self, body: Body, *, changed: bool) -> int | None:
        item = (body or {}).get("Attributes" if changed else "Item") or {}
        number = item.get("Bookmark", {}).get("N")
        return None if number is None else int(number)


class StoredCounter:
    """The first item of a load, whose value is the number: read, changed and written back by the client."""

    reads_first = True

    def __init__(self, requests: LoadRequests) -> None:
        self._requests = requests

    def read(self, region: str) -> ApiCall:
        return self._requests.read(self._requests.id_of(1, ""), region)

    def change(self, region: str, by: int, before: int | None) -> ApiCall:
        return self._requests.write(1, str((before or 0) + by), region)

    def number(self, body: Body, *, changed: bool) -> int | None:  # noqa: ARG002 - both responses hold the item
        text = self._requests.value_of(body)
        return int(text) if text.lstrip("-").isdecimal() else None
