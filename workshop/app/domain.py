"""Delegates the workshop's zone from the zone above it, which may be in another account.

In: a session (or a zone's name and servers), the parent's name, a profile of its account. Out: what would be written, and that it
was. One record is written or removed, nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from workshop.app.connections import Notice, Place, connect
from workshop.app.session import Session
from workshop.aws.boto_client import THREADS
from workshop.aws.client import AwsClient
from workshop.aws.resources.route53 import HostedZone, RecordSet, change_and_wait, plain_name, records_at, zones_named
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError, WorkshopError
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.route53.delegation import DELEGATION_TTL, delegation_lines

__all__ = ["DelegationPlan", "ZoneServers", "delegate", "given_servers", "planned_delegation", "recorded_servers", "undelegate"]


@dataclass(frozen=True, slots=True)
class ZoneServers:
    """A zone and its name servers."""

    name: str
    servers: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The record that the parent needs, in the form of a zone file."""
        return delegation_lines(self.name, self.servers)


@dataclass(frozen=True, slots=True)
class DelegationPlan:
    """What is to be written: the record of `zone` in `parent`, where `present` is now."""

    zone: ZoneServers
    parent: HostedZone
    account: str
    present: RecordSet | None

    @property
    def present_servers(self) -> tuple[str, ...]:
        return () if self.present is None else tuple(sorted(plain_name(value) for value in self.present.values))

    @property
    def is_written(self) -> bool:
        """Whether the parent has the record already."""
        return self.present_servers == self.zone.servers


def recorded_servers(session: Session) -> ZoneServers:
    """The zone that a setup of this workshop made or found, as the journal has it; no call is made."""
    workspace, plan = session.workspace, session.workspace.plan()
    contexts = Contexts(workspace, lambda _: None)
    contexts.remember(plan)
    for node in plan.nodes:
        step, ctx = contexts.context(node, missing="blank")
        name = step.zone_name(ctx)
        servers = contexts.outputs.get(node.key, {}).get("NameServers", "")
        if name and servers:
            return given_servers(name, servers.split(","))
    raise WorkshopError(
        what=f"No zone of {workspace.name} is recorded here.",
        why="Its name servers are known once setup has made it.",
        fix=f"Set it up: {session.command_line('setup')}. Or name both: workshop domain delegate --zone NAME --server NS",
        code="NoZone",
    )


def given_servers(name: str, servers: Sequence[str]) -> ZoneServers:
    """A zone as it was named on the command line. Raises `UsageError` for what is no domain name."""
    names = [plain_name(each.strip()) for each in (name, *servers)]
    for each in names:
        if "." not in each or not all(part and part.replace("-", "").replace("_", "").isalnum() for part in each.split(".")):
            raise UsageError(what=f"{each!r} is no domain name.", fix="Write it like a07.event.example.com", code="Usage")
    return ZoneServers(names[0], tuple(sorted(set(names[1:]))))


@contextlib.asynccontextmanager
async def planned_delegation(
    session: Session, zone: ZoneServers, parent: str, notice: Notice
) -> AsyncIterator[tuple[AwsClient, DelegationPlan]]:
    """The client of the parent's account (that of the profile that was given), and what is to be written there.

    Raises `UsageError` when there is no such parent, or another account than the expected one.
    """
    invocation, workspace = session.invocation, session.workspace
    with ThreadPoolExecutor(THREADS, thread_name_prefix="parent") as executor:
        place = Place(workspace.target.name, session.folder, invocation.profile, workspace.home, workspace.clock, executor)
        connection = await connect(place, notice)
        yield connection.client, await _plan(connection.client, zone, parent)


async def _plan(aws: AwsClient, zone: ZoneServers, parent: str) -> DelegationPlan:
    above = plain_name(parent)
    if not zone.name.endswith(f".{above}"):
        raise UsageError(
            what=f"{zone.name} is not below {above}.",
            why="A zone delegates names below its own.",
            fix=f"Name a zone above it: --parent {zone.name.partition('.')[2]}",
            code="Usage",
        )
    found = await zones_named(aws, above)
    if len(found) != 1:
        listed = ", ".join(each.id for each in found)
        raise UsageError(
            what=f"Account {aws.account} has {len(found) or 'no'} public zone{'s'[: len(found) > 1]} {above}.",
            why=f"They are {listed}." if found else "The record has to be written where the parent is.",
            fix="Choose the account of the parent: --profile NAME; or paste the record there, which is printed without --parent",
            code="NoParent",
        )
    records = await records_at(aws, found[0].id, zone.name, "NS")
    return DelegationPlan(zone, found[0], aws.account, records[0] if records else None)


async def delegate(aws: AwsClient, plan: DelegationPlan, *, replace: bool, notice: Notice) -> None:
    """Write the record and wait until every server of the parent has it. Raises `WorkshopError` over another delegation."""
    if plan.is_written:
        return
    if plan.present is not None and not replace:
        raise _other(plan, "To write over it: --replace")
    record = {
        "Name": f"{plan.zone.name}.",
        "Type": "NS",
        "TTL": DELEGATION_TTL,
        "ResourceRecords": [{"Value": f"{server}."} for server in plan.zone.servers],
    }
    await _change(aws, plan, "UPSERT", record, notice)


async def undelegate(aws: AwsClient, plan: DelegationPlan, *, notice: Notice) -> None:
    """Remove the record, if it is the zone's. Raises `WorkshopError` for a delegation to other servers."""
    if plan.present is None:
        return
    if not plan.is_written:
        raise _other(plan, "It is not of this zone, so it is left alone")
    await _change(aws, plan, "DELETE", dict(plan.present.raw), notice)


async def _change(aws: AwsClient, plan: DelegationPlan, action: str, record: dict[str, object], notice: Notice) -> None:
    noticed = False

    def waiting(reason: str, _: float) -> None:
        nonlocal noticed
        if not noticed:
            notice(f"Waiting for {reason}")
        noticed = True

    reason = f"every name server of {plan.parent.name} to have the change"
    comment = f"delegation of {plan.zone.name} by workshop"
    await change_and_wait(aws, plan.parent.id, [(action, record)], reason=reason, waiting=waiting, comment=comment)


def _other(plan: DelegationPlan, fix: str) -> WorkshopError:
    where = {"hosted_zone_id": plan.parent.id, "start_record_name": plan.zone.name, "max_items": "3"}
    show = aws_line("route53 list-resource-record-sets", **where)
    return WorkshopError(
        what=f"{plan.parent.name} delegates {plan.zone.name} to other name servers.",
        why=f"They are {', '.join(map(shown, plan.present_servers))}.",
        fix=f"Look at it: {show}. {fix}",
        code="DelegatedElsewhere",
    )
