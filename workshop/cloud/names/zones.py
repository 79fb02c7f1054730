"""Hosted zones, their records and reusable delegation sets: creating, changing and deleting them as Route 53 does.

In: requests, stacks and ACM. Out: zones and records in MiniStack's store, changes that are PENDING for a while, a call for
every part that looks at records, and AWS's refusals (docs/aws-behaviours.md, sections 6.4 and 6.5).
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import responses
from ministack.services import route53

from workshop.cloud.names.batches import changed_records
from workshop.cloud.names.records import plain_name, stored
from workshop.cloud.names.wire import Refused, Values, checked
from workshop.cloud.patches import patch_around
from workshop.cloud.timing import Timing

__all__ = ["MOST_SETS", "MOST_ZONES", "Zones", "bare_id"]

MOST_ZONES, MOST_SETS = 500, 100
NOT_EMPTY = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
CREATED = "A delegation set with the same owner and caller reference combination has already been created."
LABEL = re.compile(r"[a-z0-9!\"#$%&'()*+,/:;<=>?@\[\\\]^_`{|}~-]{1,63}")
Zone = dict[str, Any]


def bare_id(value: str) -> str:
    """An id without the prefix under which the API may show it."""
    return value.rpartition("/")[2]


class Zones:
    """The zones of the current account. `sets` are its reusable delegation sets, as the API shows them, by their ids;
    `published` is called after every change of zones or records, in the thread that made it."""

    def __init__(self, now: Callable[[], float], timing: Timing, chance: random.Random, published: Callable[[], None]) -> None:
        self._now, self._timing, self._chance, self.published = now, timing, chance, published
        self.sets: Any = responses.AccountScopedDict()

    def apply(self) -> None:
        """Patch how MiniStack records a change."""
        patch_around(route53, "_new_change", self._new_change)

    def operations(self) -> Mapping[str, Callable[[Values], Values]]:
        """From a request's members to the response's."""
        return {
            "CreateHostedZone": self._create,
            "GetHostedZone": lambda request: self._shown(self.zone(request["Id"])),
            "DeleteHostedZone": lambda request: {"ChangeInfo": self.remove(request["Id"])},
            "ChangeResourceRecordSets": lambda each: {"ChangeInfo": self.change(each["HostedZoneId"], each["ChangeBatch"])},
            "GetChange": lambda request: {"ChangeInfo": self._change_info(request["Id"])},
            "CreateReusableDelegationSet": self._create_set,
            "GetReusableDelegationSet": lambda request: {"DelegationSet": self.delegation_set(request["Id"])},
            "ListReusableDelegationSets": self._list_sets,
            "DeleteReusableDelegationSet": self._delete_set,
        }

    def zone(self, zone_id: str) -> Zone:
        """MiniStack's record of a zone. Raises `Refused`."""
        found: Zone | None = route53._zones.get(bare_id(zone_id))
        if found is None:
            raise Refused("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
        return found

    def add(
        self, name: str, reference: str, *, comment: str = "", vpcs: list[Values], private: bool = False, set_id: str = ""
    ) -> Zone:
        """Create a zone. Raises `Refused`."""
        name = plain_name(name) + "."
        if len(name) > 256 or not all(LABEL.fullmatch(label) for label in name[:-1].split(".")):
            raise Refused("InvalidDomainName", f"{name} is not a valid domain name.")
        servers = self.delegation_set(set_id)["NameServers"] if set_id else []
        with route53._lock:
            if reference in route53._caller_refs:
                raise Refused(
                    "HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference."
                )
            if len(route53._zones) >= MOST_ZONES:
                raise Refused("TooManyHostedZones", f"Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER={MOST_ZONES}")
            if any(route53._same_name_zone_with_vpc(name, vpc) for vpc in vpcs):
                raise Refused("ConflictingDomainExists", f"A VPC is already associated with a hosted zone named {name}")
            zone = {"id": route53._zone_id(), "name": name, "caller_reference": reference, "comment": comment}
            zone.update(private=private or bool(vpcs), vpcs=vpcs, delegation_set=bare_id(set_id))
            records = route53._default_records(name)
            if servers:
                soa = f"{servers[0]}. {records[0]['ResourceRecords'][0].partition(' ')[2]}"
                values = ([soa], [f"{server}." for server in servers])
                records = [{**record, "ResourceRecords": each} for record, each in zip(records, values, strict=True)]
            route53._zones[zone["id"]], route53._records[zone["id"]] = zone, records
            route53._caller_refs[reference] = zone["id"]
        self.published()
        return zone

    def remove(self, zone_id: str) -> Values:
        """Delete a zone that holds no records but its own NS and SOA; its reference stays used. Raises `Refused`."""
        with route53._lock:
            zone = self.zone(zone_id)
            own = {(zone["name"], "NS"), (zone["name"], "SOA")}
            if any((record["Name"], record["Type"]) not in own for record in route53._records.get(zone["id"], [])):
                raise Refused("HostedZoneNotEmpty", NOT_EMPTY)
            del route53._zones[zone["id"]]
            route53._records.pop(zone["id"], None)
            route53._tags.pop(("hostedzone", zone["id"]), None)
            change = route53._new_change()
        self.published()
        return self._change_info(change["id"])

    def change(self, zone_id: str, batch: Values) -> Values:
        """Apply a ChangeBatch of the API's form. Raises `Refused`."""
        checked("ChangeBatch", batch)
        changes = [(each["Action"], stored(each["ResourceRecordSet"])) for each in batch["Changes"]]
        with route53._lock:
            zone = self.zone(zone_id)
            before = route53._records.get(zone["id"], ())
            others = {other: route53._zones[other]["name"] for other in route53._zones if other != zone["id"]}
            route53._records[zone["id"]] = changed_records(zone, before, changes, others, route53._health_checks)
            change = route53._new_change(batch.get("Comment", ""))
        self.published()
        return self._change_info(change["id"])

    def servers(self, zone: Mapping[str, Any]) -> list[str]:
        """The name servers of a zone."""
        set_id = zone.get("delegation_set")
        return list(self.delegation_set(set_id)["NameServers"] if set_id else route53._DEFAULT_NS)

    def delegation_set(self, set_id: str) -> Values:
        """A reusable delegation set. Raises `Refused`."""
        found: Values | None = self.sets.get(bare_id(set_id))
        if found is None:
            raise Refused("NoSuchDelegationSet", f"A delegation set with the ID {set_id} does not exist.")
        return found

    def zones_of(self, set_id: str) -> int:
        """How many zones use a delegation set. Raises `Refused`."""
        wanted = bare_id(self.delegation_set(set_id)["Id"])
        return sum(1 for zone in route53._zones.values() if zone.get("delegation_set") == wanted)

    def _create(self, request: Values) -> Values:
        config, vpc = request.get("HostedZoneConfig", {}), request.get("VPC")
        if vpc and not (vpc.get("VPCRegion") and vpc.get("VPCId", "").startswith("vpc-")):
            raise Refused("InvalidVPCId", f"The VPC ID '{vpc.get('VPCId', '')}' is not valid.")
        zone = self.add(
            request["Name"],
            request["CallerReference"],
            comment=config.get("Comment", ""),
            vpcs=[vpc] if vpc else [],
            private=config.get("PrivateZone", False),
            set_id=request.get("DelegationSetId", ""),
        )
        with route53._lock:
            change = self._change_info(route53._new_change()["id"])
        shown = {**self._shown(zone), "ChangeInfo": change, "Location": f"hostedzone/{zone['id']}"}
        return {**shown, "VPC": vpc} if vpc else shown

    def _shown(self, zone: Zone) -> Values:
        set_id, config = (
            zone.get("delegation_set"),
            {"Comment": zone.get("comment", ""), "PrivateZone": bool(zone.get("private"))},
        )
        described = {"Id": f"/hostedzone/{zone['id']}", "Name": zone["name"], "CallerReference": zone["caller_reference"]}
        count = len(route53._records.get(zone["id"], ()))
        shown: Values = {"HostedZone": {**described, "Config": config, "ResourceRecordSetCount": count}}
        if zone.get("vpcs"):
            return {**shown, "VPCs": zone["vpcs"]}
        return {**shown, "DelegationSet": self.delegation_set(set_id) if set_id else {"NameServers": self.servers(zone)}}

    def _change_info(self, change_id: str) -> Values:
        change = route53._changes.get(bare_id(change_id))
        if change is None:
            raise Refused("NoSuchChange", f"A change with the ID {change_id} does not exist.")
        status = "INSYNC" if self._now() >= change.get("due", 0.0) else "PENDING"
        shown = {"Id": f"/change/{change['id']}", "Status": status, "SubmittedAt": change["submitted_at"]}
        return {**shown, "Comment": change["comment"]} if change.get("comment") else shown

    def _new_change(self, original: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
        change = original(*arguments)
        change["due"] = self._now() + self._timing.seconds("dns.insync")
        return change

    def _create_set(self, request: Values) -> Values:
        """With new name servers, or with those of a zone, which uses the set from now on."""
        reference, zone_id = request["CallerReference"], request.get("HostedZoneId")
        if any(found["CallerReference"] == reference for found in self.sets.values()):
            raise Refused("DelegationSetAlreadyCreated", CREATED)
        if len(self.sets) >= MOST_SETS:
            raise Refused("LimitsExceeded", f"Limits Exceeded: MAX_REUSABLE_DELEGATION_SETS_BY_OWNER={MOST_SETS}")
        set_id = "N" + "".join(self._chance.choices(string.ascii_uppercase + string.digits, k=13))
        servers = [
            f"ns-{512 * number + self._chance.randrange(512)}.awsdns-{self._chance.randrange(64):02d}.{domain}"
            for number, domain in enumerate(("com", "net", "org", "co.uk"))
        ]
        if zone_id:
            zone = route53._zones.get(bare_id(zone_id))
            if zone is None:
                raise Refused("HostedZoneNotFound", f"The specified HostedZone {zone_id} cannot be found.")
            if zone.get("delegation_set"):
                raise Refused("DelegationSetAlreadyReusable", f"The delegation set of hosted zone {zone_id} is reusable already.")
            servers, zone["delegation_set"] = [server.removesuffix(".") for server in route53._DEFAULT_NS], set_id
        self.sets[set_id] = {"Id": f"/delegationset/{set_id}", "CallerReference": reference, "NameServers": servers}
        return {"DelegationSet": self.sets[set_id], "Location": f"delegationset/{set_id}"}

    def _list_sets(self, request: Values) -> Values:
        marker, wanted = request.get("Marker", ""), request.get("MaxItems", "100")
        if not re.fullmatch(r"[1-9]\d*", wanted):
            raise Refused("InvalidInput", f"Invalid maxitems: {wanted}")
        size = min(int(wanted), 100)
        rest = [key for key in sorted(self.sets) if key > marker]
        page = {"DelegationSets": [self.sets[key] for key in rest[:size]], "Marker": marker, "MaxItems": size}
        return {**page, "IsTruncated": True, "NextMarker": rest[size - 1]} if len(rest) > size else {**page, "IsTruncated": False}

    def _delete_set(self, request: Values) -> Values:
        if self.zones_of(request["Id"]):
            raise Refused(
                "DelegationSetInUse", f"The delegation set {request['Id']} is in use by hosted zones and cannot be deleted."
            )
        del self.sets[bare_id(request["Id"])]
        return {}
