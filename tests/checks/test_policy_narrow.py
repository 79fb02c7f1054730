"""Least privilege: no statement of a policy or of a template's role allows more than IAM makes necessary.

Each is compared with IAM's own list of actions and of the resources that it checks them on, in the copy that cfn-lint carries.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.checks.strict import policy_of
from tests.unit.fakes.aws import ACCOUNT
from tests.unit.fakes.workspaces import AWS
from workshop.checks.policy import INLINE, LISTING_BY_NAME, MANAGED, document, everywhere, policies, size
from workshop.definition.loader import load
from workshop.definition.parameters import resolve
from workshop.definition.placeholders import PlaceholderOutputs, placeholders
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.cloudformation.template import parsed

TEMPLATES = Path(__file__).parents[2] / "templates"
WORKSHOPS = sorted(each.parent.name for each in TEMPLATES.glob("*/workshop.yaml"))
DOMAIN = "a07.event.example.com"
UNLISTED = {
    ("apigateway:POST", "/tags/*"): "API Gateway tags with PUT by its list, and with POST by what its API for HTTP APIs does",
    ("apigateway:PUT", "/domainnames/NAME"): "as for REST APIs",
}
"""What IAM's list does not have for API Gateway, whose actions are verbs on any path."""
NOT_IN_IAM = {
    "cloudfront:CreateDistributionWithTags": "named by the schema of AWS::CloudFront::Distribution in CloudFormation's registry"
}
"""Actions that only another source of AWS's has."""
ADMITTED: dict[str, str] = {}
"""By action: why a role of a template allows it on `*`. None does."""


@functools.cache
def iam() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
    return found


def known(action: str) -> dict[str, Any]:
    """What IAM has of an action; fails for one that does not exist."""
    service, _, verb = action.partition(":")
    actions = iam()[service]["Actions"]
    assert verb.lower() in actions or action in NOT_IN_IAM, f"IAM has no action {action}"
    found: dict[str, Any] = actions.get(verb.lower(), {})
    return found


def takes(action: str, resource: str) -> bool:
    """Whether IAM checks the action on resources of this form."""
    kinds = iam()[action.partition(":")[0]]["Resources"]
    named = [kinds[name.lower()] for name in known(action).get("Resources", []) if name.lower() in kinds]
    return any(re.fullmatch(pattern(form), resource) for kind in named for form in kind.get("ARNFormats", []))


def pattern(form: str) -> str:
    parts = {"Partition": "aws", "Region": r"(?:[a-z0-9-]+|\*)?", "Account": r"(?:[0-9]{12}|\*)?"}
    return re.sub(r"\$\{(\w+)\}", lambda found: parts.get(found[1], ".*"), form)


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def parameters(workshop: str, **values: str) -> list[str]:
    """The options for those of the values that the workshop has a parameter for."""
    own = load(workshop).definition.parameters
    return [word for name, value in values.items() if name in own for word in ("--param", f"{name}={value}")]


