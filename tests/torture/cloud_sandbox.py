"""The sandbox that torture happens on: one local cloud, machines (state folders) that work on it, and a look past the tool."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.cloud.shell import free_port
from tests.torture.worker import SPEED, Order, Place, start
from tests.warm import clouds
from workshop.cloud import daemon
from workshop.cloud.faults import CloudFault, fault_add, faults_clear, faults_list

__all__ = ["REGIONS", "SMALL", "CloudSandbox", "Ended", "Inventory"]

SMALL = Path(__file__).parent / "small"
REGIONS = ("us-west-2", "eu-west-1")
LONGEST = 240.0
Inventory = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Ended:
    """How a command's process ended. `code` is negative when a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def passed(self, kind: str) -> int:
        """How many changes, calls or boundaries the command came by."""
        words = dict(word.split("=") for word in self.err.strip().splitlines()[-1].split())
        return int(words[kind])

    def errors(self) -> list[dict[str, str]]:
        """The errors of the steps that failed."""
        return [step["error"] for step in self.document["steps"] if step["error"]]


@dataclass
class CloudSandbox:
    """One cloud; `machine` is the state folder of the first machine, which the cloud's own files share."""

    folder: Path
    workshop: str = str(SMALL)
    state: daemon.CloudState = field(init=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.state = clouds.start(self.machine, port=free_port(), timing="instant")

    @property
    def machine(self) -> Path:
        return self.folder / "machine"

    def leave(self) -> None:
        daemon.stop(self.machine)

    def order(self, verb: str, place: Place | None = None, *, machine: Path | None = None, **more: Any) -> Order:
        assert self.state.port
        out = self.folder / "out" / f"{next(self._numbers)}-{verb}.json"
        return Order(
            verb, machine or self.machine, self.state.port, out, place or Place(), more.pop("speed", SPEED),
            more.pop("workshop", self.workshop), **more,
        )  # fmt: skip

    def run(self, verb: str, place: Place | None = None, *, code: int | None = None, **more: Any) -> Ended:
        """Run one command to its end; with `code`, hold it to its exit code."""
        order = self.order(verb, place, **more)
        ended = self.finish(order, start(order))
        assert code is None or ended.code == code, f"{verb} {place or ''}: exit {ended.code}\n{ended.err}\n{ended.out[-3000:]}"
        return ended

    def finish(self, order: Order, process: Any) -> Ended:
        try:
            code = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{order.verb} did not end:\n{order.out.with_suffix('.err').read_text()}") from None
        return Ended(code, order.out.read_text(), order.out.with_suffix(".err").read_text())

    def ready(self, **more: Any) -> Ended:
        """Setup, held to every step being ready."""
        ended = self.run("setup", code=0, **more)
        assert {step["outcome"] for step in ended.document["steps"]} <= {"created", "updated", "unchanged"}, ended.out
        return ended

    def empty(self, before: Inventory, **more: Any) -> Ended:
        """Teardown, held to leaving exactly what was there before, seen past the tool."""
        ended = self.run("teardown", code=0, **more)
        assert ended.document["leftovers"] == []
        assert self.inventory() == before
        return ended

    def client(self, service: str, region: str = REGIONS[0]) -> Any:
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = boto3.session.Session().client(
                service, region_name=region, endpoint_url=self.state.endpoint, aws_access_key_id=daemon.ACCOUNT,
                aws_secret_access_key="x",
                config=Config(
                    retries={"total_max_attempts": 3}, account_id_endpoint_mode="disabled", s3={"addressing_style": "path"}
                ),
            )  # fmt: skip
        return self._clients[key]

    def inventory(self, regions: Sequence[str] = REGIONS) -> Inventory:
        """Everything of every kind that a setup could leave; a failed call is an error, never 'nothing'."""
        rows: Inventory = []
        for r in regions:
            rows += [(r, "table", name) for name in self.client("dynamodb", r).list_tables()["TableNames"]]
            rows += [(r, "stack", s["StackName"]) for s in self.client("cloudformation", r).describe_stacks()["Stacks"]]
            rows += [(r, "rest-api", a["name"]) for a in self.client("apigateway", r).get_rest_apis(limit=500).get("items", [])]
            rows += [(r, "function", f["FunctionName"]) for f in self.client("lambda", r).list_functions()["Functions"]]
            rows += [(r, "log-group", g["logGroupName"]) for g in self.client("logs", r).describe_log_groups()["logGroups"]]
            rows += [(r, "parameter", p["Name"]) for p in self.client("ssm", r).describe_parameters()["Parameters"]]
        roles = self.client("iam").list_roles()["Roles"]
        rows += [("global", "role", role["RoleName"]) for role in roles if not role["RoleName"].startswith("AWSServiceRole")]
        rows += [("global", "zone", zone["Name"]) for zone in self.client("route53").list_hosted_zones()["HostedZones"]]
        rows += [("global", "bucket", bucket["Name"]) for bucket in self.client("s3").list_buckets().get("Buckets", [])]
        cloudfront = self.client("cloudfront", "us-east-1")
        rows += [
            ("global", "distribution", d["Id"]) for d in cloudfront.list_distributions()["DistributionList"].get("Items", [])
        ]
        controls = cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])
        rows += [("global", "access-control", control["Name"]) for control in controls]
        policies = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"].get("Items", [])
        rows += [("global", "headers-policy", p["ResponseHeadersPolicy"]["Id"]) for p in policies]
        return sorted(rows)

    @contextmanager
    def faults(self, *faults: CloudFault) -> Iterator[None]:
        """The faults while the block runs."""
        for fault in faults:
            self.fault(fault)
        try:
            yield
        finally:
            self.clear_faults()

    def fault(self, fault: CloudFault) -> CloudFault:
        return fault_add(self.machine, fault)

    def clear_faults(self) -> None:
        faults_clear(self.machine)

    def hits(self, fault: CloudFault) -> int:
        """How often a fault has struck; one that has struck all its times is not listed any more."""
        return next((found.hits for found in faults_list(self.machine) if found.id == fault.id), fault.times)
