"""Reads a BatchWriteItem request file and checks every value in it.

In: the path of `{"TABLE": [{"PutRequest": {"Item": {...}}}, ...]}` in DynamoDB JSON, as the AWS CLI takes it with
`--request-items file://`. Out: items in boto3's form. Limits: docs/aws-behaviours.md, section 2.
"""

from __future__ import annotations

import base64
import collections
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from workshop.errors import UsageError
from workshop.quoting import shown

__all__ = ["Item", "ItemKey", "read_items", "validate"]

MOST_FILE_BYTES = 16_000_000
"""The file is read as a whole. Sample data of a workshop has kilobytes."""
MOST_ITEM_BYTES = 400 * 1024
MOST_PARTITION_KEY_BYTES = 2048
MOST_SORT_KEY_BYTES = 1024
MOST_LEVELS = 32
"""Lists and maps inside each other."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
EXACT = Context(prec=50)
ItemKey = tuple[tuple[str, str], ...]
"""An item's key attributes in the table's order, each by name and as text of type and value: `(("PK", "S:library"), ...)`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the file. `number` counts from 1, `attributes` is what boto3's client takes."""

    number: int
    attributes: Mapping[str, Any]
    size: int

    def key(self, keys: Sequence[str]) -> ItemKey:
        """The item's key, for comparing items."""
        return tuple((name, _text(self.attributes[name])) for name in keys)

    def key_attributes(self, keys: Sequence[str]) -> dict[str, Any]:
        """The item's key, as BatchGetItem takes it."""
        return {name: self.attributes[name] for name in keys}


def read_items(path: Path, table: str) -> Iterator[Item]:
    """The items of the file, which must be for `table` alone; raises `UsageError` at the first wrong one."""
    example = f'It should look like {{"{table}": [{{"PutRequest": {{"Item": {{...}}}}}}]}}'
    document = _document(path)
    if not isinstance(document, dict):
        raise _wrong(path, "is not an object", example)
    for name, requests in document.items():
        if name != table:
            raise _wrong(path, f"is for the table {name[:60]!r}, not {table!r}", f"Rename its key to {table!r}")
        if not isinstance(requests, list):
            raise _wrong(path, f"holds no list under {name!r}", example)
    if not document.get(table):
        raise _wrong(path, "holds no items", example)
    for number, request in enumerate(document[table], start=1):
        yield _item(request, number, path)


def _document(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}", "Name a file that you can read") from error
    if len(content) > MOST_FILE_BYTES:
        why = f"is larger than {MOST_FILE_BYTES // 1_000_000} MB, the most that a workshop loads"
        raise _wrong(path, why, "Load fewer items, and write the others with: aws dynamodb batch-write-item")
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not JSON: it is not UTF-8 text", "Save it as UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"at line {error.lineno}, column {error.colno}"
        fix = "Correct it there; python3 -m json.tool FILE shows the same place"
        raise _wrong(path, f"is not JSON {place}: {error.msg}", fix) from error
    except RecursionError as error:
        raise _wrong(path, f"holds values nested deeper than DynamoDB's {MOST_LEVELS} levels", "Make them flatter") from error
    except ValueError as error:  # a key that occurs twice, a number of thousands of digits
        raise _wrong(path, f"cannot be read: {error}", "Correct it") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the file; JSON leaves open which of two equal keys counts."""
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = collections.Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:60]!r} occurs twice in one object")
    return members


def validate(path: Path, table: str, keys: Mapping[str, str]) -> int:
    """Read the whole file, check every item's key and that no key occurs twice; returns the number of items."""
    seen: dict[ItemKey, int] = {}
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
        if key and key in seen:  # without known keys no two items can be compared
            shown = ", ".join(f"{name}={text.partition(':')[2]}" for name, text in key)
            raise _at(path, item.number, f"has the same key as item {seen[key]} ({shown})", "Remove one of them")
        seen[key] = item.number
    return count


def _item(request: Any, number: int, path: Path) -> Item:
    put = request.get("PutRequest") if isinstance(request, dict) else None
    item = put.get("Item") if isinstance(put, dict) else None
    if not isinstance(item, dict) or list(request) != ["PutRequest"]:
        raise _at(path, number, "is not a PutRequest with an Item", 'Write {"PutRequest": {"Item": {...}}}')
    try:
        attributes = {name: _value(value, name) for name, value in item.items()}
        size = sum(len(name.encode()) + _size(value) for name, value in attributes.items())
    except UnicodeEncodeError as error:
        raise _at(path, number, r"holds half of a character, such as \ud800", "Write the whole character") from error
    except ValueError as error:
        raise _at(path, number, str(error), 'Values look like {"S": "text"}, {"N": "1"}, {"BOOL": true}') from error
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


def _at(path: Path, number: int, why: str, fix: str) -> UsageError:
    """The error of one item. `why` may quote names from the file: it is cut, and its control characters are escaped."""
    return UsageError(
        what=f"Item {number} of {path} {shown(why, 300)}.",
        why="Nothing was written.",
        fix=f"{fix}, then run the same command again.",
        code="DataFile",
    )


def _wrong(path: Path, why: str, fix: str) -> UsageError:
    return UsageError(what=f"The data file {path} {why}.", why="Nothing was written.", fix=fix, code="DataFile")
