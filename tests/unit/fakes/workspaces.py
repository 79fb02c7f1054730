"""Workspaces of small definitions, for the tests of plans, variables and addresses: nothing is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.unit.definition_builders import write
from tests.unit.fakes.aws import ACCOUNT, FakeClient
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.target import Target
from workshop.definition.loader import load
from workshop.definition.parameters import resolve
from workshop.engine.journal import Journal
from workshop.engine.workspace import Workspace

__all__ = ["AWS", "LOCAL", "workspace"]

AWS = Target("aws", Path("sites"))
LOCAL = Target("local", Path("sites"), endpoint="http://127.0.0.1:4567", gateway="127.0.0.1:4567", serves_sites=True)


@contextmanager
def workspace(
    folder: Path,
    text: str,
    *,
    target: Target = AWS,
    parameters: Mapping[str, str] | None = None,
    regions: Sequence[str] = (),
    **files: str,
) -> Iterator[Workspace]:
    """The workspace of a definition of that text, with a fake account and a journal of its own; kinds are the registered ones."""
    workshop = load(str(write(folder, text, **files)))
    journal = Journal(folder / "runs.db")
    try:
        yield Workspace(
            workshop=workshop, settings=resolve(workshop, parameters or {}, regions), target=target,
            clients={ACCOUNT: FakeClient(VirtualClock())}, journal=journal, clock=VirtualClock(), run="run-1", granted=True,
        )  # fmt: skip
    finally:
        journal.close()
