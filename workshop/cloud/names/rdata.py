"""Which values a record of each type may have: dnspython's reading of them, in AWS's words.

In: a record set. Out: what is wrong with its values. Pure (docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from workshop.cloud.names.records import Stored

__all__ = ["value_problems"]

STRING = r'"(?:[^"\\]|\\.)*"'
ILLEGAL = {
    "A": "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)",
    "AAAA": "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)",
    "MX": "MXRRDATAIllegalPriority (Priority is not an integer from 0 to 65535)",
}
NAMES: tuple[tuple[type[dns.exception.DNSException], str], ...] = (
    (dns.name.EmptyLabel, "DomainLabelEmpty (Domain label is empty)"),
    (dns.name.LabelTooLong, "DomainLabelTooLong (Domain label is too long)"),
    (dns.name.NameTooLong, "DomainNameTooLong (Domain name is too long)"),
)


def value_problems(record: Stored) -> Iterator[str]:
    """The reasons why Route 53 refuses the record set's values; none for an alias."""
    values, kind = list(record.get("ResourceRecords") or ()), record["Type"]
    for value in dict.fromkeys(values):
        problem = _text_problem(value) if kind in ("TXT", "SPF") else _problem(kind, value)
        if problem:
            yield f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
        elif values.count(value) > 1:
            yield f"Duplicate Resource Record: '{value}'"
    if kind in ("CNAME", "SOA") and len(set(values)) > 1:
        yield f"Invalid Resource Record: 'FATAL problem: TooManyValues (A record of type {kind} has one value)'"


def _problem(kind: str, value: str) -> str:
    fields = len(value.split())
    if kind in ("A", "AAAA") and fields != 1:
        return f"{kind}RRDATANotSingleField (Value contains spaces)"
    if kind in ("CNAME", "NS", "PTR") and fields != 1:
        return "DomainNameNotSingleField (Value contains spaces)"
    if kind == "MX" and fields != 2:
        return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
    try:
        dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), value)
    except (dns.exception.DNSException, ValueError) as error:
        named = (text for found, text in NAMES if isinstance(error, found))
        return next(named, ILLEGAL.get(kind, f"{kind}RRDATAIllegalValue (Value is not valid)"))
    return ""


def _text_problem(value: str) -> str:
    """One or more quoted strings of up to 255 characters; escapes are Route 53's own, which are octal."""
    if not re.fullmatch(rf"\s*{STRING}(?:\s+{STRING})*\s*", value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    too_long = any(len(string) > 257 for string in re.findall(STRING, value))
    return "CharacterStringTooLong (Value is too long)" if too_long else ""
