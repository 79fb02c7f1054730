"""A context without any cloud: a client that responds from a table, a clock that does not run, a step that is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

from pydantic import BaseModel

from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.identity import Identity
from workshop.checks.base import Check, Finding
from workshop.checks.context import CheckContext, EventPlan, Machine, PlannedStep
from workshop.checks.runner import run_checks
from workshop.steps.base import Observed, Permission, Phase, Resource, State
from workshop.steps.settings import DataFile

HOME, AWAY, ACCOUNT = "us-west-2", "eu-west-1", "111122223333"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class StandingClock:
    """Time that does not pass by itself."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


Answer = Mapping[str, Any] | Exception | Callable[..., Any]


@dataclass
class FakeAwsClient:
    """Answers `service.operation` from a table; what is not in it is denied. Every call is remembered."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    account: str = ACCOUNT

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Any:
        self.calls.append((service, region, operation))
        answer = self.answers.get(f"{service}.{operation}")
        if callable(answer):
            answer = answer(region, **parameters)
        if answer is None:
            raise denied(service, operation, region)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def denied(service: str = "dynamodb", operation: str = "list_tables", region: str = HOME, message: str = "") -> AwsError:
    text = message or f"User is not authorized to perform: {service}:{operation}"
    return AwsError("AccessDeniedException", text, service=service, operation=operation, region=region, status=400)


def refusal(code: str, message: str = "", region: str = HOME) -> AwsError:
    kind = CredentialsError if code in ("ExpiredToken", "InvalidClientTokenId", "NoCredentials") else AwsError
    return kind(code, message, service="sts", operation="GetCallerIdentity", region=region, status=400)


class Settings(BaseModel):
    file: Annotated[str, DataFile()] = ""


class FakeStep:
    """A step that answers what it was told; an exception is raised instead."""

    is_verification = False
    rendered_limit = None

    def __init__(
        self, observed: Observed | Exception | None = None, remains: list[Resource] | None = None,
        permissions: list[Permission] | None = None, files: Exception | None = None,
    ) -> None:  # fmt: skip
        self.observed, self.remains = observed or Observed(State.ABSENT), remains or []
        self.needed, self.files = permissions or [], files

    async def observe(self, ctx: Any) -> Observed:
        if isinstance(self.observed, Exception):
            raise self.observed
        return self.observed

    async def leftovers(self, ctx: Any) -> list[Resource]:
        return self.remains

    def zone_name(self, ctx: Any) -> str:
        return ""

    def routed_name(self, ctx: Any) -> str:
        return ""

    def permissions(self, ctx: Any) -> list[Permission]:
        return self.needed

    def check_files(self, ctx: Any) -> None:
        if self.files is not None:
            raise self.files


def planned(step: FakeStep, name: str = "table", region: str = HOME, *, complete: bool = True, file: str = "") -> PlannedStep:
    ctx = SimpleNamespace(step=name, region=region, params=Settings(file=file), files=SimpleNamespace(path=Path))
    return PlannedStep(step, ctx, region, complete)  # type: ignore[arg-type]


def needs(action: str, resource: str = "*", region: str = HOME, phase: Phase = Phase.SETUP) -> Permission:
    return Permission(action, resource, region, phase)


def context(aws: FakeAwsClient | None = None, **changes: Any) -> CheckContext:
    """A context on AWS with a caller, in two regions, that lacks nothing; `changes` are its fields."""
    base = CheckContext(
        workshop="global-serverless", source="global-serverless", target="aws", regions=(HOME, AWAY),
        known_regions=frozenset({HOME, AWAY, "us-east-1", "eu-central-1"}), account=ACCOUNT, aws=aws or FakeAwsClient(),
        address=lambda service, region: f"https://{service}.{region}.amazonaws.com", override="",
        caller=Identity(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/Facilitator/ann"), caller_error=None, life=None,
        expected_account="", planned_steps=(), problems=(), event=EventPlan(1, 120.0, 3.0, 0.05),
        machine=Machine(Path("/tmp"), None, None, 4566), since="", clock=StandingClock(),
        options=("--target", "aws"),
    )  # fmt: skip
    return replace(base, **changes)


async def look(check: Check) -> Finding:
    """What a check answers when it is asked by the runner, with errors and crashes turned into findings."""
    alone = type(check).depends_on.fget  # asked for so that a check whose dependencies break is noticed
    assert alone is not None and alone(check) is not None
    (result,) = await run_checks([check], lambda *_: None)
    return result.finding
