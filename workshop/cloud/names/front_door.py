"""The front door: a request to a name of a hosted zone goes to the API that the name leads to, as if its sender had asked DNS.

In: a request whose Host is a name below `.localhost` in a public zone of this cloud. Out: the API and the path under which it is
served, and how the region was found; or the error that a client whose resolver fails would see. Browsers and curl connect every
name below `.localhost` to this machine without asking any name server, so the routing that DNS would have done happens here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workshop.cloud.domain_targets import ApiTarget, api_behind
from workshop.cloud.hosts import api_host, host_name, is_bare_host, is_domain_target, sign_in_host
from workshop.cloud.names.lookup import AnswerSet, Lookup
from workshop.cloud.names.places import Location, place_named, place_of_address
from workshop.cloud.responses import Response, Send, document, refusal
from workshop.cloud.routes import API_PATH, ApiAddress, Passage, Request
from workshop.cloud.timing import Timing

__all__ = ["MOST_KEPT", "CachedAnswer", "FrontDoor", "Resolver", "naming_region"]

MOST_KEPT = 10_000
"""How many answers are kept at once: a client may call itself what it likes."""
CLIENT_HEADER, PLACE_HEADER = "x-workshop-client", "x-workshop-from"
MOST_CLIENT = 128
TOP = "localhost"
"""A zone of this name is for DNS alone: it would cover every other name of the cloud."""
EXPOSED = b"X-Workshop-Region, X-Workshop-Dns"
ORIGIN, EXPOSE = b"access-control-allow-origin", b"access-control-expose-headers"


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """`ttl`: for how many seconds it still holds, on the cloud's clock. `source`: `asked`, `cache` or, when the client resolved
    the name by itself, `address`. `target`: the name at the end of the chain. `answers`: every record set on the way there."""

    rcode: str
    values: tuple[str, ...] = ()
    ttl: float = 0.0
    region: str = ""
    source: str = "asked"
    target: str = ""
    answers: tuple[AnswerSet, ...] = ()


class Resolver:
    """`now` returns the time; `kept_longer` by how many seconds resolvers overstay a TTL (the fault `stale-resolver`)."""

    def __init__(self, lookup: Lookup, timing: Timing, now: Callable[[], float], kept_longer: Callable[[], float]) -> None:
        self._lookup, self._timing, self._now, self._kept_longer = lookup, timing, now, kept_longer
        self._cache: dict[tuple[str, Location, str, str], tuple[CachedAnswer, float]] = {}

    def ask(self, name: str, kind: str, place: Location) -> CachedAnswer:
        """What the zones say now, past every cache."""
        found = self._lookup.find(name, kind, place)
        values = found.answers[-1].values if found.answers else ()
        ttl = self._timing.names_seconds(found.ttl)
        return CachedAnswer(found.rcode, values, ttl, found.region, "asked", found.target, found.answers)

    def resolve(self, name: str, kind: str, client: str, place: Location) -> CachedAnswer:
        """What this client's resolver returns for the name. Of the answers that are kept the oldest makes room."""
        key = (client, place, name, kind)
        kept, ends = self._cache.get(key, (None, 0.0))
        left = ends + self._kept_longer() - self._now()
        if kept is not None and left > 0:
            return replace(kept, ttl=left, source="cache")
        self._cache.pop(key, None)
        answer = self.ask(name, kind, place)
        if answer.rcode == "NOERROR" and answer.ttl > 0:
            while len(self._cache) >= MOST_KEPT:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = answer, self._now() + answer.ttl
        return answer

    def flush(self) -> int:
        """Forget every answer, as people flush the cache of their laptop; returns how many there were."""
        count = len(self.document())
        self._cache.clear()
        return count

    def document(self) -> list[dict[str, Any]]:
        """What is kept, and for how long it still holds."""
        after = self._now() - self._kept_longer()
        return [
            {
                "client": client,
                "name": name,
                "type": kind,
                "values": list(answer.values),
                "region": answer.region,
                "target": answer.target,
                "seconds": round(ends - after, 3),
            }
            for (client, _, name, kind), (answer, ends) in self._cache.items()
            if ends > after
        ]


