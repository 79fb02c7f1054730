"""The third workshop killed at random times: user pool, distribution, bucket and the region of sign-in included."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.amount import only_long
from tests.cloud.shell import Shell, eventually
from tests.torture.conftest import Tally
from tests.torture.test_kills import ended_after

pytestmark = only_long
REGIONS, OTHER = ("eu-west-1", "ap-southeast-1", "eu-central-1"), "us-east-2"
RYDES = ("--workshop", "wild-rydes", "--yes")
ROUNDS = 12
Inventory = list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with_cloud = Shell(tmp_path_factory.mktemp("shell"))
    yield with_cloud.cloud()
    with_cloud.leave()


def inventory(shell: Shell) -> Inventory:
    """Everything of every kind that the workshop could leave, asked of the services themselves."""
    rows = shell.inventory(*REGIONS)
    for r in REGIONS:
        rows += [(r, "domain", each["domainName"]) for each in shell.client("apigateway", r).get_domain_names().get("items", [])]
        rows += [(r, "certificate", each["CertificateArn"]) for each in _certificates(shell, r)]
        rows += [(r, "pool", each["Name"]) for each in shell.client("cognito-idp", r).list_user_pools(MaxResults=60)["UserPools"]]
        rows += [(r, "parameter", each["Name"]) for each in shell.client("ssm", r).describe_parameters()["Parameters"]]
    rows += [("", "zone", each["Name"]) for each in shell.client("route53").list_hosted_zones()["HostedZones"]]
    rows += [("", "check", each["Id"]) for each in shell.client("route53").list_health_checks()["HealthChecks"]]
    rows += [("", "bucket", each["Name"]) for each in shell.client("s3").list_buckets().get("Buckets", [])]
    hosting = shell.client("cloudfront")
    rows += [("", "distribution", each["Id"]) for each in hosting.list_distributions()["DistributionList"].get("Items", [])]
    controls = hosting.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])
    rows += [("", "access control", each["Id"]) for each in controls]
    policies = hosting.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"].get("Items", [])
    return sorted([*rows, *(("", "headers policy", each["ResponseHeadersPolicy"]["Id"]) for each in policies)])


def _certificates(shell: Shell, region: str) -> list[Any]:
    return list(shell.client("acm", region).list_certificates()["CertificateSummaryList"])


def test_whatever_is_killed_and_however_much_is_forgotten_nothing_is_left(shell: Shell, tally: Tally) -> None:
    chance, before, met = random.Random(16), inventory(shell), 0
    began = time.monotonic()
    shell.document("setup", *RYDES)
    spans = {"setup": time.monotonic() - began}
    began = time.monotonic()
    shell.document("teardown", *RYDES)
    spans["teardown"] = time.monotonic() - began
    for number in range(ROUNDS):
        forgotten = number % 3 == 2
        met += killed(shell, "setup", spans, chance)
        if forgotten:
            shell.lose_the_journal()
        else:
            met += killed(shell, "setup", spans, chance)
            steps = shell.document("setup", *RYDES)["steps"]
            assert {step["outcome"] for step in steps} <= {"created", "updated", "unchanged"}
        met += killed(shell, "teardown", spans, chance)
        found = shell.document("teardown", *RYDES, *(["--sweep"] if forgotten else []))
        assert found["leftovers"] == []
        assert inventory(shell) == before
    tally("kill -9 of the third workshop, sometimes with the journal lost", met)
    assert met > ROUNDS


def killed(shell: Shell, verb: str, spans: dict[str, float], chance: random.Random) -> bool:
    process = shell.start(verb, *RYDES)
    met = ended_after(process, spans[verb] * chance.uniform(0.1, 0.9), signal.SIGKILL)
    process.wait()
    return met


def test_the_client_of_a_killed_drill_is_found_in_a_pool_that_outlives_the_workshop_without_the_journal(
    shell: Shell, tally: Tally
) -> None:
    cognito = shell.client("cognito-idp", OTHER)
    pool = cognito.create_user_pool(PoolName="event")["UserPool"]
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
    cognito.create_resource_server(UserPoolId=pool["Id"], Identifier="tickets", Name="tickets", Scopes=scopes)
    cognito.create_user_pool_domain(UserPoolId=pool["Id"], Domain="event-tickets")

    def clients() -> list[str]:
        found = cognito.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=60)["UserPoolClients"]
        return [each["ClientName"] for each in found]

    cognito.create_user_pool_client(UserPoolId=pool["Id"], ClientName="pages")
    given = {"pool_arn": pool["Arn"], "client_id": "abc", "signin_host": f"event-tickets.auth.{OTHER}.amazoncognito.com"}
    words = [*RYDES, *(word for name, value in given.items() for word in ("--param", f"{name}={value}"))]
    before = inventory(shell)
    shell.document("setup", *words)
    drill = shell.start("drill", "run", "--workshop", "wild-rydes", "--fault", "bad-deploy", "--yes")
    eventually(lambda: len(clients()) == 2, 60)
    drill.send_signal(signal.SIGKILL)
    drill.wait()
    shell.lose_the_journal()
    assert shell.document("teardown", *words, "--sweep")["leftovers"] == []
    assert clients() == ["pages"]
    assert inventory(shell) == before
    tally("a drill with tokens killed, then swept without a journal", 1)
