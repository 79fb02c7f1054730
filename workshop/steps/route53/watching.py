"""What the health check of a record watches, and what is wrong with the check itself.

In: a frozen world, a health check. Out: the endpoints behind it, and mismatches. Pure (docs/aws-behaviours.md,
sections 6.3 and 6.11).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workshop.aws.resources.health_checks import HealthCheck
from workshop.quoting import shown
from workshop.steps.route53.proof import MismatchKind
from workshop.steps.route53.world import Destination, Endpoint, Lost, World

__all__ = ["LAST_RESORTS", "Watched", "check_path", "check_rows", "watchers"]

LAST_RESORTS = (("Failover", "SECONDARY"), ("GeoLocation", {"CountryCode": "*"}))
"""The records that are used when no other is: they may do without a check."""
MOST_LEVELS = 3
"""How deep calculated checks are looked into."""
CALCULATED = "CALCULATED"
TLS_PORT = 443


@dataclass(frozen=True, slots=True)
class Watched:
    """One check with an endpoint, that of the record or one below a calculated check."""

    check: HealthCheck
    located: Destination

    @property
    def endpoint(self) -> Endpoint | None:
        return next(iter(self.located.endpoints), None)

    @property
    def asks(self) -> str:
        """Host and path."""
        return f"{self.check.host}{check_path(self.check)}"


def check_path(check: HealthCheck) -> str:
    """The path that a check asks for; empty for one that only connects."""
    if check.config.get("Type") == "TCP":
        return ""
    path = str(check.config.get("ResourcePath") or "/")
    return path if path.startswith("/") else f"/{path}"


def watchers(world: World, check: HealthCheck, level: int = 0) -> Iterator[Watched]:
    """The checks with endpoints that decide about this one: itself, or those below it."""
    if check.host:
        yield Watched(check, world.asked(check.host, check_path(check) or "/"))
    elif check.config.get("Type") == CALCULATED and level < MOST_LEVELS:
        for child in check.config.get("ChildHealthChecks") or ():
            if child in world.checks:
                yield from watchers(world, world.checks[child], level + 1)


def check_rows(
    world: World, name: str, points: Endpoint | None, watched: Sequence[Watched], check: HealthCheck
) -> Iterator[tuple[MismatchKind, str, bool]]:
    """What is wrong with the check of a record that points at `points`: its kind, the text, and whether it is severe."""
    if not watched:
        text = f"health check {shown(check.id)} asks no endpoint ({shown(str(check.config.get('Type')))}): it cannot be proven."
        yield MismatchKind.UNPROVEN, text, False
    for each in watched:
        yield from _reach_rows(world, name, points, each)
        yield from _setting_rows(each.check, at_gateway=each.endpoint is not None)
    if check.config.get("Type") == CALCULATED:
        yield from _setting_rows(check, at_gateway=False)


def _reach_rows(world: World, name: str, points: Endpoint | None, watched: Watched) -> Iterator[tuple[MismatchKind, str, bool]]:
    """Whether the checkers reach one endpoint, and a route of it."""
    host, path, of = watched.check.host, check_path(watched.check), f"health check {shown(watched.check.id)}"
    if host == name or watched.located.lost is Lost.ROUTED:
        yield MismatchKind.ROUTED, f"{of} asks the routed name {shown(host)} itself: it says nothing of one region.", True
        return
    match watched.located.lost:
        case Lost.TARGET_ITSELF:
            text = f"{of} asks {shown(host)}, the regional name of a custom domain: 403 Forbidden under that name."
            yield MismatchKind.TARGET_ITSELF, text, True
        case Lost.NO_DOMAIN | Lost.NO_MAPPING:
            text = f"{of} asks {shown(host)}, which {watched.located.region} serves by no custom domain: 403 Forbidden."
            yield MismatchKind.DOMAIN_MISSING, text, True
        case Lost.UNKNOWN if points is not None:
            yield (
                MismatchKind.OTHER_ENDPOINT,
                f"points at {points}, but {of} watches {shown(host)}, which is no endpoint of it.",
                True,
            )
    end = watched.endpoint
    api = world.apis.get((end.region, end.api)) if end is not None else None
    if end is None or api is None or not path:
        return
    if api.serves(path) and not (end.stage in api.stages and api.serves(end.route)):
        text = f"{of} asks for {shown(path)} without a stage: 403 Missing Authentication Token."
        yield MismatchKind.STAGE_MISSING, text, True
    elif end.stage not in api.stages:
        yield (
            MismatchKind.NO_STAGE,
            f"{of} asks for {shown(path)}, but {end.region} ({end.api}) has no stage {shown(end.stage)}.",
            True,
        )
    elif not api.serves(end.route):
        text = f"{of} asks for {shown(path)}, where {end} has no route with an integration: 403 Missing Authentication Token."
        yield MismatchKind.NO_ROUTE, text, True


def _setting_rows(check: HealthCheck, *, at_gateway: bool) -> Iterator[tuple[MismatchKind, str, bool]]:
    """Settings with which a check means something else than whether its endpoint is well."""
    config, of = check.config, f"health check {shown(check.id)}"
    kind = str(config.get("Type", ""))
    if kind.startswith("HTTPS") and not config.get("EnableSNI"):
        yield MismatchKind.NO_SNI, f"{of} sends no server name (SNI): API Gateway refuses the handshake.", at_gateway
    if at_gateway and (not kind.startswith(("HTTPS", "TCP")) or int(config.get("Port", TLS_PORT)) != TLS_PORT):
        port = int(config.get("Port", 80))
        text = f"{of} asks by {shown(kind.partition('_')[0])} on port {port}: nothing listens, API Gateway has TLS on 443 alone."
        yield MismatchKind.NOT_LISTENING, text, True
    elif at_gateway and kind == "TCP":
        yield MismatchKind.ONLY_CONNECTS, f"{of} only connects: it stays healthy while the functions behind the API fail.", True
    if config.get("Disabled"):
        means = "unhealthy, because it is inverted too" if config.get("Inverted") else "healthy"
        yield MismatchKind.DISABLED, f"{of} is disabled: it counts as {means}.", True
    elif config.get("Inverted"):
        yield MismatchKind.INVERTED, f"{of} is inverted: its record is withdrawn while the endpoint is well.", False
    if kind and config.get("FailureThreshold") == 1:
        yield MismatchKind.THRESHOLD, f"{of} turns at a single failure: one lost request withdraws a region.", False
