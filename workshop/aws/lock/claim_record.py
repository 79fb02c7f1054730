"""The text of a claim: the record of the run that wrote it, read without trust in who may have written the parameter.

In: the text of the parameter and when SSM stored it. Out: a `ClaimRecord` whose texts are short and harmless and whose end is
at most ten minutes after SSM's own time of the write; `ValueError` when the text is not a claim.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import secrets
import socket
import uuid
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from workshop.waiting import Clock

__all__ = ["LIFE", "ClaimRecord", "age_of", "new_record", "parse_record", "renewed", "with_bounded_end"]

LIFE = 600.0
"""Seconds for which a claim counts after it was written; it is renewed long before."""
LONGEST_NAME = 64
"""Characters of each of a record's names that are shown."""
HIGHEST_PROCESS = 2**31 - 1
"""The highest process id of any system."""
NUMBERS = ("pid", "after")
"""The fields that are integers; all others are texts."""


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """Which run holds the lock: `machine` tells machines apart, `until` is when the claim lapses (ISO 8601, UTC).

    `after` and `over` are the version and the digest of the text that this was written over; 0 and empty when it was created.
    """

    token: str
    machine: str
    host: str
    user: str
    pid: int
    command: str
    since: str
    until: str
    after: int = 0
    over: str = ""

    def lapsed(self, now: datetime) -> bool:
        """Not renewed in time, or its process on this machine is dead."""
        dead = self.machine == this_machine() and not _alive(self.pid)
        return dead or now > datetime.fromisoformat(self.until)


def new_record(command: str, clock: Clock) -> ClaimRecord:
    """The record of this process, which runs `command`, with an end ten minutes from now."""
    return ClaimRecord(
        token=secrets.token_hex(8),
        machine=this_machine(),
        host=socket.gethostname(),
        user=_user(),
        pid=os.getpid(),
        command=command,
        since=clock.now().isoformat(timespec="seconds"),
        until=_end(clock),
    )


def renewed(record: ClaimRecord, clock: Clock) -> ClaimRecord:
    """The record with an end ten minutes from now."""
    return replace(record, until=_end(clock))


def parse_record(text: str) -> ClaimRecord:
    """The record in a parameter's text; raises `ValueError` when it is none."""
    try:
        given = json.loads(text)
        record = ClaimRecord(**{key.name: given[key.name] for key in fields(ClaimRecord) if key.name in given})
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    for key in fields(ClaimRecord):
        if type(getattr(record, key.name)) is not (int if key.name in NUMBERS else str):
            raise ValueError(key.name)
    if not 0 < record.pid <= HIGHEST_PROCESS or record.after < 0:
        raise ValueError(f"{record.pid}, {record.after}")
    return replace(
        record,
        host=_name(record.host),
        user=_name(record.user),
        command=_name(record.command, " "),
        since=_moment(record.since),
        until=_moment(record.until),
    )


def with_bounded_end(record: ClaimRecord, age: float, now: datetime) -> ClaimRecord:
    """The record with an end at most `LIFE` after the write, which was `age` seconds ago; `now` is this machine's time.

    A writer may name any end. The age comes from SSM's clock alone, so neither the writer's clock nor this
    machine's makes a claim count longer. The end that the writer named is compared with this machine's time: AWS refuses the
    signatures of clocks that are five minutes wrong, and a claim is renewed eight minutes before its end.
    """
    latest = now + timedelta(seconds=LIFE - age)
    if datetime.fromisoformat(record.until) <= latest:
        return record
    return replace(record, until=latest.isoformat(timespec="seconds"))


def age_of(response: dict[str, Any], now: datetime) -> float:
    """How many seconds ago SSM stored the parameter in `response`, the response of GetParameter.

    `LastModifiedDate` is on SSM's clock, and so is the `Date` of the response (docs/aws-behaviours.md, section 13.1): their
    difference is right however wrong this machine's clock is. `now` is used for a response without a date, as of some proxies.
    """
    written = response["Parameter"].get("LastModifiedDate")
    if not isinstance(written, datetime):
        return 0.0
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        asked = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        asked = now
    if asked.tzinfo is None:  # RFC 5322 writes UTC of an unknown place as -0000
        asked = asked.replace(tzinfo=UTC)
    return max(0.0, (asked - written).total_seconds())


def this_machine() -> str:
    """A name for this machine that two machines called "localhost" do not share."""
    identity = Path("/etc/machine-id")
    unique = identity.read_text() if identity.is_file() else str(uuid.getnode())
    return hashlib.sha256(f"{unique}{socket.gethostname()}".encode()).hexdigest()[:16]


def _name(text: str, more: str = "") -> str:
    """The name of a user, a host or a command, without the signs that a sentence or an escape code takes."""
    return re.sub(rf"[^\w.@+\\{more}-]", "?", text)[:LONGEST_NAME]


def _moment(text: str) -> str:
    """A time with its zone, as we write them; raises `ValueError` for others."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    try:
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    except OverflowError as error:
        raise ValueError(text) from error


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.geteuid())


def _end(clock: Clock) -> str:
    return (clock.now() + timedelta(seconds=LIFE)).isoformat(timespec="seconds")
