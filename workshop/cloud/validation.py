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

LETTERS = string.ascii_lowercase


def base_domain(domain: str) -> str:
    """The domain that is validated: a wildcard's base."""
    return plain_name(domain).removeprefix("*.")


def validation_record(account: str, domain: str) -> tuple[str, str]:
    """Name and value of the CNAME that proves a domain, both with a dot at the end."""
    base = base_domain(domain)
    name, value, realm = (_digest(part, account, base) for part in ("name", "value", "realm"))
    letters = "".join(LETTERS[int(realm[2 * place : 2 * place + 2], 16) % len(LETTERS)] for place in range(10))
    return f"_{name[:32]}.{base}.", f"_{value[:32]}.{letters}.acm-validations.aws."


def is_published(zones: Iterable[Zone], account: str, domain: str) -> bool:
    """Whether a public zone of any account has the record that proves the domain."""
    name, value = (plain_name(text) for text in validation_record(account, domain))
    return any(
        record.name == name and record.type == "CNAME" and [plain_name(text) for text in record.values] == [value]
        for zone in zones
        if not zone.private and name.endswith(f".{zone.name}")
        for record in zone.records
    )


def _digest(part: str, account: str, base: str) -> str:
    return hashlib.sha256(f"{part}/{account}/{base}".encode()).hexdigest()
