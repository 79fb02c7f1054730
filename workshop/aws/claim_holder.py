"""Who holds a claim on a workshop, read from what anyone with access to the parameter may have written into it.

In: the text of the parameter and when SSM stored it. Out: a `Holder` whose texts are short and harmless and whose end is at most
ten minutes after SSM's own time of the write; `ValueError` when the text is not a claim.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import uuid
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

__all__ = ["LIFE", "Holder", "age_of", "bounded", "parsed", "this_machine"]

LIFE = 600.0
"""Seconds for which a claim counts after it was written; it is renewed long before."""
LONGEST = 64
"""Characters of each of a holder's names that are shown."""
MOST_PROCESSES = 2**31 - 1
NUMBERS = ("pid", "after")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work: `machine` tells machines apart, `until` is when the claim lapses (ISO 8601, UTC).

    `after` and `over` are the version and the digest of what this was written over; 0 and empty when it was created.
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


def parsed(text: str) -> Holder:
    """The holder that a parameter names; raises `ValueError` when that is not what it holds."""
    try:
        given = json.loads(text)
        holder = Holder(**{key.name: given[key.name] for key in fields(Holder) if key.name in given})
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    for key in fields(Holder):
        if type(getattr(holder, key.name)) is not (int if key.name in NUMBERS else str):
            raise ValueError(key.name)
    if not 0 < holder.pid <= MOST_PROCESSES or holder.after < 0:
        raise ValueError(f"{holder.pid}, {holder.after}")
    return replace(
        holder, host=_name(holder.host), user=_name(holder.user), command=_name(holder.command, " "),
        since=_moment(holder.since), until=_moment(holder.until),
    )  # fmt: skip


def bounded(holder: Holder, age: float, now: datetime) -> Holder:
    """The holder with an end at most `LIFE` after the write, which was `age` seconds ago; `now` is this machine's time.

    Whoever may write the parameter may name any end. The age comes from SSM's clock alone, so neither the writer's clock nor this
    machine's makes a claim count longer. The end that the writer named is compared with this machine's time: AWS refuses the
    signatures of clocks that are five minutes wrong, and a holder renews its claim eight minutes before its end.
    """
    latest = now + timedelta(seconds=LIFE - age)
    if datetime.fromisoformat(holder.until) <= latest:
        return holder
    return replace(holder, until=latest.isoformat(timespec="seconds"))


def age_of(answer: dict[str, Any], now: datetime) -> float:
    """How many seconds ago SSM stored the parameter that `answer` (of GetParameter) brings.

    `LastModifiedDate` is on SSM's clock, and so is the `Date` of the answer (docs/aws-behaviours.md, section 13.1): their
    difference is right however wrong this machine's clock is. `now` counts for an answer without a date, as a proxy may send it.
    """
    written = answer["Parameter"].get("LastModifiedDate")
    if not isinstance(written, datetime):
        return 0.0
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
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
    """The name of a user, a host or a command, from which nobody can make a sentence or an instruction for who reads it."""
    return re.sub(rf"[^\w.@+\\{more}-]", "?", text)[:LONGEST]


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
