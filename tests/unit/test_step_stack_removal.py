"""What `cloudformation.stack` takes away, what it leaves to others, and what it names as left, in virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import HOME, OURS, StepSandbox
from tests.unit.fakes.hosting import FakeBucket, FakeDistribution
from tests.unit.fakes.stack_step import LOGS, STEP, asked, maker, standing
from workshop.aws.errors import AwsError
from workshop.errors import DefinitionError, WorkshopError
from workshop.steps.base import Phase, State
from workshop.steps.cloudformation.template import declared


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


@pytest.fixture
def make(sandbox, tmp_path: Path):
    """Makes the step's context."""
    return maker(sandbox, tmp_path)


@pytest.mark.parametrize("code", ["AccessDenied", "LimitExceededException"])
async def test_a_stack_that_aws_refused_makes_no_log_group_ours(sandbox, make, code):
    sandbox.aws.refuse("create_stack", HOME, refusal(code, "no"))
    with pytest.raises(AwsError):
        await STEP.create(make())
    sandbox.aws.remains.log_groups.add(LOGS)
    await STEP.destroy(make())
    assert LOGS in sandbox.aws.remains.log_groups
    with pytest.raises(WorkshopError, match="in the way"):
        await STEP.create(make())
    assert LOGS in sandbox.aws.remains.log_groups and asked(sandbox, "create_stack") == 1


async def test_a_creation_whose_answer_never_came_may_have_made_log_groups(sandbox, make):
    sandbox.aws.refuse("create_stack", HOME, refusal("NoAnswer", status=0))
    with pytest.raises(AwsError):
        await STEP.create(make())
    sandbox.aws.remains.log_groups.add(LOGS)
    await STEP.destroy(make())
    assert LOGS not in sandbox.aws.remains.log_groups


async def test_a_refused_repetition_does_not_disown_what_the_first_stack_left(sandbox, make):
    sandbox.aws.cloudformation.create_fails = [("Handler", "AWS::Lambda::Function", "no")]
    with pytest.raises(WorkshopError):
        await STEP.create(make())
    sandbox.aws.refuse("create_stack", HOME, refusal("AccessDenied", "no"))
    with pytest.raises(AwsError):
        await STEP.create(make())
    sandbox.aws.remains.log_groups.add(LOGS)
    await STEP.destroy(make())
    assert sandbox.aws.remains.log_groups == set()


@pytest.mark.parametrize("remembered", [True, False])
async def test_a_later_run_claims_no_log_group_of_a_stack_that_an_earlier_one_saw_gone(sandbox, make, remembered):
    outputs = await STEP.create(make())
    known = dict(outputs) if remembered else {}
    await STEP.destroy(make(known=known))
    sandbox.aws.remains.log_groups.add(LOGS)
    later = dataclasses.replace(make(known=known), run="run-3")
    assert [r.why for r in await STEP.leftovers(later)] == ["not made by this workshop: left alone"]
    await STEP.destroy(later)
    assert LOGS in sandbox.aws.remains.log_groups


async def test_a_log_group_is_left_alone_while_a_strangers_function_writes_into_it(sandbox, make):
    await STEP.create(make())
    await STEP.destroy(make())
    sandbox.aws.remains.log_groups.add(LOGS)
    sandbox.aws.remains.functions[HOME, "films-dev"] = {"owner": "somebody"}
    await STEP.destroy(make())
    assert LOGS in sandbox.aws.remains.log_groups
    assert not any(r.ours for r in await STEP.leftovers(make()))
    with pytest.raises(WorkshopError, match="in the way"):
        await STEP.create(make())
    sandbox.aws.remains.functions[HOME, "films-dev"] = dict(OURS)
    await STEP.destroy(make())
    assert LOGS not in sandbox.aws.remains.log_groups


KEPT = [("AWS::S3::Bucket", "films-kept"), ("AWS::DynamoDB::Table", "films-table"), ("AWS::SNS::Topic", "arn:topic")]


