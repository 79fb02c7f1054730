"""A cloud that enforces IAM: MiniStack with AUTH=true, and what CloudFormation and DynamoDB do in the caller's name, too.

Run as a program: `python strict_cloud.py PORT FOLDER`. MiniStack checks the calls that a client makes. On AWS, CloudFormation
then calls the services with the caller's permissions, and DynamoDB checks the caller in a replica's region; here both are
checked against the same policies by MiniStack's own evaluator.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ACCOUNT = "000000000000"
SECRET = "root-of-the-strict-cloud"


def main(port: int, folder: Path) -> None:
    os.environ.update(
        AUTH="true", GATEWAY_PORT=str(port), BIND_HOST="127.0.0.1", MINISTACK_HOST="localhost", MINISTACK_ACCOUNT_ID=ACCOUNT,
        PERSIST_STATE="0", STATE_DIR=str(folder), SFTP_ENABLED="0", IOT_MTLS_ENABLED="0", LAMBDA_EXECUTOR="local",
        LOG_LEVEL="WARNING", AWS_ACCESS_KEY_ID=ACCOUNT, AWS_SECRET_ACCESS_KEY=SECRET,
        DOCKER_HOST=f"unix://{folder}/no-docker", AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    import asyncio

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack

    enforce_stacks()
    enforce_replicas()
    know_resources()
    know_contexts()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(ministack.app, config))


def needs(action: str, resource: str, region: str, **more: str) -> None:
    """Raise what AWS says when the caller's policies do not allow it."""
    from ministack.core.iam_evaluator import EvalContext, _gather_user_policies, caller_arn, evaluate

    arn = caller_arn()
    if arn.endswith(":root"):
        return
    context = EvalContext(arn, "User", ACCOUNT, action, resource, region, service_context=dict(more))
    if evaluate(context, _gather_user_policies(arn.rpartition("/")[2], ACCOUNT)).decision != "Allow":
        raise ValueError(
            f"User: {arn} is not authorized to perform: {action} on resource: {resource}"
            f" because no identity-based policy allows the {action} action"
        )


