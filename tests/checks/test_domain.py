"""The domain family: whether names can be made, found and certified, with the line that fixes it."""

from __future__ import annotations

import shlex

import pytest

from tests.checks.builders import context, look
from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import StepSandbox
from tests.unit.fakes.route53 import close_route53
from tests.unit.fakes.virtual_time import run
from workshop.checks.base import Check, CheckStatus, Finding
from workshop.checks.context import CheckContext, PlannedStep
from workshop.checks.domain import FAMILY
from workshop.checks.read_only import ReadOnlyClient
from workshop.checks.registry import family_named
from workshop.steps.route53.record_sets import RecordsParams
from workshop.steps.route53.records import RouteRecords
from workshop.steps.route53.zone import Route53Zone, ZoneParams

ZONE, NAME, PARENT = "a07.event.example.com", "api.a07.event.example.com", "event.example.com"
SERVERS = ("ns-1.awsdns-1.com", "ns-2.awsdns-2.net", "ns-3.awsdns-3.org", "ns-4.awsdns-4.co.uk")
PASS, WARN, FAIL, SKIP = CheckStatus.PASS, CheckStatus.WARN, CheckStatus.FAIL, CheckStatus.SKIP


class Event:
    """A workshop with one zone and one name, about to be set up."""

    def __init__(self) -> None:
        self.sandbox = StepSandbox()
        self.dns = self.sandbox.internet
        self.route53 = self.sandbox.aws.route53
        self.dns.known[PARENT, "NS"] = ["ns.parent"]
        self.dns.parents.add("ns.parent")
        self.delegated, self.target = True, "aws"
        self.domains: dict[str, dict] = {}
        self.sandbox.aws.remains.get_domain_name = self._domain

    def _domain(self, region: str, domainName: str) -> dict:
        if region not in self.domains:
            raise refusal("NotFoundException", status=404)
        return {"domainName": domainName, "tags": self.domains[region]}

    def delegate(self, *servers: str) -> None:
        self.dns.delegated[ZONE] = servers
        self.dns.known[ZONE, "NS"] = servers

    def context(self, *, steps: bool = True) -> CheckContext:
        more = {"target": self.sandbox.target(self.target), "variables": {"delegated": self.delegated}}
        zone = PlannedStep(Route53Zone(), self.sandbox.context(ZoneParams(name=ZONE), **more), "", complete=True)
        params = RecordsParams(zone="", name=NAME, targets=())
        records = PlannedStep(RouteRecords(), self.sandbox.context(params, **more), "", complete=False)
        return context(
            ReadOnlyClient(self.sandbox.aws), target=self.target, workshop="films", planned_steps=(zone, records) if steps else ()
        )

    def check(self, name: str, **more) -> Check:
        return next(check for check in FAMILY.instances(self.context(**more)) if check.name == name)

    def finding(self, name: str, **more) -> Finding:
        return run(look(self.check(name, **more)))


@pytest.fixture
def event():
    yield Event()
    close_route53()


def names() -> list[str]:
    return [kind.name for kind in FAMILY.checks]


def test_the_family_is_registered_under_its_name():
    assert family_named("domain") is FAMILY and names() == ["named", "zone", "delegated", "free", "caa", "dnssec", "ask"]


@pytest.mark.parametrize("name", names())
def test_a_workshop_without_names_is_not_asked_for_a_domain(event, name):
    found = event.finding(name, steps=False)
    assert found.status is SKIP and found.detail == "The steps need no domain."
    assert event.check(name, steps=False).permissions() == [] and event.dns.asked == []


@pytest.mark.parametrize("name", names())
def test_on_the_local_target_nothing_public_is_asked(event, name):
    event.target = "local"
    found = event.finding(name)
    assert found.status in (PASS, SKIP), found
    assert set(event.dns.servers_asked()) <= {"ns-local"}


@pytest.mark.parametrize("name", names())
def test_everything_is_well_with_a_zone_that_is_delegated(event, name):
    event.route53.put_zone(ZONE)
    event.delegate(*SERVERS)
    assert event.finding(name).status is PASS


def test_without_a_domain_it_works_with_less(event):
    event.delegated = False
    found = event.finding("named")
    assert found.status is WARN and "--param domain=" in found.fix and "no certificate" in found.detail
    assert {event.finding(name).status for name in ("delegated", "caa", "dnssec")} == {SKIP}


def test_two_zones_of_the_name_fail_with_the_commands_that_delete_either(event):
    ids = [event.route53.put_zone(ZONE) for _ in range(2)]
    found = event.finding("zone")
    assert found.status is FAIL and all(f"delete-hosted-zone --id {each}" in found.fix for each in ids)


def test_a_private_zone_alone_hides_the_one_that_is_made(event):
    zone = event.route53.put_zone(ZONE, private=True)
    found = event.finding("zone")
    assert found.status is WARN and zone in found.fix and "hides" in found.detail


def test_a_zone_that_setup_will_make_needs_a_parent_that_can_delegate(event):
    found = event.finding("delegated")
    assert found.status is WARN and f"--parent {PARENT}" in found.fix and f"{ZONE}. 60 IN NS" in found.fix
    event.dns.known.clear()
    found = event.finding("delegated")
    assert found.status is FAIL and "--param domain=" in found.fix


