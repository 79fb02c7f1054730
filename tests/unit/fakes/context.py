"""What a step is given, made by hand: a context over the fake client, with notes instead of a journal.

In: a client, a clock, the step's parameters. Out: a `Context`, and `Notes` of what the step reported and wrote down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.unit.fakes.aws import FakeClient
from tests.unit.fakes.dns import FakeInternet
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.client import AwsClient
from workshop.aws.dns import Dns, NameServer
from workshop.aws.target import Target
from workshop.definition.files import DefinitionFiles
from workshop.steps.base import Context, Params
from workshop.waiting import Clock

__all__ = ["DAY", "EU", "HOME", "OURS", "Notes", "StepSandbox", "context"]

HOME, EU = "us-west-2", "eu-west-1"
DAY = 24 * 3600.0
"""After it, a table that was the source of a replica can be deleted (docs/aws-behaviours.md, section 1.6)."""
OURS = {"workshop": "films", "workshop:step": "step", "workshop:run": "run-1"}
"""The tags of what an earlier run made."""


@dataclass
class Notes:
    """What steps said and wrote down. One may be shared by the contexts of several steps."""

    clock: Clock
    lines: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    made: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    identities: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def record(self, kind: str, name: str, region: str, identity: str = "") -> None:
        self.made[kind, name, region] = self.clock.now()
        if identity:
            self.identities[kind, name, region] = identity

    def forget(self, kind: str, name: str, region: str) -> None:
        self.made.pop((kind, name, region), None)
        self.identities.pop((kind, name, region), None)


def context(
    aws: AwsClient,
    notes: Notes,
    params: Params,
    *,
    region: str = HOME,
    regions: tuple[str, ...] = (HOME, EU),
    folder: Path = Path("/nonexistent"),
    variables: Mapping[str, Any] | None = None,
    known: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    others: Mapping[str, list[Mapping[str, Any]]] | None = None,
    target: Target | None = None,
    run: str = "run-2",
    allow_dangling: bool = False,
) -> Context[Any]:
    """The context of one node of the workshop `films`; its files lie in `folder`."""
    return Context(
        aws=aws,
        account=aws.account,
        target=target or Target("aws", folder / "sites", dns=Dns(FakeInternet())),
        workshop="films",
        step="step",
        region=region,
        regions=regions,
        run=run,
        params=params,
        variables=variables or {},
        files=DefinitionFiles(folder),
        known=known or {},
        defaults=lambda: defaults or params.model_dump(),
        others=lambda kind: (others or {}).get(kind, []),
        clock=notes.clock,
        notes=NodeNotes(notes, region),
        report=Reports(notes),
        allow_dangling=allow_dangling,
    )


@dataclass(frozen=True)
class NodeNotes:
    """The notes of a node in one region, kept in `Notes` that several nodes may share."""

    notes: Notes
    region: str

    def record(self, kind: str, name: str, identity: str = "") -> None:
        self.notes.record(kind, name, self.region, identity)

    def forget(self, kind: str, name: str) -> None:
        self.notes.forget(kind, name, self.region)

    def made(self, kind: str, name: str, region: str) -> datetime | None:
        return self.notes.made.get((kind, name, region))

    def identity(self, kind: str, name: str, region: str) -> str:
        return self.notes.identities.get((kind, name, region), "")


@dataclass(frozen=True)
class Reports:
    """What a node reports, kept as lines."""

    notes: Notes

    def progress(self, text: str) -> None:
        self.notes.lines.append(text)

    def waiting(self, reason: str, seconds: float) -> None:
        self.notes.waits.append(reason)


class StepSandbox:
    """An account, one clock and one set of notes, for the steps of one test."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.aws = FakeClient(self.clock)
        self.notes = Notes(self.clock)
        self.internet = FakeInternet(own=self.aws.route53.respond)

    def target(self, name: str = "aws", folder: Path = Path("/nonexistent")) -> Target:
        """A target whose questions go to `internet`."""
        server = NameServer("ns-local", 4567) if name == "local" else None
        return Target(name, folder / "sites", name_server=server, dns=Dns(self.internet))

    def context(self, params: Params, **more: Any) -> Context[Any]:
        """See `context`."""
        target = self.target(folder=more.get("folder", Path("/nonexistent")))
        return context(self.aws, self.notes, params, **{"target": target, **more})
