"""Empties S3 buckets, which CloudFormation cannot (docs/aws-behaviours.md, section 9).

In: an `AwsClient`, a region, a name. Out: how many objects were deleted: versions, delete markers, unfinished uploads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.errors import WorkshopError
from workshop.shell import command_line

__all__ = ["empty_bucket"]

MOST_KEYS = 1000
"""Keys of one DeleteObjects."""


async def empty_bucket(aws: AwsClient, region: str, bucket: str) -> int:
    """Delete everything in the bucket and return how many objects that were; a bucket that is gone is empty."""
    deleted = 0
    try:
        while batch := await _some(aws, region, bucket):
            response = await aws.call("s3", region, "delete_objects", Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            refused = response.get("Errors", [])
            if refused:
                first = refused[0]
                raise WorkshopError(
                    what=f"The bucket {bucket} cannot be emptied.",
                    why=f"{first.get('Key')}: {first.get('Message')}",
                    fix=command_line(["aws", "s3", "rm", "--recursive", f"s3://{bucket}"]),
                    code=str(first.get("Code", "")),
                )
            deleted += len(batch)
        for upload in await _uploads(aws, region, bucket):
            await aws.call("s3", region, "abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except AwsError as error:
        if error.code != "NoSuchBucket":
            raise
    return deleted


async def _some(aws: AwsClient, region: str, bucket: str) -> list[dict[str, str]]:
    response = await aws.call("s3", region, "list_object_versions", Bucket=bucket, MaxKeys=MOST_KEYS)
    return list(_identified(response))


def _identified(response: dict[str, Any]) -> Iterator[dict[str, str]]:
    for kind in ("Versions", "DeleteMarkers"):
        for entry in response.get(kind, []):
            yield {"Key": entry["Key"], "VersionId": entry["VersionId"]}


async def _uploads(aws: AwsClient, region: str, bucket: str) -> list[dict[str, str]]:
    response = await aws.call("s3", region, "list_multipart_uploads", Bucket=bucket)
    return [{"Key": upload["Key"], "UploadId": upload["UploadId"]} for upload in response.get("Uploads", [])]
