"""ACM's validation by DNS: which record proves a domain, and whether the public DNS of this cloud has it.

In: an account and a domain, and the hosted zones. Out: the record's name and value, which are the same for the same account and
domain in every region and for a wildcard and its base (docs/aws-behaviours.md, section 6.7). Pure.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable

from workshop.cloud.names.records import Zone, plain_name

__all__ = ["base_domain", "is_published", "validation_record"]


def base_domain(domain: str) -> str:
    """The domain that is validated: a wildcard's base."""
    return plain_name(domain).removeprefix("*.")


def validation_record(account: str, domain: str) -> dict[str, str]:
    """The CNAME that proves a domain: Name and Value with a dot at the end."""
    base = base_domain(domain)
    name, value, realm = (hashlib.sha256(f"{part}/{account}/{base}".encode()).digest() for part in ("name", "value", "realm"))
    letters = "".join(string.ascii_lowercase[each % 26] for each in realm[:10])
    return {
        "Name": f"_{name.hex()[:32]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{value.hex()[:32]}.{letters}.acm-validations.aws.",
    }


def is_published(zones: Iterable[Zone], account: str, domain: str) -> bool:
    """Whether a public zone of any account has the record that proves the domain."""
    wanted = validation_record(account, domain)
    name, value = plain_name(wanted["Name"]), plain_name(wanted["Value"])
    return any(
        record.type == "CNAME" and [plain_name(text) for text in record.values] == [value]
        for zone in zones
        if not zone.private
        for record in zone.by_name.get(name, ())
    )