async def test_what_a_deleted_stack_kept_is_named_until_it_is_gone(sandbox, make):
    stack = standing(sandbox, retains=list(KEPT))
    sandbox.aws.hosting.buckets["films-kept"] = FakeBucket()
    sandbox.aws.dynamodb.put(HOME, "films-table")
    ctx = make(known={"StackId": stack.id})
    await STEP.destroy(ctx)
    for _ in range(2):
        left = {r.kind: r for r in await STEP.leftovers(ctx)}
        assert {"bucket", "table", "AWS::SNS::Topic"} == set(left)
        assert "aws s3 rb s3://films-kept" in left["bucket"].fix and "delete-table" in left["table"].fix
        assert "arn:topic" in left["AWS::SNS::Topic"].fix and "aws " not in left["AWS::SNS::Topic"].fix
        assert left["bucket"].ours and left["table"].ours
        assert not left["AWS::SNS::Topic"].ours, "nobody could ever say that it is gone"
    del sandbox.aws.hosting.buckets["films-kept"]
    sandbox.aws.dynamodb.remove(HOME, "films-table")
    assert [r.kind for r in await STEP.leftovers(dataclasses.replace(ctx, run="run-3"))] == ["AWS::SNS::Topic"]


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("DeletionPolicy: Retain, ", "its template says Retain"),
        ("UpdateReplacePolicy: Retain, ", "its template says Retain"),
        ("DeletionPolicy: Delete, ", "its stack is deleted and left it behind"),
        ("", "its stack is deleted and left it behind"),
    ],
)
async def test_only_what_its_template_says_to_retain_is_called_retained(sandbox, make, policy, why):
    template = f"Resources:\n  films-kept: {{Type: AWS::S3::Bucket, {policy}Properties: {{BucketName: films-kept}}}}\n"
    stack = standing(sandbox, retains=[("AWS::S3::Bucket", "films-kept")], template=template)
    sandbox.aws.hosting.buckets["films-kept"] = FakeBucket()
    ctx = make(known={"StackId": stack.id})
    await STEP.destroy(ctx)
    (left,) = await STEP.leftovers(ctx)
    assert left.why.endswith(why) and left.ours


async def test_two_apis_of_one_name_are_two_leftovers_each_with_its_own_command(sandbox, make):
    sandbox.aws.remains.apis |= {(HOME, "api1"): ("films", dict(OURS)), (HOME, "api2"): ("films", dict(OURS))}
    template = "Resources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: films}}\n"
    left = await STEP.leftovers(make(template=template))
    assert [r.fix.rsplit(" ", 1)[1] for r in left] == ["api1", "api2"]
    assert len({r.identity for r in left}) == 2 and len({r.label for r in left}) == 1


async def test_what_a_stack_kept_is_named_by_a_machine_that_did_not_make_it(sandbox, make):
    standing(sandbox, "DELETE_COMPLETE", retains=[("AWS::S3::Bucket", "an-older-one")])
    standing(sandbox, retains=[("AWS::S3::Bucket", "films-kept")])
    sandbox.aws.hosting.buckets |= {"films-kept": FakeBucket(), "an-older-one": FakeBucket()}
    await STEP.destroy(make())
    assert [(r.kind, r.name) for r in await STEP.leftovers(make())] == [("bucket", "films-kept")]


async def test_buckets_and_tables_are_found_by_the_names_of_the_template(sandbox, make):
    template = """\
Resources:
  Kept: {Type: AWS::S3::Bucket, Properties: {BucketName: films-kept}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: films-table}}
"""
    sandbox.aws.hosting.buckets["films-kept"] = FakeBucket(tags=dict(OURS))
    sandbox.aws.dynamodb.put(HOME, "films-table")
    found = {(r.kind, r.name, r.ours) for r in await STEP.leftovers(make(template=template))}
    assert found == {("bucket", "films-kept", True), ("table", "films-table", False)}


