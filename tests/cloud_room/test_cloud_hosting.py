"""Pages in a bucket behind a distribution, by the stack of wild-rydes: who may read what, and what a removal refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, refused
from workshop.aws.target import Target
from workshop.cloud import daemon
from workshop.definition.files import DefinitionFiles
from workshop.definition.filters import ORIGIN

ROOT = Path(__file__).parents[2]
NAME = "rydes-hosting"
TAGS = {"workshop": "wild-rydes", "workshop:step": "hosting"}
OTHER_ACCOUNT = "222222222222"


class Hosted:
    """The stack, with its outputs, and what it serves."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.gateway = cloud, cloud.state.endpoint.removeprefix("http://")
        self.stacks, self.s3 = cloud.client("cloudformation", "eu-west-1"), cloud.client("s3", "eu-west-1")
        tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
        self.stacks.create_stack(StackName=NAME, TemplateBody=self.template(), Tags=tags)
        eventually(lambda: self.status() == "CREATE_COMPLETE")
        (stack,) = self.stacks.describe_stacks(StackName=NAME)["Stacks"]
        self.id = stack["StackId"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self.bucket = self.outputs["BucketName"]
        self.host = self.outputs["DistributionHost"].replace(".net", ".localhost") + ":" + self.gateway.rpartition(":")[2]

    def template(self) -> str:
        target = Target("local", Path("/nonexistent"), gateway=self.gateway, serves_sites=True)
        variables = {
            "workshop": "wild-rydes",
            "account": daemon.ACCOUNT,
            "stack": "rydes",
            "identity_region": "eu-central-1",
            "signin_prefix": "",
            "signin_host": "",
            "regions": ["eu-west-1", "ap-southeast-1"],
            "zone_name": "rydes.localhost",
            "delegated": True,
            ORIGIN: target.origin,
        }
        files = DefinitionFiles(ROOT / "templates" / "wild-rydes")
        return files.render("hosting.yaml.j2", variables)

    def status(self) -> str:
        return str(self.stacks.describe_stacks(StackName=getattr(self, "id", NAME))["Stacks"][0]["StackStatus"])

    def upload(self, key: str, body: str, content_type: str = "text/html; charset=utf-8") -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode(), ContentType=content_type, CacheControl="no-cache")

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.cloud.http(path, headers={"Host": self.host, **headers})


@pytest.fixture(scope="module")
def hosted(shared: Cloud) -> Hosted:
    found = Hosted(shared)
    found.upload("index.html", "<p>tickets</p>")
    found.upload("scripts/app.js", "run()", "text/javascript; charset=utf-8")
    return found


def test_the_distribution_serves_its_default_page_with_type_and_headers(hosted: Hosted) -> None:
    status, headers, body = hosted.get("/")
    assert (status, body) == (200, b"<p>tickets</p>")
    assert headers["content-type"] == "text/html; charset=utf-8" and headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert hosted.get("/scripts/app.js")[1]["content-type"] == "text/javascript; charset=utf-8"


def test_the_policy_of_the_pages_names_the_apis_the_names_and_the_sign_in_host(hosted: Hosted) -> None:
    policy = dict(part.strip().split(" ", 1) for part in hosted.get("/")[1]["content-security-policy"].split(";"))
    port = hosted.gateway.rpartition(":")[2]
    assert policy["connect-src"].split() == [
        "'self'",
        f"http://rydes-{daemon.ACCOUNT}.auth.eu-central-1.localhost:{port}",
        f"http://*.execute-api.eu-west-1.localhost:{port}",
        f"http://*.execute-api.ap-southeast-1.localhost:{port}",
        f"http://*.rydes.localhost:{port}",
    ]
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == "'self'"


def test_a_page_that_does_not_exist_is_forbidden_and_no_other_method_is_taken(hosted: Hosted) -> None:
    assert hosted.get("/none.html")[0] == 403
    assert hosted.cloud.http("/index.html", method="POST", headers={"Host": hosted.host}, body=b"x")[0] == 403


def test_a_person_who_follows_a_link_is_served_in_a_browser(hosted: Hosted) -> None:
    fetched = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}
    assert hosted.get("/index.html?code=1&state=2", **fetched)[0] == 200


