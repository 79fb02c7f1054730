"""Lists what a stack may have left behind, one function per kind of resource, asked of the services themselves.

In: an `AwsClient`, a region, an exact name or prefix. Out: `Found` values with the tags that show whose they are (None where a
kind has no tags that come with its listing). It deletes log groups, which have no owner to delete them (docs/aws-behaviours.md,
section 9), and functions.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workshop.aws.client import AwsClient, AwsResponse
from workshop.aws.errors import AwsError
from workshop.aws.resources.buckets import bucket_tags
from workshop.aws.resources.tables import describe_table, table_tags
from workshop.shell import aws_line, command_line

__all__ = [
    "Found",
    "buckets",
    "delete_function",
    "delete_log_group",
    "functions",
    "log_group_tags",
    "log_groups",
    "rest_apis",
    "roles",
    "tables",
    "tag_function",
    "tag_log_group",
]


@dataclass(frozen=True, slots=True)
class Found:
    """One resource that exists. `id` is what its delete command takes; `show` is the command that describes it."""

    kind: str
    name: str
    region: str
    id: str
    tags: Mapping[str, str] | None
    fix: str
    show: str
    created: str = ""
    """When it was created or last changed, ISO 8601 in UTC, where its service reports that."""
    size: str = ""
    """How much is in it, in a few words."""
    why: str = ""
    """What keeps it from being deleted, in a few words."""


async def rest_apis(aws: AwsClient, region: str) -> list[Found]:
    """All REST APIs of a region, with their tags."""
    return [
        Found(
            "rest-api",
            api["name"],
            region,
            api["id"],
            dict(api.get("tags") or {}),
            aws_line("apigateway delete-rest-api", region=region, rest_api_id=api["id"]),
            aws_line("apigateway get-rest-api", region=region, rest_api_id=api["id"]),
        )
        async for page in _pages(aws, "apigateway", region, "get_rest_apis", cursor="position")
        for api in page.get("items", [])
    ]


async def functions(aws: AwsClient, region: str, name: str) -> list[Found]:
    """The function of that name, when there is one."""
    try:
        response = await aws.call("lambda", region, "get_function", FunctionName=name)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return []
        raise
    fix = aws_line("lambda delete-function", region=region, function_name=name)
    show = aws_line("lambda get-function", region=region, function_name=name)
    about = response.get("Configuration", {})
    size = f"{about.get('CodeSize', 0):,} bytes of code"
    changed = _moment(about.get("LastModified"))
    return [Found("function", name, region, name, dict(response.get("Tags") or {}), fix, show, changed, size)]


async def delete_function(aws: AwsClient, region: str, name: str) -> None:
    """Delete a function; one that is gone already is fine."""
    try:
        await aws.call("lambda", region, "delete_function", FunctionName=name)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def tag_function(aws: AwsClient, account: str, region: str, name: str, tags: Mapping[str, str]) -> None:
    """Add tags to a function."""
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    await aws.call("lambda", region, "tag_resource", Resource=arn, Tags=dict(tags))


async def log_group_tags(aws: AwsClient, account: str, region: str, name: str) -> dict[str, str]:
    """The tags of a log group; none when it is gone."""
    try:
        response = await aws.call("logs", region, "list_tags_for_resource", resourceArn=_group_arn(account, region, name))
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise
    return dict(response.get("tags", {}))


async def tag_log_group(aws: AwsClient, account: str, region: str, name: str, tags: Mapping[str, str]) -> None:
    """Add tags to a log group."""
    await aws.call("logs", region, "tag_resource", resourceArn=_group_arn(account, region, name), tags=dict(tags))


async def log_groups(aws: AwsClient, region: str, prefix: str) -> list[Found]:
    """The log groups whose name begins with `prefix`."""
    return [
        Found(
            "log-group",
            group["logGroupName"],
            region,
            group["logGroupName"],
            None,
            aws_line("logs delete-log-group", region=region, log_group_name=group["logGroupName"]),
            aws_line("logs describe-log-groups", region=region, log_group_name_prefix=group["logGroupName"]),
            _moment(datetime.fromtimestamp(group["creationTime"] / 1000, UTC)) if "creationTime" in group else "",
            f"{group.get('storedBytes', 0):,} bytes",
        )
        async for page in _pages(aws, "logs", region, "describe_log_groups", cursor="nextToken", logGroupNamePrefix=prefix)
        for group in page.get("logGroups", [])
    ]


async def delete_log_group(aws: AwsClient, region: str, name: str) -> None:
    """Delete a log group; one that is gone already is fine."""
    try:
        await aws.call("logs", region, "delete_log_group", logGroupName=name)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def buckets(aws: AwsClient, region: str, name: str) -> list[Found]:
    """The bucket of that name, when there is one in this account."""
    tags = await bucket_tags(aws, region, name)
    if tags is None:
        return []
    show = aws_line("s3api list-object-versions", region=region, bucket=name)
    fix = command_line(["aws", "s3", "rb", f"s3://{name}", "--force", "--region", region])
    return [Found("bucket", name, region, name, tags, fix, show)]


async def tables(aws: AwsClient, region: str, name: str) -> list[Found]:
    """The DynamoDB table of that name, when there is one."""
    table = await describe_table(aws, region, name)
    if table is None:
        return []
    fix = aws_line("dynamodb delete-table", region=region, table_name=name)
    show = aws_line("dynamodb describe-table", region=region, table_name=name)
    size, tags = f"about {table.counted:,} items", await table_tags(aws, region, table.arn)
    return [Found("table", name, region, name, tags, fix, show, table.created_at, size)]


async def roles(aws: AwsClient, region: str, prefix: str) -> list[Found]:
    """The IAM roles whose name begins with `prefix`, with their tags. IAM is global: `region` only chooses whom to ask."""
    found = []
    async for page in _pages(aws, "iam", region, "list_roles", cursor="Marker"):
        for role in page.get("Roles", []):
            name = role["RoleName"]
            if name.startswith(prefix):
                tags = await _role_tags(aws, region, name)
                if tags is None:
                    continue
                fix, show = aws_line("iam delete-role", role_name=name), aws_line("iam get-role", role_name=name)
                found.append(Found("role", name, "global", name, tags, fix, show, _moment(role.get("CreateDate"))))
    return found


async def _role_tags(aws: AwsClient, region: str, name: str) -> dict[str, str] | None:
    """The tags of a role, or None when it went away since it was listed, with the stack of another region for instance."""
    try:
        response = await aws.call("iam", region, "list_role_tags", RoleName=name)
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    return {tag["Key"]: tag["Value"] for tag in response.get("Tags", [])}


def _group_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:logs:{region}:{account}:log-group:{name}"


def _moment(time: object) -> str:
    """A time as a service reports it (a date, or the text of one), ISO 8601 in UTC; empty for none."""
    if isinstance(time, str):
        with contextlib.suppress(ValueError):
            time = datetime.fromisoformat(time)
    return time.astimezone(UTC).isoformat(timespec="seconds") if isinstance(time, datetime) else ""


async def _pages(
    aws: AwsClient, service: str, region: str, operation: str, *, cursor: str, **parameters: str
) -> AsyncIterator[AwsResponse]:
    """The pages of a listing whose token has the same name in the request and in the response."""
    page: dict[str, str] = {}
    while True:
        response = await aws.call(service, region, operation, **parameters, **page)
        yield response
        if not response.get(cursor):
            return
        page = {cursor: response[cursor]}
