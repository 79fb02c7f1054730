"""Reads a BatchWriteItem request file of any length, one item at a time, and says what is wrong with it and where.

In: the path of `{"TABLE": [{"PutRequest": {"Item": {...}}}, ...]}` in DynamoDB JSON, as the AWS CLI takes it with
`--request-items file://`. Out: items in boto3's form. Limits: docs/aws-behaviours.md, section 2. Nothing is written here.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from workshop.errors import UsageError

__all__ = ["Item", "Key", "read_items", "validate"]

MOST_ITEM_BYTES = 400 * 1024
MOST_PARTITION_KEY_BYTES = 2048
MOST_SORT_KEY_BYTES = 1024
MOST_LEVELS = 32
"""Lists and maps inside each other."""
MOST_JSON_LEVELS = 2 * MOST_LEVELS + 8
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
EXACT = Context(prec=50)
MOST_BETWEEN_ITEMS = 8 << 20
"""Bytes that are read in search of the next item: one of 400 KB, all of it escaped and indented, has less than half of that."""
Key = tuple[tuple[str, str], ...]
"""An item's key attributes as text, in the table's order: `(("S:library"), ...)` by type and value."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the file. `number` counts from 1, `attributes` is what boto3's client takes."""

    number: int
    attributes: Mapping[str, Any]
    size: int

    def key(self, keys: Sequence[str]) -> Key:
        """The item's key, for telling items apart."""
        return tuple((name, _text(self.attributes[name])) for name in keys)

    def key_attributes(self, keys: Sequence[str]) -> dict[str, Any]:
        """The item's key, as BatchGetItem takes it."""
        return {name: self.attributes[name] for name in keys}


def read_items(path: Path, table: str) -> Iterator[Item]:
    """The items of the file, which must speak of `table` alone; raises `UsageError` at the first wrong one."""
    number = 0
    try:
        file = path.open("rb")
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}", "Name a file that you can read") from error
    with file:
        metered = _Metered(file, path)
        try:
            for name, request in _requests(metered, path, table):
                metered.since = 0
                if name != table:
                    raise _wrong(path, f"is for the table {name!r}, not {table!r}", f"Rename the key {name!r} to {table!r}")
                number += 1
                yield _item(request, number, path)
        except (ijson.JSONError, ValueError, SystemError) as error:
            # A number of thousands of digits is a ValueError of Python, which the reader written in C wraps in a SystemError.
            raise _malformed(path, error) from error
    if number == 0:
        raise _wrong(path, "holds no items", 'It should look like {"' + table + '": [{"PutRequest": {"Item": {...}}}]}')


def validate(path: Path, table: str, keys: Mapping[str, str]) -> int:
    """Read the whole file, check every item's key and that none stands twice; answers the number of items."""
    seen: dict[Key, int] = {}
    limits = dict(zip(keys, (MOST_PARTITION_KEY_BYTES, MOST_SORT_KEY_BYTES), strict=False))
    count = 0
    for item in read_items(path, table):
        count += 1
        for name, kind in keys.items():
            value = item.attributes.get(name)
            if not isinstance(value, dict) or list(value) != [kind]:
                raise _at(path, item.number, f"has no key attribute {name} of type {kind}", f'Add "{name}": {{"{kind}": "..."}}')
            text = value[kind]
            size = len(text if isinstance(text, bytes) else str(text).encode())
            if not 0 < size <= limits[name]:
                why = f"has a key attribute {name} of {size} bytes; 1 to {limits[name]} are allowed"
                raise _at(path, item.number, why, "Shorten it")
        key = item.key(list(keys))
        if key and key in seen:  # without known keys nothing can be told apart
            shown = ", ".join(f"{name}={text.partition(':')[2]}" for name, text in key)
            raise _at(path, item.number, f"has the same key as item {seen[key]} ({shown})", "Remove one of them")
        seen[key] = item.number
    return count