class FrontDoor:
    """Implements `routes.RoutedHosts`. `mapped` returns what the custom domain `name` of a region makes of a path; `scope_of`
    account and region of an API."""

    def __init__(
        self,
        lookup: Lookup,
        resolver: Resolver,
        mapped: Callable[[str, str, str], ApiTarget | None],
        scope_of: Callable[[str], tuple[str, str] | None],
    ) -> None:
        self._lookup, self._resolver, self._mapped, self._scope_of = lookup, resolver, mapped, scope_of

    def enter(self, request: Request) -> Passage | None:
        """The passage of a request, or None when its host is no name of a zone, so that another part serves it."""
        name = host_name(request.host)
        if not self._is_routed(name):
            return None
        client = request.headers.get(CLIENT_HEADER, "") or request.peer
        if len(client) > MOST_CLIENT:
            return _refused(400, "BadRequest", f"{CLIENT_HEADER} has up to {MOST_CLIENT} characters.")
        wanted = request.headers.get(PLACE_HEADER, "")
        place = place_named(wanted) if wanted else place_of_address(request.peer)
        if place is None:
            return _refused(400, "BadRequest", f"{PLACE_HEADER} names no place: {wanted[:MOST_CLIENT]!r}.")
        region = self._lookup.endpoints.region_at(request.address)
        answer = self._by_address(name, region) if region else self._resolver.resolve(name, "A", client, place)
        return self._to_api(name, request.path, answer)

    def _is_routed(self, name: str) -> bool:
        if not name.endswith(f".{TOP}") or is_bare_host(name) or api_host(name) or is_domain_target(name) or sign_in_host(name):
            return False
        zone = self._lookup.zone_of(name)
        return zone is not None and zone.name != TOP

    def _by_address(self, name: str, region: str) -> CachedAnswer:
        """The client resolved the name by itself and connected to a region's own address. The record that leads to this region is
        looked for, because a record may name an API itself."""
        zone = self._lookup.zone_of(name)
        targets = [
            value.lower().rstrip(".")
            for record in (zone.records if zone else ())
            if record.name == name
            for value in record.values
        ]
        here = (target for target in targets if self._lookup.endpoints.region(target) == region)
        return CachedAnswer("NOERROR", region=region, source="address", target=next(here, ""))

    def _to_api(self, name: str, path: str, answer: CachedAnswer) -> Passage:
        if answer.rcode == "NXDOMAIN":
            return _refused(421, "NXDOMAIN", f"The zones of this cloud have no record {name}.", answer.source)
        if answer.rcode != "NOERROR":
            return _refused(502, answer.rcode, f"DNS returns no address for {name}.", answer.source)
        if not answer.region:
            where = answer.target if answer.target != name else ", ".join(answer.values)
            return _refused(502, "NotHere", f"{name} leads to {where}, which is no endpoint of this cloud.", answer.source)
        found = api_behind(self._mapped, name, answer.region, answer.target, path)
        scope = self._scope_of(found[0]) if found else None
        if found is None or scope is None or scope[1] != answer.region:
            return Passage(refused=_forbidden(), source=answer.source)
        return Passage(ApiAddress(found[0], *scope, f"{API_PATH}/{found[0]}{found[1]}"), None, answer.source)


def naming_region(send: Send, region: str, source: str) -> Send:
    """A response with `X-Workshop-Region` and `X-Workshop-Dns`. Whether a page may read it stays the API's own decision:
    without an allowed origin nothing is exposed."""
    own = [(b"x-workshop-region", region.encode()), (b"x-workshop-dns", source.encode())]

    async def named(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            if any(name.lower() == ORIGIN for name, _ in headers):
                exposed = [value for name, value in headers if name.lower() == EXPOSE and value]
                headers = [(name, value) for name, value in headers if name.lower() != EXPOSE]
                headers.append((EXPOSE, b", ".join([*exposed, EXPOSED])))
            message = {**message, "headers": [*headers, *own]}
        await send(message)

    return named


def _refused(status: int, code: str, message: str, source: str = "") -> Passage:
    return Passage(refused=refusal(status, code, message, "application/json"), source=source)


def _forbidden() -> Response:
    """What API Gateway returns for a host that is no custom domain of the region."""
    status, headers, body = document({"message": "Forbidden"}, 403)
    return status, {**headers, "x-amzn-ErrorType": "ForbiddenException"}, body
