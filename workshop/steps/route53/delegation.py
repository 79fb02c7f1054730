"""Whether the parent of a zone hands its name on to the zone's name servers, as resolvers and the parent's own servers see it.

In: a target, the name of a zone, its name servers. Out: who sees which name servers, and the record that the parent needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from workshop.aws.dns import Authority, DnsError, NameServer
from workshop.aws.resources.route53 import plain_name
from workshop.aws.target import Target
from workshop.shell import command_line

__all__ = ["DELEGATION_TTL", "Delegation", "delegate_command", "delegation_lines", "parent_servers", "seen_delegation"]

DELEGATION_TTL = 60
"""Seconds for which resolvers keep a delegation that we write: a mistake is corrected within a minute."""
OF_ACCOUNT = ("--profile", "--expect-account")
"""The options that choose an account."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who sees which name servers. `resolvers` has those that responded; `parent` is empty when no zone above is known."""

    name: str
    wanted: tuple[str, ...]
    resolvers: tuple[tuple[str, tuple[str, ...]], ...]
    parent: str
    at_parent: tuple[str, ...] | None
    """What the parent's servers hand the name on to; None when they did not respond or there are none."""

    @property
    def seeing(self) -> int:
        """How many resolvers see exactly the zone's servers."""
        return sum(1 for _, servers in self.resolvers if servers == self.wanted)

    @property
    def complete(self) -> bool:
        """Whether every resolver that responded, and the parent where it did, see exactly the zone's servers."""
        at_resolvers = bool(self.wanted and self.resolvers) and self.seeing == len(self.resolvers)
        return at_resolvers and self.at_parent in (None, self.wanted)

    @property
    def dangling(self) -> bool:
        """Whether anyone is still sent to one of the zone's servers."""
        seen = [self.at_parent or ()] if self.at_parent is not None else [servers for _, servers in self.resolvers]
        return any(set(servers) & set(self.wanted) for servers in seen)

    @property
    def others(self) -> tuple[str, ...]:
        """Name servers that are seen and are not the zone's."""
        seen = {server for _, servers in self.resolvers for server in servers} | set(self.at_parent or ())
        return tuple(sorted(seen - set(self.wanted)))

    @property
    def progress(self) -> str:
        """One line for people who wait."""
        parent = {None: "", self.wanted: f", {self.parent} has it"}.get(self.at_parent, f", {self.parent} does not have it yet")
        return f"NS of {self.name}: {self.seeing} of {len(self.resolvers)} resolvers see it{parent}"


async def seen_delegation(target: Target, name: str, servers: Collection[str]) -> Delegation:
    """Ask the target's resolvers and the parent's servers for the name servers of `name`; raises `DnsError` when none respond."""
    name, wanted = plain_name(name), tuple(sorted(plain_name(server) for server in servers))
    answers = await asyncio.gather(*(_seen_by(target, name, resolver) for resolver in target.resolvers))
    found = tuple(answer for answer in answers if answer is not None)
    parent, authority = await parent_servers(target, name)
    at_parent: tuple[str, ...] | None = None
    if authority is not None:
        try:
            answer = await authority.query(name, "NS")
        except DnsError:
            answer = None
        if answer is not None:
            at_parent = tuple(sorted(answer.referral or answer.values))
    if not found and at_parent is None:
        raise DnsError(
            what=f"Whether {name} is delegated cannot be found out.",
            why="Neither a resolver nor the servers of its parent respond.",
            fix="Check the network: port 53 and HTTPS to resolvers may be blocked here",
            code="NoDnsAnswer",
        )
    return Delegation(name, wanted, found, parent, at_parent)


async def parent_servers(target: Target, name: str) -> tuple[str, Authority | None]:
    """The nearest zone above `name` and its name servers; none where the target's resolvers know no such zone."""
    labels = plain_name(name).split(".")
    for start in range(1, len(labels)):
        above = ".".join(labels[start:])
        try:
            answer = await target.dns.ask(above, "NS", target.resolvers, recursive=True)
        except DnsError:
            return "", None
        if answer.values:
            return above, target.authority(answer.values)
    return "", None


def delegation_lines(name: str, servers: Sequence[str]) -> list[str]:
    """The record that the parent zone needs, in the form of a zone file."""
    return [f"{plain_name(name)}. {DELEGATION_TTL} IN NS {plain_name(server)}." for server in sorted(servers)]


def delegate_command(parent: str, options: Sequence[str]) -> str:
    """The line that writes the record into a parent of another account, whose profile is to be filled in.

    `options` mean the workshop; the profile and the account among them are its own, and not the parent's.
    """
    kept, words = [], iter(options)
    for word in words:
        flag, joined, _ = word.partition("=")
        if flag not in OF_ACCOUNT:
            kept.append(word)
        elif not joined:
            next(words, None)
    return command_line(["workshop", "domain", "delegate", "--profile", "PROFILE", "--parent", parent, *kept])


async def _seen_by(target: Target, name: str, resolver: NameServer) -> tuple[str, tuple[str, ...]] | None:
    try:
        answer = await target.dns.ask(name, "NS", (resolver,), recursive=True)
    except DnsError:
        return None
    return str(resolver), tuple(sorted(answer.values))
