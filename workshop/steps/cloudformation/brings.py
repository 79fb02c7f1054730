"""What a stack brings of its author's: code that runs, rights that it gives, addresses outside of it.

In: the parsed document of a rendered template. Out: `Brought` entries in the order of the template, what else it makes counted
in one. Values that CloudFormation computes are written as `${Name}`. Rights with a star come first, so that no list hides them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from workshop.steps.base import Brought

__all__ = ["stack_brings"]

PSEUDO = re.compile(r"\$\{AWS::(?:Partition|Region|AccountId)\}")
MANAGED = re.compile(r"arn:[^:]*:iam::aws:policy/")
LONGEST = 2_000
"""Characters of one detail: a template of 51,200 bytes may hold one policy that fills it."""


def stack_brings(stack: str, document: Mapping[str, Any], capabilities: Sequence[str]) -> list[Brought]:
    """Everything that the template runs, allows or calls."""
    found: list[Brought] = []
    others: Counter[str] = Counter()
    for logical, resource in document["Resources"].items():
        brought = _of(str(logical), resource["Type"], _mapping(resource.get("Properties")))
        if brought is None:
            others[_service(resource["Type"])] += 1
        else:
            found.append(brought)
    if capabilities:
        found.append(Brought("capabilities", stack, ", ".join(capabilities)))
    if transforms := _transforms(document):
        found.append(Brought("transform", stack, ", ".join(transforms)))
    if others:
        found.append(Brought("resources", stack, ", ".join(f"{name} {count}" for name, count in sorted(others.items()))))
    return [
        each if len(each.detail) <= LONGEST else Brought(each.kind, each.name, f"{each.detail[:LONGEST]}...") for each in found
    ]


def _of(logical: str, kind: str, properties: Mapping[str, Any]) -> Brought | None:
    """The entry of one resource; None for a type that only counts."""
    if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
        return Brought("custom resource", logical, f"calls {_text(properties.get('ServiceToken'))}")
    if kind in WORDS:
        what, words = WORDS[kind]
        return Brought(what, logical, words(properties))
    if kind.startswith("AWS::IAM::"):
        return Brought("access", logical, kind)
    return None


def _function(properties: Mapping[str, Any]) -> str:
    parts = [_text(properties.get("Runtime")) or "no runtime named", _code(properties)]
    if properties.get("Policies"):  # of a serverless function, whose role CloudFormation makes up
        parts.append(f"allows {_text(properties['Policies'])}")
    return ", ".join(parts)


def _code(properties: Mapping[str, Any]) -> str:
    code = properties.get("Code", properties.get("CodeUri", properties.get("ImageUri")))
    inline = properties.get("InlineCode") or (code.get("ZipFile") if isinstance(code, Mapping) else None)
    if inline is not None:
        return "code in the template"
    if isinstance(code, Mapping) and code.keys() & {"S3Bucket", "ImageUri"}:
        place = _text(code.get("ImageUri")) or f"s3://{_text(code.get('S3Bucket'))}/{_text(code.get('S3Key'))}"
        return f"code from {place}"
    return f"code from {_text(code)}" if code else "no code named"


def _holder(properties: Mapping[str, Any]) -> str:
    """A role, user or group: its managed policies, what its own allow, and who may take it on."""
    parts = [f"policy {MANAGED.sub('', _text(arn))}" for arn in _list(properties.get("ManagedPolicyArns"))]
    own = (_policy(each) if "PolicyDocument" in _mapping(each) else _text(each) for each in _list(properties.get("Policies")))
    parts += _risky_first(text for text in own if text)
    trust = _list(_mapping(properties.get("AssumeRolePolicyDocument")).get("Statement"))
    if who := sorted({_text(member) for each in trust for member in _principals(_mapping(each).get("Principal"))}):
        parts.append(f"for {', '.join(who)}")
    return "; ".join(parts) or "allows nothing by itself"


def _policy(properties: Mapping[str, Any]) -> str:
    return _document(properties.get("PolicyDocument")) or "allows nothing by itself"


def _document(document: Any) -> str:
    """What a policy document allows and denies, a statement after the other; as it is written where CloudFormation makes it."""
    if "Statement" not in _mapping(document):
        return _text(document)
    return "; ".join(
        _risky_first(
            _statement(each) if isinstance(each, Mapping) else _text(each) for each in _list(_mapping(document).get("Statement"))
        )
    )


def _statement(statement: Mapping[str, Any]) -> str:
    if not statement.keys() & {"Action", "NotAction"}:
        return _text(statement)  # chosen by a condition of the template, for one
    verb = "denies " if statement.get("Effect") == "Deny" else ""
    actions = _actions(statement.get("Action"))
    if "NotAction" in statement:
        actions = f"everything but {_actions(statement['NotAction'])}"
    places = ", ".join(_risky_first(_place(each) for each in _list(statement.get("Resource"))))
    if "NotResource" in statement:
        places = f"everything but {', '.join(_place(each) for each in _list(statement['NotResource']))}"
    return f"{verb}{actions} on {places or 'nothing named'}{' under conditions' if statement.get('Condition') else ''}"


def _actions(value: Any) -> str:
    """Actions with the name of their service before the first of a row only: `dynamodb:GetItem, Query`."""
    words: list[str] = []
    before = ""
    for action in _risky_first(_text(each) for each in _list(value)):
        service, colon, verb = action.partition(":")
        words.append(verb if colon and service == before else action)
        before = service
    return ", ".join(words) or "nothing"


def _place(value: Any) -> str:
    return PSEUDO.sub("", _text(value))


def _principals(value: Any) -> list[Any]:
    if not isinstance(value, Mapping) or value.keys() & {"Ref", "Sub", "GetAtt"}:
        return _list(value)
    return [each for members in value.values() for each in _list(members)]


def _nested(properties: Mapping[str, Any]) -> str:
    return f"a template from {_text(properties.get('TemplateURL'))}"


def _layer(properties: Mapping[str, Any]) -> str:
    return _code({"Code": properties.get("Content", properties.get("ContentUri"))})


def _user_of_key(properties: Mapping[str, Any]) -> str:
    return f"keys for the user {_text(properties.get('UserName'))}"


def _domain(properties: Mapping[str, Any]) -> str:
    return f"serves {_text(properties.get('DomainName')) or 'a name that is not given'}"


def _certificate(properties: Mapping[str, Any]) -> str:
    names = [properties.get("DomainName"), *_list(properties.get("SubjectAlternativeNames"))]
    zones = [_text(_mapping(each).get("HostedZoneId")) for each in _list(properties.get("DomainValidationOptions"))]
    written = sorted({zone for zone in zones if zone})
    proof = f", writes a record into the zone {', '.join(written)}" if written else ""
    return f"for {', '.join(_text(name) for name in names)}{proof}"


WORDS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "AWS::ApiGateway::DomainName": ("custom domain", _domain),
    "AWS::CertificateManager::Certificate": ("certificate", _certificate),
    "AWS::CloudFormation::Stack": ("nested stack", _nested),
    "AWS::IAM::AccessKey": ("access key", _user_of_key),
    "AWS::IAM::Group": ("group", _holder),
    "AWS::IAM::GroupPolicy": ("policy", _policy),
    "AWS::IAM::ManagedPolicy": ("policy", _policy),
    "AWS::IAM::Policy": ("policy", _policy),
    "AWS::IAM::Role": ("role", _holder),
    "AWS::IAM::RolePolicy": ("policy", _policy),
    "AWS::IAM::User": ("user", _holder),
    "AWS::IAM::UserPolicy": ("policy", _policy),
    "AWS::Lambda::Function": ("function", _function),
    "AWS::Lambda::LayerVersion": ("layer", _layer),
    "AWS::Serverless::Function": ("function", _function),
    "AWS::Serverless::LayerVersion": ("layer", _layer),
}
"""What a resource type is called in the list, and how its properties are put into words."""


def _transforms(document: Mapping[str, Any]) -> list[str]:
    """Macros: code of the account, or of AWS, that rewrites the template."""
    names = [_text(each) for each in _list(document.get("Transform"))]
    todo: list[Any] = [document.get("Resources")]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            for key in ("Fn::Transform", "Transform"):
                if isinstance(value.get(key), Mapping):
                    names.append(_text(value[key].get("Name")))
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return sorted(set(names))


def _service(kind: str) -> str:
    """`ApiGateway` for `AWS::ApiGateway::Method`; other people's types keep their whole name."""
    parts = kind.split("::")
    return parts[1] if len(parts) == 3 and parts[0] == "AWS" else kind


def _risky_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: "*" not in text)


def _text(value: Any) -> str:
    """A value of a template in a few words; what CloudFormation fills in is named, not guessed."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, inside),) = value.items()
        match str(name).removeprefix("Fn::"):
            case "Ref":
                return f"${{{inside}}}"
            case "Sub":
                return str(inside[0]) if isinstance(inside, list) and inside else str(inside)
            case "GetAtt":
                return f"${{{'.'.join(map(str, inside)) if isinstance(inside, list) else inside}}}"
    return json.dumps(value, default=str)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