@functools.cache
def statements_of(workshop: str, domain: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy_of("--workshop", workshop, *parameters(workshop, domain=domain), account=ACCOUNT)[
        "Statement"
    ]
    return found


def with_domains() -> Iterator[tuple[str, str]]:
    for workshop in WORKSHOPS:
        yield workshop, ""
        if "domain" in load(workshop).definition.parameters:
            yield workshop, DOMAIN


each_policy = pytest.mark.parametrize(("workshop", "domain"), list(with_domains()))


def test_every_workshop_is_looked_at() -> None:
    assert set(WORKSHOPS) == {"global-serverless", "multi-region-backend", "wild-rydes"}


@each_policy
def test_no_policy_has_a_wildcard_in_an_action(workshop: str, domain: str) -> None:
    actions = {action for part in statements_of(workshop, domain) for action in part["Action"]}
    assert actions and not [action for action in actions if "*" in action or "?" in action]


@each_policy
def test_a_policy_allows_an_action_everywhere_only_where_iam_knows_nothing_narrower(workshop: str, domain: str) -> None:
    for part in statements_of(workshop, domain):
        for action in part["Action"] if part["Resource"] == "*" else ():
            assert not known(action).get("Resources") or action in LISTING_BY_NAME, (action, known(action))
        assert "*" not in several(part["Resource"]) or part["Resource"] == "*"


@each_policy
def test_a_policy_names_resources_that_iam_checks_the_action_on(workshop: str, domain: str) -> None:
    """An ARN of another form allows nothing."""
    for part in statements_of(workshop, domain):
        for action in part["Action"]:
            for resource in (each for each in several(part["Resource"]) if each != "*"):
                path = re.sub(r"^arn:aws:apigateway:[a-z0-9-]+::", "", resource)
                path = re.sub(r"^/domainnames/[^/*]+$", "/domainnames/NAME", path)
                assert takes(action, resource) or (action, path) in UNLISTED, (action, resource)


@each_policy
def test_every_action_that_is_allowed_everywhere_has_its_reason(workshop: str, domain: str) -> None:
    reasons = everywhere(statements_of(workshop, domain))
    assert reasons and all(len(why.split()) > 5 for why in reasons.values())
    made = {action for action, why in reasons.items() if "has no ARN before it exists" in why}
    assert all(re.match(r"(Create|Request)", action.partition(":")[2]) for action in made)
    rest = {action.partition(":")[2] for action in reasons.keys() - made}
    assert all(verb.startswith(("List", "Describe", "Get", "Create")) for verb in rest), rest


@each_policy
def test_the_policies_of_a_workshop_are_valid_each_by_itself_and_allow_the_same_together(workshop: str, domain: str) -> None:
    parts = statements_of(workshop, domain)
    found = policies(parts)
    for policy in found:
        assert policy["Version"] == "2012-10-17" and size(policy) <= MANAGED
        sids = [part["Sid"] for part in policy["Statement"]]
        assert len(set(sids)) == len(sids) and all(sid.isalnum() for sid in sids)
    assert granted(found) == granted([document(parts)])


def granted(documents: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (action, resource, json.dumps(part.get("Condition", {}), sort_keys=True))
        for each in documents
        for part in each["Statement"]
        for action in part["Action"]
        for resource in several(part["Resource"])
    }


@pytest.mark.parametrize("key", ["Resource", "Action"])
def test_a_statement_that_is_too_large_by_itself_is_cut(key: str) -> None:
    large: dict[str, Any] = {"Sid": "Large", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::x"}
    large[key] = [f"s3:GetObject{n:04}" if key == "Action" else f"arn:aws:s3:::bucket-{n:04}" for n in range(700)]
    found = policies([large])
    assert len(found) > 2 and all(size(policy) <= MANAGED for policy in found)
    assert granted(found) == granted([document([large])])
    sids = [part["Sid"] for policy in found for part in policy["Statement"]]
    assert len(set(sids)) == len(sids)


def test_a_role_may_be_given_only_to_the_services_that_assume_it() -> None:
    (part,) = [part for part in statements_of("global-serverless", "") if "iam:PassRole" in part["Action"]]
    assert part["Action"] == ["iam:PassRole"]
    assert part["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


# The command.


def test_a_policy_that_fits_is_one_document_and_a_larger_one_a_list() -> None:
    small = printed("--phase", "check")
    assert "Statement" in small and size(small) <= MANAGED
    whole, parts = printed("--whole"), printed()
    assert MANAGED < size(whole) <= INLINE and isinstance(parts, list) and len(parts) == 2
    assert printed("--number", "2") == parts[1] and printed("--split") == parts
    assert printed("--split", "--phase", "check") == [small]


def test_the_reasons_are_printed_on_their_own() -> None:
    assert printed("--why")["dynamodb:ListTables"].startswith("it only reads")


@pytest.mark.parametrize("words", [("--number", "3"), ("--number", "0"), ("--split", "--whole"), ("--why", "--number", "1")])
def test_what_cannot_be_printed_is_wrong_usage(words: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError, match=r"There is no policy 3|0 is not in the range|Only one of"):
        printed(*words)


def printed(*words: str) -> Any:
    return policy_of("--workshop", "multi-region-backend", *words, account=ACCOUNT, whole=False)


# The roles of the templates.


def variants(workshop: str) -> Iterator[dict[str, str]]:
    """The defaults, a domain, and every choice of every parameter that has some."""
    definition = load(workshop).definition
    yield {}
    if "domain" in definition.parameters:
        yield {"domain": DOMAIN}
    for name, parameter in definition.parameters.items():
        yield from ({name: choice} for choice in parameter.choices if choice != parameter.default)


def roles(workshop: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of every role and every policy of a resource that the stacks of a workshop make, with where they are."""
    loaded = load(workshop)
    for values in variants(workshop):
        settings = resolve(loaded, values, ())
        found = Workspace(
            workshop=loaded, settings=settings, target=AWS, clients={ACCOUNT: None}, journal=None, clock=None, run="r",
        )  # fmt: skip
        contexts = Contexts(found, lambda _: None)
        for node in (node for node in found.plan().nodes if node.spec.kind == "cloudformation.stack"):
            outputs = PlaceholderOutputs(loaded.definition, found.places(ACCOUNT))
            step, ctx = contexts.context(node, outputs=placeholders(outputs, found.plan_variables(ACCOUNT)))
            for logical, resource in parsed(step.rendered("template", ctx) or "", workshop)["Resources"].items():
                for statement in statements_in(resource):
                    yield f"{node.key.step}.{logical} {values}", statement


def statements_in(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Role":
        assert not properties.get("ManagedPolicyArns"), "a managed policy allows what AWS decides"
        documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
    else:
        documents = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    for policy in documents:
        yield from several(policy["Statement"])


@pytest.mark.parametrize("workshop", WORKSHOPS)
def test_no_role_of_a_template_allows_more_than_it_needs(workshop: str) -> None:
    found = list(roles(workshop))
    assert found
    for where, statement in found:
        assert statement["Effect"] == "Allow" and "NotAction" not in statement and "NotResource" not in statement, where
        for action in several(statement["Action"]):
            assert "*" not in action and known(action) is not None, (where, action)
            for resource in several(statement["Resource"]):
                assert resource != "*" or (action in ADMITTED and not known(action).get("Resources")), (where, action)
                assert not str(resource).strip("{}'\"").endswith(":*:*"), (where, resource)
