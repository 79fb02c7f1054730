"""S3 buckets as on AWS where MiniStack is lenient: who may read them, and what a stack does with them.

In: MiniStack's S3, its type in stacks. Out: a request without credentials, or with another expected owner, is refused unless the
bucket grants it; a bucket of a stack has the stack's tags and is deleted only when it is empty (docs/aws-behaviours.md,
sections 9 and 14).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import s3

from workshop.cloud.patches import patch_around, require_attributes
from workshop.cloud.stack_types import Properties, failed, handled, register, tags_of

__all__ = ["patch_buckets"]

KIND = "AWS::S3::Bucket"
EXPECTED = "x-amz-expected-bucket-owner"
OWNERSHIP = '<OwnershipControls xmlns="{space}"><Rule><ObjectOwnership>{value}</ObjectOwnership></Rule></OwnershipControls>'
ENCRYPTION = (
    '<ServerSideEncryptionConfiguration xmlns="{space}"><Rule><ApplyServerSideEncryptionByDefault>'
    "<SSEAlgorithm>{value}</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
)
NOT_EMPTY = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."


def patch_buckets() -> None:
    """Patch MiniStack's S3, and its type in stacks."""
    require_attributes(
        s3, "_bucket_owner_account", "_request_access_key", "_foreign_bucket_allows", "_error", "_buckets", "_bucket_tags"
    )
    require_attributes(s3, "_put_bucket_ownership_controls", "_put_bucket_encryption", "_delete_bucket", "S3_NS")
    patch_around(s3, "_apply_bucket_scope", _enter)
    register(
        KIND, create=_creating(handled(KIND, "create")), update=_updating(handled(KIND, "update")), delete=_delete, tags="Tags"
    )


def _enter(
    original: Callable[..., Any],
    method: str,
    bucket: str,
    key: str,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    body: bytes = b"",
    internal: bool = False,
) -> Any:
    """The refusal of a request to a bucket, or None."""
    owner = s3._bucket_owner_account(bucket) if bucket else None
    if owner is not None and not internal:
        anonymous = not s3._request_access_key(method, key, headers, query, body)
        denied = anonymous and not s3._foreign_bucket_allows(owner, bucket, key, method, query, "", headers)
        if denied or headers.get(EXPECTED, owner) != owner:
            return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}" if key else f"/{bucket}")
    return original(method, bucket, key, headers, query, body, internal)


def _creating(original: Callable[..., Any]) -> Callable[[str, Properties, str], tuple[str, Properties]]:
    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        found: tuple[str, Properties] = original(logical_id, properties, stack)
        _configure(found[0], properties)
        return found

    return create


def _updating(original: Callable[..., Any]) -> Callable[[str, Properties, Properties, str, str | None], tuple[str, Properties]]:
    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None) -> tuple[str, Properties]:
        del logical_id  # MiniStack takes the name for it
        found: tuple[str, Properties] = original(physical_id, old, new, stack)
        _configure(found[0], new)
        return found

    return update


def _configure(bucket: str, properties: Properties) -> None:
    """What MiniStack leaves out of a bucket's properties."""
    s3._bucket_tags[bucket] = tags_of(properties)
    for rule in (properties.get("OwnershipControls") or {}).get("Rules") or ():
        _put(s3._put_bucket_ownership_controls, bucket, OWNERSHIP, rule.get("ObjectOwnership"))
    for rule in (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or ():
        _put(s3._put_bucket_encryption, bucket, ENCRYPTION, (rule.get("ServerSideEncryptionByDefault") or {}).get("SSEAlgorithm"))


def _put(operation: Callable[[str, bytes], tuple[int, Any, Any]], bucket: str, form: str, value: Any) -> None:
    status, _, _ = operation(bucket, form.format(space=s3.S3_NS, value=value).encode())
    if status >= 400:
        raise failed("S3", f"{value!r} is not valid", status=status)


def _delete(bucket: str, _: Properties) -> None:
    if bucket in s3._buckets and s3._delete_bucket(bucket)[0] >= 400:
        raise failed("S3", NOT_EMPTY, status=409, code="GeneralServiceException")
