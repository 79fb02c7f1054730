"""BatchWriteItem's limits (docs/aws-behaviours.md, section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.virtual_cloud import REGIONS, TABLE, Refused, VirtualCloud, item

WEST = REGIONS[0]


@pytest.fixture
def cloud() -> Iterator[VirtualCloud]:
    opened = VirtualCloud()
    opened.create()
    yield opened
    opened.close()


def puts(count: int, value: str = "1") -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": item(str(number), value)}} for number in range(count)]


def refusal(cloud: VirtualCloud, requests: Any, table: str = TABLE) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        cloud.call(WEST, "BatchWriteItem", RequestItems={table: requests})
    assert cloud.content(WEST) == {}
    return caught.value.code, caught.value.message


def test_twenty_five_items_are_taken_and_more_are_refused_whole(cloud: VirtualCloud) -> None:
    code, message = refusal(cloud, puts(26))
    assert code == "ValidationException" and "Member must have length less than or equal to 25" in message
    assert cloud.call(WEST, "BatchWriteItem", RequestItems={TABLE: puts(25)})["UnprocessedItems"] == {}
    assert len(cloud.content(WEST)) == 25


def test_two_operations_on_one_key_are_refused(cloud: VirtualCloud) -> None:
    error = refusal(cloud, [*puts(1), *puts(1, "2")])
    assert error == ("ValidationException", "Provided list of item keys contains duplicates")


def test_an_item_above_400_kilobytes_is_refused(cloud: VirtualCloud) -> None:
    code, message = refusal(cloud, [*puts(2), {"PutRequest": {"Item": item("large", "x" * 410_000)}}])
    assert code == "ValidationException" and "Item size" in message


def test_a_missing_table_or_key_refuses_the_whole_call(cloud: VirtualCloud) -> None:
    assert refusal(cloud, puts(1), "absent")[0] == "ResourceNotFoundException"
    assert refusal(cloud, [*puts(1), {"PutRequest": {"Item": {"PK": {"S": "p"}}}}])[0] == "ValidationException"


def test_an_empty_batch_is_refused(cloud: VirtualCloud) -> None:
    assert refusal(cloud, [])[0] == "ValidationException"
