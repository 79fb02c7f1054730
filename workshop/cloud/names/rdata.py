"""Which values a record of each type may have.

In: a record set. Out: what is wrong with its values, in AWS's words; no type but those that workshops use is looked at.
Pure (docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping

from workshop.cloud.names.recordsets import RecordSet

__all__ = ["value_problems"]

FATAL = "Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
DUPLICATE = "Duplicate Resource Record: '{value}'"
MANY = "Invalid Resource Record: 'FATAL problem: TooManyValues (A record of type {type} has one value)'"
LABEL = re.compile(r"[!-~]{1,63}")


def value_problems(record: RecordSet) -> Iterator[str]:
    """The reasons why Route 53 refuses the record set's values; none for an alias."""
    values, kind = list(record.get("ResourceRecords") or ()), record["Type"]
    find = FINDERS.get(kind)
    for value in dict.fromkeys(values):
        problem = find(value) if find is not None else ""
        if problem:
            yield FATAL.format(problem=problem, value=value)
        elif values.count(value) > 1:
            yield DUPLICATE.format(value=value)
    if kind in ("CNAME", "SOA") and len(set(values)) > 1:
        yield MANY.format(type=kind)


def _address(kind: str, version: int) -> Callable[[str], str]:
    parse = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address

    def problem(value: str) -> str:
        if any(character.isspace() for character in value.strip()):
            return f"{kind}RRDATANotSingleField (Value contains spaces)"
        try:
            parse(value)
        except ValueError:
            return f"{kind}RRDATAIllegalIPv{version}Address (Value is not a valid IPv{version} address)"
        return ""

    return problem


def _host_name(value: str) -> str:
    """What is wrong with a domain name."""
    if any(character.isspace() for character in value):
        return "DomainNameNotSingleField (Value contains spaces)"
    labels = value.removesuffix(".").split(".")
    if not all(labels):
        return "DomainLabelEmpty (Domain label is empty)"
    if any(len(label) > 63 for label in labels):
        return "DomainLabelTooLong (Domain label is too long)"
    if len(value) > 255:
        return "DomainNameTooLong (Domain name is too long)"
    return (
        "" if all(LABEL.fullmatch(label) for label in labels) else "UnsupportedCharacter (Value contains unsupported characters)"
    )


def _text(value: str) -> str:
    """TXT: one or more quoted strings of up to 255 characters."""
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    if not re.fullmatch(r'\s*"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*\s*', value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    return "CharacterStringTooLong (Value is too long)" if any(len(string) > 255 for string in strings) else ""


def _mail(value: str) -> str:
    fields = value.split()
    if len(fields) != 2:
        return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
    if not (fields[0].isdigit() and int(fields[0]) < 65_536):
        return "MXRRDATAIllegalPriority (Priority is not an integer from 0 to 65535)"
    return _host_name(fields[1])


FINDERS: Mapping[str, Callable[[str], str]] = {
    "A": _address("A", 4),
    "AAAA": _address("AAAA", 6),
    "CNAME": _host_name,
    "NS": _host_name,
    "PTR": _host_name,
    "MX": _mail,
    "TXT": _text,
    "SPF": _text,
}
