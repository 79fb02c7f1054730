"""What a step kind declares about AWS, so that no table about kinds exists outside of them.

In: nothing. Out: the values of the class attributes of `Step`: services, types of resources, quotas, limits. Other rooms read
them through `workshop.steps.registry`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from workshop.aws.client import AwsClient

__all__ = ["SERVICE_QUOTAS", "AccessProof", "Quota", "RenderedLimit", "ResourceType", "Service"]


@dataclass(frozen=True, slots=True)
class AccessProof:
    """A read that needs nothing to exist: when it succeeds, the caller has access to the service.

    `action` is what IAM calls it, `resource` the ARN that IAM checks it on, with `{region}` filled in.
    """

    operation: str
    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    resource: str = "*"


@dataclass(frozen=True, slots=True)
class Service:
    """An AWS service that a kind calls, by botocore's name; `proof` is None when there is no harmless read of it."""

    name: str
    proof: AccessProof | None = None


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One sort of resource that a kind makes and may leave behind. `name` is the `kind` of its `Resource`s.

    `usd_a_month` is what one of a workshop's size costs while it is not used, at the list prices of us-west-2
    (docs/aws-behaviours.md, section 8); `upkeep` is what that figure is made of.
    """

    name: str
    title: str
    """What people read in a receipt."""
    unique: bool = False
    """Whether an account and region has only one of a name, so that one which is left stops the next creation."""
    usd_a_month: float = 0.0
    upkeep: str = "nothing while it is not used"


@dataclass(frozen=True, slots=True)
class RenderedLimit:
    """The most bytes that AWS takes of the rendered `part` of a step; `fix` is what an author does about a larger one."""

    part: str
    most_bytes: int
    fix: str


SERVICE_QUOTAS = ("servicequotas:GetServiceQuota", "arn:aws:servicequotas:*:{account}:{service}/{code}")
"""What reading an applied value from Service Quotas takes: the IAM action, and what it is checked on."""


class Quota(ABC):
    """A quota of an account that counts what a kind makes. Subclasses hold no state."""

    name: ClassVar[str]
    """The name of its check: `quotas.NAME`."""
    what: ClassVar[str]
    """What is counted, in the plural."""
    action: ClassVar[str]
    """The IAM action that makes one more."""
    service: ClassVar[str]
    """By the name that Service Quotas uses."""
    code: ClassVar[str]
    default: ClassVar[int]
    """What AWS gives to a new account."""
    is_global: ClassVar[bool] = False
    """Whether the quota is of the account and not of one region."""
    actions: ClassVar[tuple[tuple[str, str], ...]]
    """The IAM actions that `used` and `limit` take, each with the ARN it is checked on, where `{region}`, `{account}` and the
    quota's own `{service}` and `{code}` are filled in."""

    def counts(self, resource: str) -> bool:  # noqa: ARG002
        """Whether the permission to do `action` on this resource (an ARN) means one more."""
        return True

    @abstractmethod
    async def used(self, aws: AwsClient, region: str) -> int:
        """How many there are; raises `AwsError` when the read is refused. A global quota is read from the home region."""

    async def limit(self, aws: AwsClient, region: str) -> int:
        """The applied value, by Service Quotas; raises `AwsError` when it has none or the read is refused."""
        place = "us-east-1" if self.is_global else region
        found = await aws.call("service-quotas", place, "get_service_quota", ServiceCode=self.service, QuotaCode=self.code)
        return int(found["Quota"]["Value"])
