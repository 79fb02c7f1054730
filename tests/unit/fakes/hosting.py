"""S3 and CloudFront as the steps call them: buckets with versions, distributions with tags, invalidations that take their time.

In: calls under their botocore names. Out: responses in botocore's form, or `AwsError` with AWS's own codes. Every request to a
bucket has to name the account as its expected owner.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError

__all__ = ["FakeBucket", "FakeDistribution", "FakeHosting"]

DONE_AFTER = 30.0
PER_PAGE = 2
"""So that every listing of a test has several pages."""


@dataclass
class Version:
    """One version of an object, or a delete marker."""

    key: str
    id: str
    body: bytes | None
    content_type: str = ""
    cache_control: str = ""


@dataclass
class FakeBucket:
    """A versioned bucket; the last version of a key is its current one."""

    region: str = "us-west-2"
    tags: dict[str, str] = field(default_factory=dict)
    owner: str = "111122223333"
    versions: list[Version] = field(default_factory=list)
    uploads: list[tuple[str, str]] = field(default_factory=list)
    """Key and id of unfinished multipart uploads."""

    def current(self) -> dict[str, Version]:
        last = {version.key: version for version in self.versions}
        return {key: version for key, version in sorted(last.items()) if version.body is not None}


@dataclass
class FakeDistribution:
    """`invalidations`: paths and the second at which they are done, by id."""

    host: str
    tags: dict[str, str] = field(default_factory=dict)
    enabled: bool = True
    invalidations: dict[str, tuple[list[str], float]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)


class FakeHosting:
    """What hosts pages in one account. A test fills `buckets`, `distributions`, `controls` and `policies`."""

    def __init__(self, clock: VirtualClock, account: str) -> None:
        self._clock, self._account, self._numbers = clock, account, itertools.count(1)
        self.buckets: dict[str, FakeBucket] = {}
        self.distributions: dict[str, FakeDistribution] = {}
        self.undeletable: set[str] = set()
        """Keys of objects that S3 does not delete."""
        self.controls: dict[str, tuple[str, str]] = {}
        """Name and description by id."""
        self.policies: dict[str, tuple[str, str]] = {}
        """Name and comment by id."""

    def put(self, bucket: str, key: str, body: str = "", **more: str) -> None:
        """An object, or another version of it."""
        found = self.buckets[bucket]
        found.versions.append(Version(key, f"v{next(self._numbers)}", body.encode(), **more))

    # S3.

    def list_buckets(self, region: str) -> dict[str, Any]:
        return {"Buckets": [{"Name": name} for name in sorted(self.buckets)]}

    def get_bucket_location(self, region: str, Bucket: str, ExpectedBucketOwner: str) -> dict[str, Any]:
        found = self._bucket(Bucket, ExpectedBucketOwner)
        return {"LocationConstraint": None if found.region == "us-east-1" else found.region}

    def get_bucket_tagging(self, region: str, Bucket: str, ExpectedBucketOwner: str) -> dict[str, Any]:
        tags = self._bucket(Bucket, ExpectedBucketOwner).tags
        if not tags:
            _refuse("NoSuchTagSet", "s3", 404)
        return {"TagSet": _rows(tags)}

    def list_objects_v2(self, region: str, Bucket: str, ExpectedBucketOwner: str, ContinuationToken: str = "") -> dict[str, Any]:
        current = [v for v in self._bucket(Bucket, ExpectedBucketOwner).current().values() if v.key > ContinuationToken]
        shown = [{"Key": v.key, "ETag": f'"{_md5(v.body or b"")}"', "Size": len(v.body or b"")} for v in current[:PER_PAGE]]
        more = {"NextContinuationToken": shown[-1]["Key"]} if len(current) > PER_PAGE else {}
        return {"Contents": shown, **more}

    def put_object(
        self,
        region: str,
        Bucket: str,
        Key: str,
        Body: bytes,
        ContentType: str,
        CacheControl: str,
        ExpectedBucketOwner: str,
    ) -> dict[str, Any]:
        found = self._bucket(Bucket, ExpectedBucketOwner)
        found.versions.append(Version(Key, f"v{next(self._numbers)}", Body, ContentType, CacheControl))
        return {}

    def delete_objects(self, region: str, Bucket: str, Delete: dict[str, Any], ExpectedBucketOwner: str) -> dict[str, Any]:
        found = self._bucket(Bucket, ExpectedBucketOwner)
        refused = [each for each in Delete["Objects"] if each["Key"] in self.undeletable]
        if refused:
            return {"Errors": [{**each, "Code": "AccessDenied", "Message": "Access Denied"} for each in refused]}
        for each in Delete["Objects"]:
            if "VersionId" in each:
                found.versions = [v for v in found.versions if (v.key, v.id) != (each["Key"], each["VersionId"])]
            else:
                found.versions.append(Version(each["Key"], f"v{next(self._numbers)}", None))
        return {}

    def list_object_versions(self, region: str, Bucket: str, MaxKeys: int, ExpectedBucketOwner: str) -> dict[str, Any]:
        shown = self._bucket(Bucket, ExpectedBucketOwner).versions[:PER_PAGE]
        rows = [({"Key": v.key, "VersionId": v.id}, v.body is None) for v in shown]
        return {
            "Versions": [row for row, is_marker in rows if not is_marker],
            "DeleteMarkers": [row for row, is_marker in rows if is_marker],
        }

    def list_multipart_uploads(self, region: str, Bucket: str, ExpectedBucketOwner: str) -> dict[str, Any]:
        uploads = self._bucket(Bucket, ExpectedBucketOwner).uploads[:PER_PAGE]
        return {"Uploads": [{"Key": key, "UploadId": name} for key, name in uploads]}

    def abort_multipart_upload(
        self, region: str, Bucket: str, Key: str, UploadId: str, ExpectedBucketOwner: str
    ) -> dict[str, Any]:
        found = self._bucket(Bucket, ExpectedBucketOwner)
        if (Key, UploadId) not in found.uploads:
            _refuse("NoSuchUpload", "s3", 404)
        found.uploads.remove((Key, UploadId))
        return {}

    # CloudFront.

    def list_distributions(self, region: str, Marker: str = "") -> dict[str, Any]:
        items = [
            {"Id": name, "DomainName": each.host, "Enabled": each.enabled} for name, each in sorted(self.distributions.items())
        ]
        return {"DistributionList": _page(items, Marker)}

    def list_tags_for_resource(self, region: str, Resource: str) -> dict[str, Any]:
        name = Resource.rpartition("/")[2]
        if name not in self.distributions:
            _refuse("NoSuchResource", "cloudfront", 404)
        return {"Tags": {"Items": _rows(self.distributions[name].tags)}}

    def list_origin_access_controls(self, region: str, Marker: str = "") -> dict[str, Any]:
        items = [{"Id": i, "Name": name, "Description": text} for i, (name, text) in sorted(self.controls.items())]
        return {"OriginAccessControlList": _page(items, Marker)}

    def list_response_headers_policies(self, region: str, Type: str, Marker: str = "") -> dict[str, Any]:
        assert Type == "custom", "AWS's own are nobody's leftovers"
        items = [
            {"ResponseHeadersPolicy": {"Id": i, "ResponseHeadersPolicyConfig": {"Name": name, "Comment": text}}}
            for i, (name, text) in sorted(self.policies.items())
        ]
        return {"ResponseHeadersPolicyList": _page(items, Marker, ("ResponseHeadersPolicy", "Id"))}

    def create_invalidation(self, region: str, DistributionId: str, InvalidationBatch: dict[str, Any]) -> dict[str, Any]:
        found, reference = self.distributions[DistributionId], InvalidationBatch["CallerReference"]
        paths = InvalidationBatch["Paths"]["Items"]
        assert InvalidationBatch["Paths"]["Quantity"] == len(paths) > 0
        if reference not in found.references:
            found.references[reference] = name = f"I{next(self._numbers)}"
            found.invalidations[name] = (list(paths), self._clock.monotonic() + DONE_AFTER)
        return {"Invalidation": {"Id": found.references[reference], "Status": "InProgress"}}

    def get_invalidation(self, region: str, DistributionId: str, Id: str) -> dict[str, Any]:
        found = self.distributions[DistributionId].invalidations
        if Id not in found:
            _refuse("NoSuchInvalidation", "cloudfront", 404)
        done = self._clock.monotonic() >= found[Id][1]
        return {"Invalidation": {"Id": Id, "Status": "Completed" if done else "InProgress"}}

    def _bucket(self, name: str, owner: str) -> FakeBucket:
        if name not in self.buckets:
            _refuse("NoSuchBucket", "s3", 404)
        if self.buckets[name].owner != owner:
            _refuse("AccessDenied", "s3", 403)
        return self.buckets[name]


def _page(items: list[dict[str, Any]], marker: str, key: tuple[str, ...] = ("Id",)) -> dict[str, Any]:
    def name(item: dict[str, Any]) -> str:
        for part in key:
            item = item[part]
        return str(item)

    rest = [item for item in items if name(item) > marker]
    return {"Items": rest[:1], **({"NextMarker": name(rest[0])} if len(rest) > 1 else {})}


def _rows(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _refuse(code: str, service: str, status: int) -> NoReturn:
    raise AwsError(code, "", service=service, operation="call", region="us-west-2", status=status)
