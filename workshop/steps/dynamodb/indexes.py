"""The global secondary indexes of a table: how they are asked for, and how a table's own differ from them.

In: keys by index, as a definition has them, and a table as its region describes it. Out: parts of requests, words for people, and
lines to paste. No call is made. Indexes are made with the table; DynamoDB takes one change of them at a time later on
(docs/aws-behaviours.md, section 1.13).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from workshop.aws.resources.tables import Index, Table
from workshop.shell import aws, command_line

__all__ = [
    "MOST_INDEXES",
    "Indexes",
    "KeyName",
    "Keys",
    "attributes",
    "building",
    "drift",
    "index_requests",
    "key_schema",
    "shown",
]

KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,255}$")]
"""AWS takes any characters; these are safe in the AWS CLI's own notation of keys, where a comma ends a name."""
Keys = dict[KeyName, Literal["S", "N", "B"]]
"""The partition key, then the sort key."""
IndexName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]
Indexes = dict[IndexName, Keys]
MOST_INDEXES = 20
"""Of one table (section 1.13)."""
PROJECTION = "ALL"


def key_schema(keys: Mapping[str, str]) -> list[dict[str, str]]:
    """The keys as a request has them."""
    roles = zip(keys, ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": key, "KeyType": role} for key, role in roles]


def attributes(keys: Mapping[str, str], indexes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The type of every attribute that is a key of the table or of an index; raises `ValueError` for one that has two types."""
    found = dict(keys)
    for name, members in indexes.items():
        for key, kind in members.items():
            if found.setdefault(key, kind) != kind:
                raise ValueError(f"the key {key} of the index {name} is {kind}, and {found[key]} elsewhere in the table")
    return found


def index_requests(indexes: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The indexes as CreateTable takes them: each has every attribute of the items."""
    return [
        {"IndexName": name, "KeySchema": key_schema(keys), "Projection": {"ProjectionType": PROJECTION}}
        for name, keys in indexes.items()
    ]


def building(table: Table) -> list[str]:
    """The indexes that cannot be read yet, each with its status."""
    return [f"{index.name} is {index.status}" for index in table.indexes if not index.readable]


def drift(table: Table, wanted: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """How the indexes of a table differ from those wanted, and the lines that change it; two empty texts when they do not.

    Indexes that are not wanted are no difference: they were added by another hand, and nothing here reads them.
    """
    present = {index.name: index for index in table.indexes}
    found = [(name, _difference(name, keys, present.get(name))) for name, keys in wanted.items()]
    differing = [(name, words) for name, words in found if words]
    lines = [line for name, _ in differing for line in _lines(table, name, wanted, exists=name in present)]
    return "; ".join(words for _, words in differing), "; when that is done: ".join(lines)


def shown(keys: Mapping[str, str] | tuple[tuple[str, str], ...]) -> str:
    """The keys for people."""
    return ", ".join(f"{name} ({kind})" for name, kind in dict(keys).items())


def _difference(name: str, keys: Mapping[str, str], index: Index | None) -> str:
    if index is None:
        return f"it has no index {name}"
    if index.keys != tuple(keys.items()):
        return f"its index {name} has the keys {shown(index.keys)}, not {shown(keys)}"
    if index.projection != PROJECTION:
        return f"its index {name} has not all attributes ({index.projection})"
    return ""


def _lines(table: Table, name: str, wanted: Mapping[str, Mapping[str, str]], *, exists: bool) -> Iterator[str]:
    if exists:
        yield _change(table, [{"Delete": {"IndexName": name}}])
    (request,) = index_requests({name: wanted[name]})
    types = [f"AttributeName={key},AttributeType={kind}" for key, kind in {**dict(table.keys), **wanted[name]}.items()]
    yield _change(table, [{"Create": request}], attribute_definitions=types)


def _change(table: Table, updates: list[dict[str, Any]], **more: list[str]) -> str:
    change = json.dumps(updates)
    words = aws(
        "dynamodb update-table", region=table.region, table_name=table.name, **more, global_secondary_index_updates=change
    )
    return command_line(words)