def enforce_stacks() -> None:
    from ministack.core.responses import get_region
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS

    def guarded(kind: str, verb: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def handler(*args: Any, **kwargs: Any) -> Any:
            props = args[1] if len(args) > 1 and isinstance(args[1], dict) else {}
            stack = args[2] if verb == "create" and len(args) > 2 else ""
            for action, resource in taken(kind, verb, args[0], props, str(stack), get_region()):
                needs(action, resource, get_region(), **PASSED.get(action, {}))
            if (kind, verb) == ("AWS::IAM::Role", "create"):
                # MiniStack makes one name for the roles of equal stacks in two regions; AWS makes two.
                args = (args[0], {**props, "RoleName": f"{stack}-{args[0]}-{get_region()}"}, *args[2:])
            return original(*args, **kwargs)

        return handler

    for kind in MADE:
        for verb in ("create", "delete"):
            handlers[kind][verb] = guarded(kind, verb, handlers[kind][verb])


PASSED = {"iam:PassRole": {"iam:passedtoservice": "lambda.amazonaws.com"}}
MADE = {
    "AWS::Lambda::Function": (("lambda:CreateFunction", "lambda:GetFunction"), ("lambda:DeleteFunction", "lambda:GetFunction")),
    "AWS::Lambda::Permission": (("lambda:AddPermission",), ("lambda:RemovePermission",)),
    "AWS::IAM::Role": (
        ("iam:CreateRole", "iam:PutRolePolicy", "iam:GetRole"),
        ("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole"),
    ),
    "AWS::Logs::LogGroup": (("logs:CreateLogGroup", "logs:PutRetentionPolicy"), ("logs:DeleteLogGroup",)),
    "AWS::ApiGateway::RestApi": (("apigateway:POST",), ("apigateway:DELETE",)),
    "AWS::ApiGateway::Resource": (("apigateway:POST",), ("apigateway:DELETE",)),
    "AWS::ApiGateway::Method": (("apigateway:PUT", "apigateway:GET"), ("apigateway:DELETE",)),
    "AWS::ApiGateway::GatewayResponse": (("apigateway:PUT", "apigateway:GET"), ("apigateway:DELETE",)),
    "AWS::ApiGateway::Deployment": (("apigateway:POST", "apigateway:GET"), ("apigateway:DELETE",)),
    "AWS::ApiGateway::Stage": (("apigateway:POST", "apigateway:PATCH"), ("apigateway:DELETE",)),
}
"""What a type's handlers call, by the schemas of the CloudFormation registry, without what serves features that are not used."""


def taken(kind: str, verb: str, first: str, props: dict[str, Any], stack: str, region: str) -> list[tuple[str, str]]:
    """The calls in the caller's name that making or removing one resource takes, each with the resource that it is for."""
    actions = MADE[kind][0 if verb == "create" else 1]
    found = [(action, arn_of(kind, verb, first, props, stack, region)) for action in actions]
    if kind == "AWS::Lambda::Function" and verb == "create":
        found.append(("iam:PassRole", props["Role"]))
    if kind == "AWS::ApiGateway::RestApi" and verb == "create":
        found.append(("apigateway:PUT", f"arn:aws:apigateway:{region}::/tags/arn%3Aaws%3Aapigateway"))
    return found


def arn_of(kind: str, verb: str, first: str, props: dict[str, Any], stack: str, region: str) -> str:
    service = kind.split("::")[1]
    if service == "Lambda":
        name = str(props.get("FunctionName", first)).rpartition(":function:")[2] or first
        return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
    if service == "IAM":
        return f"arn:aws:iam::{ACCOUNT}:role/{f'{stack}-{first}-1A2B3C' if verb == 'create' else first}"
    if service == "Logs":
        return f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{props.get('LogGroupName', first)}"
    path = "restapis" if (kind, verb) == ("AWS::ApiGateway::RestApi", "create") else f"restapis/{props.get('RestApiId', first)}"
    return f"arn:aws:apigateway:{region}::/{path}"


THERE = ("CreateTable", "CreateTableReplica", "Scan", "Query", "UpdateItem", "PutItem", "GetItem", "DeleteItem", "BatchWriteItem")
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"


def enforce_replicas() -> None:
    """DynamoDB checks the caller in the replica's region, too, and makes its role with the first global table."""
    from ministack.core.responses import error_response_json
    from ministack.services import dynamodb

    original = dynamodb._update_table

    def update_table(data: dict[str, Any]) -> Any:
        try:
            for change in data.get("ReplicaUpdates", []):
                for verb, wanted in change.items():
                    region = wanted["RegionName"]
                    arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{data['TableName']}"
                    for action in THERE if verb == "Create" else ("DeleteTable", "DeleteTableReplica"):
                        needs(f"dynamodb:{action}", arn, region)
                    if verb == "Create":
                        needs("iam:CreateServiceLinkedRole", LINKED, "us-east-1", **{"iam:awsservicename": LINKED.split("/")[2]})
        except ValueError as error:
            return error_response_json("AccessDeniedException", str(error), 400)
        return original(data)

    dynamodb._update_table = update_table


def know_resources() -> None:
    """Calls about tags name a table by its ARN, simulations a principal; MiniStack takes both for no resource."""
    import json

    from ministack.core import iam_actions

    tables, resource = iam_actions.dynamodb_resource_arns, iam_actions.extract_resource_arn

    def table_arns(body: bytes, region: str, account: str) -> list[str]:
        named = json.loads(body or b"{}").get("ResourceArn")
        return [named] if named else tables(body, region, account)

    def resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *rest: Any) -> str:
        found: str = resource(service, method, path, headers, body, query, *rest)
        principal = query.get("PolicySourceArn") if service == "iam" else None
        return (principal[0] if isinstance(principal, list) else principal) or found

    iam_actions.dynamodb_resource_arns, iam_actions.extract_resource_arn = table_arns, resource_arn

    lambda_action = iam_actions._lambda_action

    def reserve_action(method: str, path: str) -> str | None:
        """Reading a reserve is an action of its own on AWS."""
        if path.endswith("/concurrency") and method == "GET":
            return "GetFunctionConcurrency"
        found: str | None = lambda_action(method, path)
        return found

    iam_actions._lambda_action = reserve_action


def know_contexts() -> None:
    """A simulation is given values of the keys that policies have conditions on; MiniStack passes them by."""
    import functools

    from ministack.core import iam_evaluator
    from ministack.services import iam

    context, simulate = iam_evaluator.EvalContext, iam._simulate_principal_policy

    def with_context(parameters: Any) -> Any:
        given, number = dict[str, str](), 1
        while name := iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
            given[name.lower()] = iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyValues.member.1")
            number += 1
        iam_evaluator.EvalContext = functools.partial(context, service_context=given)
        try:
            return simulate(parameters)
        finally:
            iam_evaluator.EvalContext = context

    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = with_context


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