def test_nobody_reads_the_bucket_itself_without_credentials_or_with_another_accounts(hosted: Hosted) -> None:
    path = f"/{hosted.bucket}/index.html"
    assert hosted.cloud.http(path)[0] == hosted.cloud.http(f"/{hosted.bucket}")[0] == 403
    other = hosted.cloud.client("s3", "eu-west-1", OTHER_ACCOUNT)
    assert refused(lambda: other.get_object(Bucket=hosted.bucket, Key="index.html"))[0] in ("AccessDenied", "403")
    mine = hosted.s3.get_object(Bucket=hosted.bucket, Key="index.html", ExpectedBucketOwner=daemon.ACCOUNT)
    assert mine["Body"].read() == b"<p>tickets</p>"
    expected = refused(lambda: hosted.s3.get_object(Bucket=hosted.bucket, Key="index.html", ExpectedBucketOwner=OTHER_ACCOUNT))
    assert expected[0] == "AccessDenied"
    address = hosted.s3.generate_presigned_url("get_object", Params={"Bucket": hosted.bucket, "Key": "index.html"})
    assert hosted.cloud.http(address.removeprefix(hosted.cloud.state.endpoint))[0] == 200, "a signed request is no stranger's"


def test_another_distribution_does_not_read_the_bucket(hosted: Hosted) -> None:
    client = hosted.cloud.client("cloudfront")
    config = client.get_distribution(Id=hosted.outputs["DistributionId"])["Distribution"]["DistributionConfig"]
    other = client.create_distribution(DistributionConfig={**config, "CallerReference": "another"})["Distribution"]
    host = other["DomainName"].replace(".net", ".localhost")
    eventually(lambda: client.get_distribution(Id=other["Id"])["Distribution"]["Status"] == "Deployed")
    assert hosted.cloud.http("/index.html", headers={"Host": host})[0] == 403


def test_bucket_and_distribution_have_the_tags_of_their_stack_and_what_the_template_says(hosted: Hosted) -> None:
    tags = {each["Key"]: each["Value"] for each in hosted.s3.get_bucket_tagging(Bucket=hosted.bucket)["TagSet"]}
    assert tags.items() >= TAGS.items()
    arn = f"arn:aws:cloudfront::{daemon.ACCOUNT}:distribution/{hosted.outputs['DistributionId']}"
    found = hosted.cloud.client("cloudfront").list_tags_for_resource(Resource=arn)["Tags"]["Items"]
    assert {each["Key"]: each["Value"] for each in found}.items() >= TAGS.items()
    assert all(hosted.s3.get_public_access_block(Bucket=hosted.bucket)["PublicAccessBlockConfiguration"].values())
    rules = hosted.s3.get_bucket_ownership_controls(Bucket=hosted.bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert hosted.s3.get_bucket_versioning(Bucket=hosted.bucket)["Status"] == "Enabled"
    assert hosted.bucket.startswith(f"{NAME}-bucket-"), "a name that CloudFormation makes up"


def test_the_template_has_no_statement_for_every_action_or_every_resource(hosted: Hosted) -> None:
    policy = json.loads(hosted.s3.get_bucket_policy(Bucket=hosted.bucket)["Policy"])
    statement: dict[str, Any]
    (statement,) = policy["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("s3:GetObject", f"arn:aws:s3:::{hosted.bucket}/*")
    assert statement["Condition"]["StringEquals"]["AWS:SourceArn"].endswith(hosted.outputs["DistributionId"])


def test_a_stack_whose_bucket_holds_something_is_not_deleted_until_it_is_emptied(hosted: Hosted) -> None:
    """Last: it removes the stack of the others."""
    hosted.stacks.delete_stack(StackName=NAME)
    eventually(lambda: hosted.status() == "DELETE_FAILED")
    reasons = [e.get("ResourceStatusReason", "") for e in hosted.stacks.describe_stack_events(StackName=hosted.id)["StackEvents"]]
    assert any("not empty" in reason for reason in reasons)
    versions = hosted.s3.list_object_versions(Bucket=hosted.bucket)["Versions"]
    for each in versions:
        hosted.s3.delete_object(Bucket=hosted.bucket, Key=each["Key"], VersionId=each["VersionId"])
    hosted.stacks.delete_stack(StackName=NAME)
    eventually(lambda: hosted.status() == "DELETE_COMPLETE")
    assert hosted.bucket not in [each["Name"] for each in hosted.s3.list_buckets()["Buckets"]]
    assert hosted.cloud.client("cloudfront").list_origin_access_controls()["OriginAccessControlList"].get("Items", []) == []