EDGE = """\
Resources:
  Domain: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: api.films.example}}
  Certificate: {Type: AWS::CertificateManager::Certificate, Properties: {DomainName: api.films.example}}
"""


async def test_custom_domains_and_certificates_are_found_by_their_names_in_the_region(sandbox, make):
    remains = sandbox.aws.remains
    remains.domains = {(HOME, "api.films.example"): dict(OURS), ("eu-west-1", "api.films.example"): dict(OURS)}
    arns = [f"arn:aws:acm:{region}:111122223333:certificate/{n}" for n, region in enumerate((HOME, HOME, HOME, "eu-west-1"))]
    names = ("api.films.example", "api.films.example", "other", "api.films.example")
    remains.certificates = {(arn.split(":")[3], arn): (name, "_x") for arn, name in zip(arns, names, strict=True)}
    remains.certificate_tags = {arn: dict(OURS) for arn in (arns[0], *arns[2:])}
    left = {(r.kind, r.id or r.name): r for r in await STEP.leftovers(make(template=EDGE))}
    assert {key: r.ours for key, r in left.items()} == {
        ("custom-domain", "api.films.example"): True,
        ("certificate", arns[0]): True,
        ("certificate", arns[1]): False,
    }
    assert left["certificate", arns[0]].fix == f"aws acm delete-certificate --region {HOME} --certificate-arn {arns[0]}"


async def test_a_custom_domain_of_others_is_in_the_way_and_a_certificate_is_not(sandbox, make):
    sandbox.aws.remains.certificates[HOME, f"arn:aws:acm:{HOME}:111122223333:certificate/1"] = ("api.films.example", "_x")
    assert (await STEP.observe(make(template=EDGE))).state is State.ABSENT
    sandbox.aws.remains.domains[HOME, "api.films.example"] = {}
    observed = await STEP.observe(make(template=EDGE))
    assert observed.state is State.FOREIGN and [r.kind for r in observed.foreign] == ["custom-domain"]


async def test_what_a_stack_kept_of_its_edge_is_named(sandbox, make):
    arn = f"arn:aws:acm:{HOME}:111122223333:certificate/1"
    standing(
        sandbox, retains=[("AWS::ApiGateway::DomainName", "api.films.example"), ("AWS::CertificateManager::Certificate", arn)]
    )
    sandbox.aws.remains.domains[HOME, "api.films.example"] = {}
    sandbox.aws.remains.certificates[HOME, arn] = ("api.films.example", "_x")
    await STEP.destroy(make())
    assert [(r.kind, r.name) for r in await STEP.leftovers(make())] == [
        ("custom-domain", "api.films.example"),
        ("certificate", "api.films.example"),
    ]


async def test_deletions_of_a_paced_api_are_thirty_seconds_apart(sandbox, make):
    sandbox.aws.cloudformation.seconds = 3
    standing(sandbox)
    sandbox.aws.cloudformation.deletes_fail = 2
    await STEP.destroy(make())
    times = [call.at for call in sandbox.aws.made("delete_stack")]
    assert len(times) == 3 and all(later - earlier >= 30 for earlier, later in pairwise(times))
    assert any("one in 30 s" in reason for reason in sandbox.notes.waits)


NOT_EMPTY = ("Films", "AWS::S3::Bucket", "The bucket you tried to delete is not empty")


async def test_a_bucket_in_the_way_is_emptied_without_a_pause(sandbox, make):
    sandbox.aws.cloudformation.seconds = 3
    standing(sandbox)
    sandbox.aws.cloudformation.deletes_fail, sandbox.aws.cloudformation.delete_failure = 1, NOT_EMPTY
    sandbox.aws.hosting.buckets["films-Films"] = FakeBucket(uploads=[("c", "upload")])
    for key in ("a", "b", "a"):
        sandbox.aws.hosting.put("films-Films", key)
    await STEP.destroy(make())
    bucket = sandbox.aws.hosting.buckets["films-Films"]
    assert (bucket.versions, bucket.uploads) == ([], []) and asked(sandbox, "delete_stack") == 2
    assert asyncio.get_running_loop().time() < 20