class _Metered:
    """A file that ends the search for an item that is far too long: the time to parse one text grows with its square."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self.since = 0
        """Bytes since the last item."""

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.since += len(data)
        if self.since > MOST_BETWEEN_ITEMS:
            why = f"holds an item longer than {MOST_BETWEEN_ITEMS >> 20} MB; DynamoDB takes {MOST_ITEM_BYTES:,} bytes"
            raise _wrong(self._path, why, "Split or shorten it")
        return data


def _requests(file: Any, path: Path, table: str) -> Iterator[tuple[str, Any]]:
    """The `(table, request)` pairs of the document, as they come."""
    builder: Any = None
    name, depth = "", 0
    for event, value in ijson.basic_parse(file, use_float=False):
        if depth == 0 and event != "start_map":
            raise _wrong(path, "is not an object", 'It should look like {"' + table + '": [...]}')
        if builder is None:
            if event in ("start_map", "start_array") and depth < 2:
                depth += 1
                if depth == 2 and event != "start_array":
                    raise _wrong(path, f"holds no list under {name!r}", f'It should look like {{"{table}": [...]}}')
            elif event in ("end_map", "end_array"):
                depth -= 1
            elif event == "map_key":
                name = value
            elif event == "start_map":
                builder = ijson.ObjectBuilder()
                builder.event(event, value)
                depth += 1
            else:
                shown = "a list" if event == "start_array" else repr(value)
                raise _wrong(path, f"holds {shown} where a PutRequest should stand", 'Write {"PutRequest": {"Item": {...}}}')
            continue
        builder.event(event, value)
        depth += event in ("start_map", "start_array")
        depth -= event in ("end_map", "end_array")
        if depth > MOST_JSON_LEVELS:
            raise _wrong(path, f"holds values nested deeper than DynamoDB's {MOST_LEVELS} levels", "Make them flatter")
        if depth == 2:
            yield name, builder.value
            builder = None


def _item(request: Any, number: int, path: Path) -> Item:
    put = request.get("PutRequest") if isinstance(request, dict) else None
    item = put.get("Item") if isinstance(put, dict) else None
    if not isinstance(item, dict) or list(request) != ["PutRequest"]:
        raise _at(path, number, "is not a PutRequest with an Item", 'Write {"PutRequest": {"Item": {...}}}')
    try:
        attributes = {name: _value(value, name) for name, value in item.items()}
    except ValueError as error:
        raise _at(path, number, str(error), 'Values look like {"S": "text"}, {"N": "1"}, {"BOOL": true}') from error
    size = sum(len(name.encode()) + _size(value) for name, value in attributes.items())
    if size > MOST_ITEM_BYTES:
        raise _at(path, number, f"has {size:,} bytes; DynamoDB takes {MOST_ITEM_BYTES:,} at most", "Split or shorten it")
    return Item(number, attributes, size)


def _value(value: Any, where: str, level: int = 0) -> dict[str, Any]:
    """One attribute value in boto3's form: like DynamoDB JSON, with bytes for binary. Raises ValueError with the reason."""
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"has no single typed value in {where}")
    if level > MOST_LEVELS:
        raise ValueError(f"has a value nested deeper than DynamoDB's {MOST_LEVELS} levels in {where[:60]}")
    ((kind, content),) = value.items()
    match kind:
        case "S" if isinstance(content, str):
            return value
        case "N" if isinstance(content, str):
            return {"N": _number(content, where)}
        case "B" if isinstance(content, str):
            return {"B": _binary(content, where)}
        case "BOOL" if isinstance(content, bool):
            return value
        case "NULL" if content is True:
            return value
        case "M" if isinstance(content, dict):
            return {"M": {name: _value(inner, f"{where}.{name}", level + 1) for name, inner in content.items()}}
        case "L" if isinstance(content, list):
            return {"L": [_value(inner, f"{where}[{i}]", level + 1) for i, inner in enumerate(content)]}
        case "SS" | "NS" | "BS" if isinstance(content, list) and content and all(isinstance(c, str) for c in content):
            inner = [_value({kind[0]: entry}, where)[kind[0]] for entry in content]
            if len({_canonical(entry) if kind == "NS" else entry for entry in inner}) != len(inner):
                raise ValueError(f"has a set with equal entries in {where}")
            return {kind: inner}
    raise ValueError(
        f"has a value of type {kind!r} in {where} that DynamoDB does not take: {json.dumps(content, default=str)[:60]}"
    )


def _number(text: str, where: str) -> str:
    try:
        number = Decimal(text if NUMBER.fullmatch(text) else "no number")
    except InvalidOperation:
        raise ValueError(f"has {text[:60]!r} in {where}, which is not a number") from None
    if len("".join(map(str, number.as_tuple().digits)).strip("0")) > 38:
        raise ValueError(f"has {text[:60]!r} in {where}; DynamoDB keeps numbers of at most 38 digits")
    if number and not -130 <= number.adjusted() <= 125:
        raise ValueError(f"has {text[:60]!r} in {where}; DynamoDB keeps numbers between 1E-130 and 9.9E+125")
    return text


def _canonical(number: str) -> str:
    """A number in one form for all its spellings: `1.0` and `1` are the same key."""
    return str(Decimal(number).normalize(EXACT)) if Decimal(number) else "0"


def _binary(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError(f"has text in {where} that is not base64") from None


def _size(value: Mapping[str, Any]) -> int:
    """Bytes that DynamoDB counts for a value: content, plus 3 for a collection and 1 for each of its entries."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return (len(content.lstrip("-").replace(".", "").strip("0")) + 1) // 2 + 2
        case "B":
            return len(content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _size(inner) for inner in content)
        case "SS" | "NS" | "BS":
            return sum(_size({kind[0]: entry}) for entry in content)
    return 1


def _text(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    if kind == "N":
        return f"N:{_canonical(content)}"
    return f"{kind}:{base64.b64encode(content).decode() if isinstance(content, bytes) else content}"


def _malformed(path: Path, error: Exception) -> UsageError:
    text = str(error.__cause__ or error).partition("\n")[0]
    place = ""
    if path.stat().st_size < 50_000_000:
        try:
            json.loads(path.read_bytes())
        except json.JSONDecodeError as exact:
            text, place = exact.msg, f" at line {exact.lineno}, column {exact.colno}"
        except UnicodeDecodeError:
            text = "it is not UTF-8 text"
        except (ValueError, RecursionError):
            return _wrong(path, f"cannot be read: {text}", "Mend it; python3 -m json.tool FILE may show the place")
    return _wrong(path, f"is not JSON{place}: {text}", "Mend it there; python3 -m json.tool FILE shows the same place")


def _at(path: Path, number: int, why: str, fix: str) -> UsageError:
    return UsageError(
        f"Item {number} of {path} {why}.", "Nothing was written.", f"{fix}, then run the same command again.", code="DataFile"
    )


def _wrong(path: Path, why: str, fix: str) -> UsageError:
    return UsageError(f"The data file {path} {why}.", "Nothing was written.", fix, code="DataFile")
