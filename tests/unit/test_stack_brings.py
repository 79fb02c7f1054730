"""What a stack's template brings, in words: nothing that runs or gives rights is left out, whatever form it is written in."""

from __future__ import annotations

import json

import pytest

from workshop.steps.cloudformation.brings import stack_brings
from workshop.steps.cloudformation.template import parsed


def brought(resources: str, head: str = "", capabilities: tuple[str, ...] = ()) -> dict[tuple[str, str], str]:
    """The entries of a template with these resources, by kind and name."""
    body = f"{head}\nResources:\n{resources}"
    return {(each.kind, each.name): each.detail for each in stack_brings("films", parsed(body, "stack.yaml"), capabilities)}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("{ZipFile: 'def handler(): pass'}", "code in the template"),
        ("{S3Bucket: theirs, S3Key: code.zip}", "code from s3://theirs/code.zip"),
        ("{ImageUri: registry.example/image}", "code from registry.example/image"),
        ("{S3Bucket: !Ref Bucket, S3Key: a}", "code from s3://${Bucket}/a"),
    ],
)
def test_a_function_is_named_with_its_runtime_and_the_place_of_its_code(code, words):
    found = brought(f"  Runs: {{Type: 'AWS::Lambda::Function', Properties: {{Runtime: nodejs22.x, Code: {code}}}}}")
    assert found == {("function", "Runs"): f"nodejs22.x, {words}"}


def test_a_role_is_named_with_its_policies_and_who_takes_it_on():
    found = brought("""
  Admin:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess', 'arn:aws:iam::111122223333:policy/theirs']
      AssumeRolePolicyDocument: {Statement: {Effect: Allow, Principal: {AWS: '111122223333'}, Action: 'sts:AssumeRole'}}
      Policies:
        - PolicyName: one
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: ['s3:GetObject', 's3:PutObject', 'iam:*'], Resource: ['arn:aws:s3:::b', '*']}
              - {Effect: Deny, NotAction: 'sts:*', NotResource: !Sub 'arn:${AWS::Partition}:s3:::${Bucket}'}
""")
    detail = found["role", "Admin"]
    for words in (
        "policy AdministratorAccess", "policy arn:aws:iam::111122223333:policy/theirs", "for 111122223333",
        "iam:*, s3:GetObject, PutObject on *, arn:aws:s3:::b",
        "denies everything but sts:* on everything but arn::s3:::${Bucket}",
    ):  # fmt: skip
        assert words in detail, detail
    assert detail.index("policy AdministratorAccess") < detail.index("iam:*") < detail.index("for 111122223333")


@pytest.mark.parametrize(
    "policies",
    [
        "!If [Yes, [{PolicyDocument: {Statement: [{Action: 'hidden:*', Resource: '*'}]}}], !Ref AWS::NoValue]",
        "[{PolicyName: a, PolicyDocument: !If [Yes, {Statement: [{Action: 'hidden:*'}]}, {}]}]",
        "[{PolicyName: a, PolicyDocument: {Statement: [!If [Yes, {Action: 'hidden:*'}, {}]]}}]",
        "[{PolicyName: a, PolicyDocument: {Statement: {Action: !If [Yes, 'hidden:*', 'b:c'], Resource: '*'}}}]",
    ],
)
def test_no_condition_hides_a_right(policies):
    found = brought(f"  Role: {{Type: 'AWS::IAM::Role', Properties: {{Policies: {policies}}}}}")
    assert "hidden:*" in found["role", "Role"]


@pytest.mark.parametrize(
    ("kind", "properties", "what", "words"),
    [
        ("Custom::Anything", "{ServiceToken: !GetAtt Runs.Arn}", "custom resource", "calls ${Runs.Arn}"),
        ("AWS::CloudFormation::CustomResource", "{ServiceToken: 'arn:a'}", "custom resource", "calls arn:a"),
        ("AWS::CloudFormation::Stack", "{TemplateURL: 'https://theirs.example/t'}", "nested stack", "https://theirs.example/t"),
        ("AWS::IAM::ManagedPolicy", "{PolicyDocument: {Statement: {Action: '*', Resource: '*'}}}", "policy", "* on *"),
        ("AWS::IAM::AccessKey", "{UserName: me}", "access key", "me"),
        ("AWS::IAM::OIDCProvider", "{}", "access", "AWS::IAM::OIDCProvider"),
        ("AWS::Lambda::LayerVersion", "{Content: {S3Bucket: theirs, S3Key: k}}", "layer", "s3://theirs/k"),
        ("AWS::Serverless::Function", "{InlineCode: 'x', Policies: AdministratorAccess}", "function", "AdministratorAccess"),
    ],
)
def test_whatever_runs_or_gives_rights_has_an_entry_of_its_own(kind, properties, what, words):
    found = brought(f"  Thing: {{Type: '{kind}', Properties: {properties}}}")
    assert words in found[what, "Thing"]


def test_macros_and_capabilities_are_named_and_the_rest_is_counted():
    found = brought(
        "  A: {Type: 'AWS::S3::Bucket', Properties: {'Fn::Transform': {Name: 'AWS::Include'}}}\n"
        "  B: {Type: 'AWS::S3::Bucket'}\n  C: {Type: 'Their::Own::Type'}",
        "Transform: [TheirMacro]",
        ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
    )
    assert found == {
        ("capabilities", "films"): "CAPABILITY_IAM, CAPABILITY_AUTO_EXPAND",
        ("transform", "films"): "AWS::Include, TheirMacro",
        ("resources", "films"): "S3 2, Their::Own::Type 1",
    }


def test_a_template_without_anything_unusual_in_its_properties_is_no_must():
    """Properties of a wrong form are AWS's to refuse: the list goes on."""
    found = brought("  A: {Type: 'AWS::IAM::Role', Properties: [1]}\n  B: {Type: 'AWS::Lambda::Function', Properties: null}")
    assert set(found) == {("role", "A"), ("function", "B")}


def test_one_long_policy_does_not_fill_the_list():
    statement = {"Action": [f"s3:A{number}" for number in range(4000)], "Resource": "*"}
    properties = json.dumps({"PolicyDocument": {"Statement": statement}})
    found = brought(f"  Long: {{Type: 'AWS::IAM::Policy', Properties: {properties}}}")
    assert len(found["policy", "Long"]) < 2_100 and found["policy", "Long"].endswith("...")


def test_a_name_that_a_stack_serves_and_the_zone_that_it_writes_to_are_named():
    found = brought("""
  Domain: {Type: 'AWS::ApiGateway::DomainName', Properties: {DomainName: api.example.com}}
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: api.example.com
      SubjectAlternativeNames: ['*.example.com']
      DomainValidationOptions: [{DomainName: api.example.com, HostedZoneId: Z1}, {DomainName: '*.example.com', HostedZoneId: Z1}]
""")
    assert found == {
        ("custom domain", "Domain"): "serves api.example.com",
        ("certificate", "Certificate"): "for api.example.com, *.example.com, writes a record into the zone Z1",
    }