@pytest.mark.parametrize("operation", ["list_object_versions", "list_stack_resources"])
async def test_a_bucket_that_may_not_be_emptied_does_not_hide_what_failed(sandbox, make, operation):
    standing(sandbox)
    sandbox.aws.cloudformation.deletes_fail, sandbox.aws.cloudformation.delete_failure = 99, NOT_EMPTY
    sandbox.aws.refuse(operation, HOME, *[refusal("AccessDenied", "no identity-based policy allows it")] * 9)
    with pytest.raises(WorkshopError) as caught:
        await STEP.destroy(make())
    assert caught.value.code == "DELETE_FAILED" and caught.value.why.startswith("Films (AWS::S3::Bucket): The bucket you")
    assert "no identity-based policy allows it" in caught.value.why


DISTRIBUTION = ("Site", "AWS::CloudFront::Distribution")


async def test_a_removal_shows_that_it_waits_for_a_distribution(sandbox, make):
    sandbox.aws.cloudformation.seconds = 600
    stack = standing(sandbox)
    removal = asyncio.create_task(STEP.destroy(make()))
    await asyncio.sleep(30)
    assert stack.status == "DELETE_IN_PROGRESS"
    sandbox.aws.cloudformation.note(stack, *DISTRIBUTION, "DELETE_IN_PROGRESS")
    await asyncio.sleep(60)
    assert "disable the distribution at every edge" in sandbox.notes.waits[-1]
    sandbox.aws.cloudformation.note(stack, *DISTRIBUTION, "DELETE_COMPLETE")
    await asyncio.sleep(60)
    assert "every edge" not in sandbox.notes.waits[-1] and "1 resources done" in sandbox.notes.waits[-1]
    await removal
    assert stack.status == "DELETE_COMPLETE"


async def test_a_run_that_goes_on_with_a_removal_shows_what_it_waits_for(sandbox, make):
    sandbox.aws.cloudformation.seconds = 600
    stack = standing(sandbox)
    await sandbox.aws.call("cloudformation", HOME, "delete_stack", StackName=stack.id)
    sandbox.aws.cloudformation.note(stack, *DISTRIBUTION, "DELETE_IN_PROGRESS")
    await STEP.destroy(make())
    assert "disable the distribution at every edge" in sandbox.notes.waits[0]


HOSTING = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Site: {Type: AWS::CloudFront::Distribution, Properties: {DistributionConfig: {Enabled: true}}}
  Access: {Type: AWS::CloudFront::OriginAccessControl, Properties: {OriginAccessControlConfig: {Name: pages}}}
  Headers: {Type: AWS::CloudFront::ResponseHeadersPolicy, Properties: {ResponseHeadersPolicyConfig: {Name: pages}}}