def test_a_zone_that_resolvers_find_elsewhere_fails_with_the_four_name_servers_to_paste(event):
    event.route53.put_zone(ZONE)
    event.delegate("ns-9.elsewhere.net")
    found = event.finding("delegated")
    assert found.status is FAIL and "ns-9.elsewhere.net" in found.detail
    assert all(f"{ZONE}. 60 IN NS {server}." in found.fix for server in SERVERS)
    assert shlex.split(found.fix.partition("In Route 53: ")[2])[:3] == ["aws", "route53", "change-resource-record-sets"]


def test_a_name_with_records_of_others_is_not_free(event):
    zone = event.route53.put_zone(PARENT)
    event.route53.put_record(zone, NAME, "CNAME", "theirs.example.org")
    found = event.finding("free")
    assert found.status is FAIL and "CNAME in the zone event.example.com" in found.detail
    assert f"--hosted-zone-id {zone} --start-record-name {NAME}" in found.fix


def test_a_name_that_carries_our_mark_is_ours(event):
    zone = event.route53.put_zone(ZONE)
    event.route53.put_record(zone, NAME, "CNAME", "ours.example.org")
    event.route53.put_record(zone, f"_workshop.{NAME}", "TXT", '"workshop=films step=records run=run-1"')
    assert event.finding("free").status is PASS


def test_a_name_that_carries_the_mark_of_another_workshop_is_not_free(event):
    zone = event.route53.put_zone(ZONE)
    event.route53.put_record(zone, NAME, "CNAME", "theirs.example.org")
    event.route53.put_record(zone, f"_workshop.{NAME}", "TXT", '"workshop=films-2 step=records"')
    assert event.finding("free").status is FAIL


@pytest.mark.parametrize(("tags", "status"), [({}, FAIL), ({"workshop": "another"}, FAIL), ({"workshop": "films"}, PASS)])
def test_a_custom_domain_of_the_name_is_found_in_every_region(event, tags, status):
    event.domains["eu-west-1"] = tags
    found = event.finding("free")
    assert found.status is status
    if status is FAIL:
        assert "--region eu-west-1" in found.fix and f"--domain-name {NAME}" in found.fix


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (['0 issue "letsencrypt.org"'], FAIL),
        (['0 issue ";"'], FAIL),
        (['0 issue "letsencrypt.org"', '0 issue "amazon.com"'], PASS),
        (['0 issue "AmazonTrust.com; policy=x"'], PASS),
        (['0 iodef "mailto:ann@example.com"'], PASS),
        (['0 issuewild "letsencrypt.org"'], PASS),
    ],
)
def test_a_caa_record_has_to_allow_acm(event, values, status):
    event.dns.known[PARENT, "CAA"] = values
    found = event.finding("caa")
    assert found.status is status
    if status is FAIL:
        assert f'{ZONE}. 300 IN CAA 0 issue "amazon.com"' in found.fix


def test_the_nearest_caa_record_counts(event):
    event.dns.known["example.com", "CAA"] = ['0 issue "letsencrypt.org"']
    event.dns.known[PARENT, "CAA"] = ['0 issue "amazonaws.com"']
    assert event.finding("caa").status is PASS


@pytest.mark.parametrize(("zone", "signing", "status"), [(False, "", FAIL), (True, "NOT_SIGNING", FAIL), (True, "SIGNING", PASS)])
def test_a_ds_record_needs_a_zone_that_signs(event, zone, signing, status):
    event.dns.known[ZONE, "DS"] = ["12345 13 2 " + "ab" * 32]
    if zone:
        event.route53.put_zone(ZONE)
    ask = event.sandbox.aws.route53.call

    def call(region: str, operation: str, **parameters):
        return {"Status": {"ServeSignature": signing}} if operation == "get_dnssec" else ask(region, operation, **parameters)

    event.sandbox.aws.route53.call = call
    found = event.finding("dnssec")
    assert found.status is status
    if status is FAIL:
        assert f"Remove the DS record of {ZONE} in {PARENT}" in found.fix


def test_a_blocked_port_53_is_a_warning_that_says_what_gets_coarser(event):
    event.dns.blocked = {"udp"}
    found = event.finding("ask")
    assert found.status is WARN and "HTTPS" in found.detail and "1.1.1.1" in found.detail
    event.route53.put_zone(ZONE)
    assert SERVERS[0] in event.finding("ask").detail


def test_a_local_name_server_that_is_silent_fails(event):
    event.target = "local"
    event.dns.silent = {"ns-local"}
    found = event.finding("ask")
    assert found.status is FAIL and "workshop cloud status" in found.fix


@pytest.mark.parametrize("name", ["delegated", "caa", "dnssec"])
def test_without_any_dns_nothing_is_claimed(event, name):
    event.route53.put_zone(ZONE)
    event.dns.blocked = {"udp", "tcp", "https"}
    found = event.finding(name)
    assert found.status is SKIP and "respond" in found.detail


@pytest.mark.parametrize("name", ["zone", "delegated", "free"])
def test_a_missing_permission_is_no_failure_of_the_workshop(event, name):
    for _ in range(5):
        event.sandbox.aws.refuse("list_hosted_zones_by_name", "us-east-1", refusal("AccessDenied"))
    found = event.finding(name)
    assert found.status is SKIP and "permission is missing" in found.detail
    needed = {each.action for each in event.check(name).permissions()}
    assert "route53:ListHostedZonesByName" in needed
