"""How long things take: the three profiles, and the one factor that stretches them.

In: a profile and a scale. Out: seconds for each named wait. It never waits itself.
The realistic column holds the figures of docs/aws-behaviours.md, section 11; `fast` shows every state for about a second.
"""

from __future__ import annotations

import random
from typing import Literal

__all__ = ["Timing", "Wait"]

Wait = Literal[
    "table.active",  # CreateTable until ACTIVE
    "table.active.indexed",  # the same with global secondary indexes
    "table.gone",  # DeleteTable until ResourceNotFound
    "protection",  # UPDATING after deletion protection was changed on a replica's group
    "protection.again",  # until the next such change is accepted
    "tags",  # a tag write locks the table
    "create.listed",  # replica of an empty table: the entry shows
    "create.visible",  # the replica region can be described
    "create.active",  # both sides ACTIVE
    "fill.listed",  # the same on a table that holds items: the entry shows, the source is ACTIVE meanwhile
    "fill.visible",
    "fill.updating",
    "fill.active",
    "remove.deleting",  # replica removal: the source is ACTIVE again, the entry shows DELETING
    "remove.updating",
    "remove.gone",  # the entry is gone (a replica that was created empty)
    "remove.gone.filled",
    "remove.absent",  # after that, until the replica region returns ResourceNotFound
    "lag",  # replication of one write
    "stack.resource",  # creating or deleting one resource of a stack
    "function.active",  # a function after creation or change
    "dns.insync",  # a change of Route 53 until INSYNC
    "acm.record",  # RequestCertificate until the validation records are named
    "acm.issue",  # a validation record is found until the certificate is ISSUED
    "acm.release",  # the last user of a certificate is gone until it can be deleted
    "cdn.deploy",  # a distribution after creation or change until Deployed
]

_SECONDS: dict[Wait, tuple[float, float]] = {  # fast, realistic
    "table.active": (1.0, 4.0),
    "table.active.indexed": (1.2, 16.0),
    "table.gone": (1.0, 6.0),
    "protection": (1.0, 36.0),
    "protection.again": (0.5, 15.0),
    "tags": (0.2, 1.7),
    "create.listed": (1.0, 6.0),
    "create.visible": (2.0, 10.0),
    "create.active": (3.2, 22.0),
    "fill.listed": (1.0, 27.0),
    "fill.visible": (2.0, 65.0),
    "fill.updating": (3.0, 250.0),
    "fill.active": (4.0, 640.0),
    "remove.deleting": (1.0, 36.0),
    "remove.updating": (1.8, 110.0),
    "remove.gone": (2.4, 125.0),
    "remove.gone.filled": (2.6, 200.0),
    "remove.absent": (1.0, 20.0),
    "lag": (1.0, 0.9),
    "stack.resource": (0.1, 7.0),
    "function.active": (0.5, 3.0),
    "dns.insync": (0.5, 30.0),
    "acm.record": (0.3, 5.0),
    "acm.issue": (1.0, 180.0),
    "acm.release": (1.0, 60.0),
    "cdn.deploy": (1.0, 240.0),
}
JITTER = 0.3

# Calls of API Gateway's control plane that AWS accepts once per so many seconds, per account and region
# (docs/aws-behaviours.md, section 5), and their interval in `fast`.
_MIN_INTERVALS: dict[str, tuple[float, float]] = {
    "CreateRestApi": (0.1, 3.0),
    "ImportRestApi": (0.1, 3.0),
    "DeleteRestApi": (1.0, 30.0),
    "CreateDeployment": (0.1, 5.0),
    "CreateDomainName": (1.0, 30.0),
    "DeleteDomainName": (1.0, 30.0),
    "UpdateDomainName": (1.0, 30.0),
    "UpdateAccount": (0.5, 20.0),
    "PutRestApi": (0.05, 1.0),
}


class Timing:
    """The profile in force. It can change while the cloud runs; a change applies to what begins afterwards."""

    def __init__(self, profile: str, scale: float) -> None:
        self.profile, self.scale = profile, scale

    def change(self, profile: str, scale: float) -> None:
        self.profile, self.scale = profile, scale

    def seconds(self, wait: Wait) -> float:
        """The length of a wait, in seconds."""
        return self._scaled(_SECONDS[wait])

    def names_seconds(self, seconds: float) -> float:
        """The clock of names: how long a TTL or a checker's interval lasts whose real figure the API shows."""
        return {"instant": 0.01, "fast": 0.1, "realistic": 1.0}[self.profile] * self.scale * seconds

    def lag(self, chance: random.Random) -> float:
        """The replication lag of one write, in seconds: the profile's, within plus or minus 30 percent."""
        return self.seconds("lag") * chance.uniform(1 - JITTER, 1 + JITTER)

    def min_interval(self, operation: str) -> float:
        """Seconds between two calls of an API Gateway operation; 0 for one that is not limited."""
        return self._scaled(_MIN_INTERVALS.get(operation, (0.0, 0.0)))

    def _scaled(self, pair: tuple[float, float]) -> float:
        return {"instant": 0.0, "fast": pair[0], "realistic": pair[1]}[self.profile] * self.scale
