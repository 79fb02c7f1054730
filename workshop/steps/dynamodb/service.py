"""DynamoDB as the step kinds declare it: the service, its resource type, its quota (docs/aws-behaviours.md, section 8)."""

from __future__ import annotations

from workshop.aws.client import AwsClient
from workshop.aws.resources.tables import list_tables
from workshop.steps.declarations import SERVICE_QUOTAS, AccessProof, Quota, ResourceType, Service

__all__ = ["DYNAMODB", "TABLE", "TableQuota"]

DYNAMODB = Service("dynamodb", AccessProof("list_tables", "dynamodb:ListTables", {"Limit": 1}))
TABLE = ResourceType(
    "table",
    "table",
    unique=True,
    usd_a_month=0.25,
    upkeep="storage, up to 1 GB at $0.25; on-demand capacity costs nothing while it is not used",
)
"""The storage of a table is paid in every region."""


class TableQuota(Quota):
    """Tables of a region."""

    name = "tables"
    what = "tables"
    action = "dynamodb:CreateTable"
    service = "dynamodb"
    code = "L-F98FE922"
    default = 2500
    actions = (SERVICE_QUOTAS, ("dynamodb:ListTables", "*"))

    async def used(self, aws: AwsClient, region: str) -> int:
        return len(await list_tables(aws, region))
