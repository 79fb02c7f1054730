"""S3 buckets as the steps need them: their tags, what is in them, what is put in and taken out.

In: an `AwsClient`, the bucket's region and name. Out: plain values. Every request names the account as the expected owner: a
bucket that was deleted can be made again by another account under its name. CloudFormation cannot empty one
(docs/aws-behaviours.md, section 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.errors import WorkshopError
from workshop.shell import aws_line

__all__ = [
    "StoredObject",
    "bucket_region",
    "bucket_tags",
    "delete_objects",
    "empty_bucket",
    "list_buckets",
    "list_objects",
    "object_text",
    "put_object",
]

MOST_KEYS = 1000
"""Keys of one DeleteObjects."""
MOST_TEXT = 1_000_000
"""Bytes of a text that is read out of a bucket."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The current version of an object. `etag` is the MD5 of its content in hexadecimal, where the bucket encrypts with S3's own
    key and it was uploaded in one part (section 14)."""

    key: str
    etag: str
    size: int


async def list_buckets(aws: AwsClient, region: str, prefix: str = "") -> list[str]:
    """The names of the account's buckets, of all regions, that begin with `prefix`."""
    found: list[str] = []
    page: dict[str, str] = {}
    while True:
        response = await aws.call("s3", region, "list_buckets", **page)
        found += [bucket["Name"] for bucket in response.get("Buckets", []) if bucket["Name"].startswith(prefix)]
        if not response.get("ContinuationToken"):
            return found
        page = {"ContinuationToken": response["ContinuationToken"]}


async def bucket_region(aws: AwsClient, region: str, bucket: str) -> str:
    """The region that a bucket of this account is in; raises `AwsError` when it is gone. `region` is any of the account's."""
    response = await aws.call("s3", region, "get_bucket_location", Bucket=bucket, ExpectedBucketOwner=aws.account)
    return str(response.get("LocationConstraint") or "us-east-1")


async def bucket_tags(aws: AwsClient, region: str, bucket: str) -> dict[str, str] | None:
    """The tags of a bucket of this account; None when there is no such bucket."""
    try:
        response = await aws.call("s3", region, "get_bucket_tagging", Bucket=bucket, ExpectedBucketOwner=aws.account)
    except AwsError as error:
        if error.code == "NoSuchBucket":
            return None
        if error.code != "NoSuchTagSet":
            raise
        return {}
    return {tag["Key"]: tag["Value"] for tag in response.get("TagSet", [])}


async def list_objects(aws: AwsClient, region: str, bucket: str) -> dict[str, StoredObject]:
    """What the bucket shows, by key; nothing for a bucket that is gone."""
    found: dict[str, StoredObject] = {}
    page: dict[str, str] = {}
    while True:
        try:
            response = await aws.call("s3", region, "list_objects_v2", Bucket=bucket, ExpectedBucketOwner=aws.account, **page)
        except AwsError as error:
            if error.code == "NoSuchBucket":
                return {}
            raise
        for each in response.get("Contents", []):
            found[each["Key"]] = StoredObject(each["Key"], str(each["ETag"]).strip('"'), int(each["Size"]))
        if not response.get("NextContinuationToken"):
            return found
        page = {"ContinuationToken": response["NextContinuationToken"]}


async def object_text(aws: AwsClient, region: str, bucket: str, key: str) -> str | None:
    """The content of an object as text, at most `MOST_TEXT` bytes of it; None when there is no such object."""
    try:
        response = await aws.call("s3", region, "get_object", Bucket=bucket, Key=key, ExpectedBucketOwner=aws.account)
    except AwsError as error:
        if error.code in ("NoSuchKey", "NoSuchBucket"):
            return None
        raise
    return bytes(response["Body"].read(MOST_TEXT)).decode("utf-8", "replace")


async def put_object(
    aws: AwsClient, region: str, bucket: str, key: str, body: bytes, *, content_type: str, cache_control: str
) -> None:
    """Upload one object, in one part."""
    await aws.call(
        "s3",
        region,
        "put_object",
        Bucket=bucket,
        Key=key,
        Body=body,
        ContentType=content_type,
        CacheControl=cache_control,
        ExpectedBucketOwner=aws.account,
    )


async def delete_objects(aws: AwsClient, region: str, bucket: str, keys: Iterable[str]) -> None:
    """Delete the current versions of these keys; raises `WorkshopError` for the first one that S3 refuses."""
    entries = [{"Key": key} for key in keys]
    for start in range(0, len(entries), MOST_KEYS):
        await _delete(aws, region, bucket, entries[start : start + MOST_KEYS])


async def empty_bucket(aws: AwsClient, region: str, bucket: str) -> int:
    """Delete everything in the bucket, versions, delete markers and unfinished uploads, and return how many of the first two that
    were; a bucket that is gone is empty."""
    deleted = 0
    try:
        while batch := await _some(aws, region, bucket):
            await _delete(aws, region, bucket, batch)
            deleted += len(batch)
        while uploads := await _uploads(aws, region, bucket):
            for upload in uploads:
                await _abort(aws, region, bucket, upload)
    except AwsError as error:
        if error.code != "NoSuchBucket":
            raise
    return deleted


async def _delete(aws: AwsClient, region: str, bucket: str, batch: list[dict[str, str]]) -> None:
    response = await aws.call(
        "s3",
        region,
        "delete_objects",
        Bucket=bucket,
        Delete={"Objects": batch, "Quiet": True},
        ExpectedBucketOwner=aws.account,
    )
    refused = response.get("Errors", [])
    if refused:
        first = refused[0]
        key, version = str(first.get("Key")), first.get("VersionId")
        named = {"bucket": bucket, "key": key, **({"version_id": str(version)} if version else {})}
        raise WorkshopError(
            what=f"S3 does not delete {key}{f' (version {version})' if version else ''} in the bucket {bucket}.",
            why=str(first.get("Message")),
            fix=f"Remove the cause, then run the command again, or: {aws_line('s3api delete-object', region=region, **named)}",
            code=str(first.get("Code", "")),
        )


async def _some(aws: AwsClient, region: str, bucket: str) -> list[dict[str, str]]:
    response = await aws.call(
        "s3", region, "list_object_versions", Bucket=bucket, MaxKeys=MOST_KEYS, ExpectedBucketOwner=aws.account
    )
    return list(_identified(response))


def _identified(response: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for kind in ("Versions", "DeleteMarkers"):
        for entry in response.get(kind, []):
            yield {"Key": entry["Key"], "VersionId": entry["VersionId"]}


async def _uploads(aws: AwsClient, region: str, bucket: str) -> list[dict[str, str]]:
    response = await aws.call("s3", region, "list_multipart_uploads", Bucket=bucket, ExpectedBucketOwner=aws.account)
    return [{"Key": upload["Key"], "UploadId": upload["UploadId"]} for upload in response.get("Uploads", [])]


async def _abort(aws: AwsClient, region: str, bucket: str, upload: Mapping[str, str]) -> None:
    """One that is gone already is fine."""
    try:
        await aws.call("s3", region, "abort_multipart_upload", Bucket=bucket, ExpectedBucketOwner=aws.account, **upload)
    except AwsError as error:
        if error.code != "NoSuchUpload":
            raise