"""


async def test_what_hosted_pages_is_found_by_its_tags_and_its_mark_without_a_journal(sandbox, make):
    hosting, theirs = sandbox.aws.hosting, {"workshop": "another"}
    hosting.buckets |= {
        "films-bucket-1a2b": FakeBucket(tags=dict(OURS)),
        "films-bucket-9z9z": FakeBucket(tags=theirs),
        "other-bucket": FakeBucket(tags=dict(OURS)),
        "films-bucket-away": FakeBucket("eu-west-1", dict(OURS)),
    }
    hosting.distributions |= {
        "E1": FakeDistribution("d1.cloudfront.net", dict(OURS)),
        "E2": FakeDistribution("d2.cloudfront.net", theirs),
    }
    hosting.controls |= {"C1": ("pages", "workshop=films"), "C2": ("others", "workshop=films")}
    hosting.policies |= {"P1": ("pages", "somebody's")}
    left = {(r.kind, r.name): r for r in await STEP.leftovers(make(template=HOSTING))}
    assert {key: r.ours for key, r in left.items()} == {
        ("bucket", "films-bucket-1a2b"): True,
        ("distribution", "d1.cloudfront.net"): True,
        ("access-control", "pages"): True,
        ("headers-policy", "pages"): False,
    }
    fix = left["distribution", "d1.cloudfront.net"].fix
    assert fix.startswith('etag="$(aws cloudfront get-distribution --id E1') and "delete-distribution --id E1 --if-match" in fix
    assert "disable it" in left["distribution", "d1.cloudfront.net"].size


async def test_a_policy_of_anothers_under_our_name_stops_a_setup(sandbox, make):
    sandbox.aws.hosting.policies["P1"] = ("pages", "")
    observed = await STEP.observe(make(template=HOSTING))
    assert observed.state is State.FOREIGN and [r.kind for r in observed.foreign] == ["headers-policy"]


BROKEN = ["Resources: {{ nothing }}", "Resources: {", "{% if %}", "Description: none"]


@pytest.mark.parametrize("template", BROKEN)
async def test_a_template_that_cannot_be_read_keeps_no_teardown(sandbox, make, template):
    stack = standing(sandbox)
    ctx = make(template=template)
    assert (await STEP.observe(ctx)).state is State.PARTIAL
    assert [r.kind for r in await STEP.leftovers(ctx)] == ["stack"]
    await STEP.destroy(ctx)
    assert stack.status == "DELETE_COMPLETE"
    with pytest.raises(DefinitionError):
        await STEP.leftovers(ctx)
    sandbox.aws.remains.log_groups.add(LOGS)
    await STEP.destroy(dataclasses.replace(make(), run="run-3"))
    assert sandbox.aws.remains.log_groups == set(), "the log groups were not looked for, so they are still ours"


async def test_a_template_that_cannot_be_rendered_stops_a_setup(sandbox, make):
    standing(sandbox)
    ctx = make(template="Resources: {{ nothing }}")
    assert "cannot be read" in (await STEP.observe(ctx)).detail
    with pytest.raises(DefinitionError):
        await STEP.create(ctx)
    assert asked(sandbox, "create_change_set") == 0


async def test_a_template_that_waits_for_another_steps_output_is_not_called_unreadable(sandbox, make):
    standing(sandbox)
    with pytest.raises(DefinitionError) as caught:
        await STEP.observe(
            dataclasses.replace(make(template="Resources: {{ steps.table.Arn }}"), variables={"steps": {"table": {}}})
        )
    assert caught.value.code == "MissingOutput"


@pytest.mark.parametrize("body", ['{"Resources": ' + "[" * 100_000, "Resources: " + "[" * 90_000])
def test_a_template_nested_beyond_all_depth_is_none(body):
    with pytest.raises(DefinitionError, match="nested too deeply"):
        declared(body, "api.yaml.j2")


def test_the_policy_that_deletes_a_bucket_with_its_stack_empties_it_too(make):
    template = "Resources: {B: {Type: AWS::S3::Bucket}, N: {Type: AWS::S3::Bucket, Properties: {BucketName: mine}}}"
    needed = STEP.permissions(make(template=template))
    for phase in (Phase.SETUP, Phase.TEARDOWN):
        has = {(p.action, p.resource) for p in needed if p.phase is phase}
        for action in ("ListBucketVersions", "ListBucketMultipartUploads", "DeleteBucket"):
            assert {(f"s3:{action}", "arn:aws:s3:::mine"), (f"s3:{action}", "arn:aws:s3:::films-*")} <= has
        for action in ("DeleteObject", "DeleteObjectVersion", "AbortMultipartUpload"):
            assert {(f"s3:{action}", "arn:aws:s3:::mine/*"), (f"s3:{action}", "arn:aws:s3:::films-*/*")} <= has


def test_every_phase_may_list_what_a_stack_holds(make):
    phases = {p.phase for p in STEP.permissions(make()) if p.action == "cloudformation:ListStackResources"}
    assert phases == set(Phase)
