"""APIs, functions and stacks as a workshop meets them: failures, limits, pace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, refused


def gateway_responses(cloud: Cloud, api: str) -> None:
    """CORS on errors of the gateway itself, deployed."""
    gateway = cloud.client("apigateway")
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        parameters = {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}
        gateway.put_gateway_response(restApiId=api, responseType=kind, responseParameters=parameters)
    gateway.create_deployment(restApiId=api, stageName="api")


@pytest.fixture(scope="module")
def api(shared: Cloud) -> str:
    return shared.stack(name="bare")


@pytest.fixture(scope="module")
def cors_api(shared: Cloud) -> str:
    made = shared.stack(name="cors")
    gateway_responses(shared, made)
    return made


@pytest.mark.parametrize(("name", "header"), [("bare", None), ("cors", "*")])
def test_a_throttled_function_is_a_500_with_cors_only_from_gateway_responses(
    shared: Cloud, api: str, cors_api: str, name: str, header: str | None
) -> None:
    functions = shared.client("lambda")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        status, headers, body = shared.http(f"/_aws/execute-api/{api if name == 'bare' else cors_api}/api/")
        assert (status, json.loads(body)) == (500, {"message": "Internal server error"})
        assert headers.get("access-control-allow-origin") == header
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert shared.http(f"/_aws/execute-api/{api if name == 'bare' else cors_api}/api/")[0] == 200


@pytest.mark.parametrize(("name", "header"), [("bare", None), ("cors", "*")])
def test_a_function_that_fails_is_a_502_without_details(
    shared: Cloud, api: str, cors_api: str, name: str, header: str | None
) -> None:
    status, headers, body = shared.http(f"/_aws/execute-api/{api if name == 'bare' else cors_api}/api/fail")
    assert (status, json.loads(body)) == (502, {"message": "Internal server error"})
    assert headers.get("access-control-allow-origin") == header
    assert b"secret" not in body


def test_invoking_a_throttled_function_names_the_reason(shared: Cloud, api: str) -> None:
    functions = shared.client("lambda")
    functions.put_function_concurrency(FunctionName="bare", ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(functions.exceptions.TooManyRequestsException) as caught:
            functions.invoke(FunctionName="bare")
        assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    finally:
        functions.delete_function_concurrency(FunctionName="bare")


def test_a_function_that_takes_too_long_is_ended_and_works_again(shared: Cloud) -> None:
    api = shared.stack(name="slow")
    shared.client("lambda").update_function_configuration(FunctionName="slow", Timeout=1)
    assert shared.http(f"/_aws/execute-api/{api}/api/sleep")[0] in (502, 504)
    assert shared.http(f"/_aws/execute-api/{api}/api/")[0] == 200


def test_the_report_of_a_function_that_prints_nothing_reaches_the_log(shared: Cloud, api: str) -> None:
    assert shared.http(f"/_aws/execute-api/{api}/api/")[0] == 200
    events = shared.client("logs").filter_log_events(logGroupName="/aws/lambda/bare")["events"]
    assert any("REPORT" in event["message"] for event in events)


def test_the_list_of_apis_can_be_read(shared: Cloud, api: str) -> None:
    found = next(entry for entry in shared.client("apigateway").get_rest_apis()["items"] if entry["id"] == api)
    assert "minimumCompressionSize" not in found


@pytest.mark.parametrize(("limit", "wanted", "floor"), [(10, 1, 10), (50, 5, 50), (1000, 901, 100)])
def test_reserving_more_than_the_account_can_spare_is_refused(emptied: Cloud, limit: int, wanted: int, floor: int) -> None:
    emptied.stack()
    functions = emptied.client("lambda")
    if limit < 1000:
        emptied.control("POST", "faults", {"kind": "small-account", "limit": limit})
    assert functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == limit
    code, message = refused(lambda: functions.put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=wanted))
    assert code == "InvalidParameterValueException"
    assert message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum "
        f"value of [{floor}]."
    )
    functions.put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=0)


def test_what_fits_may_be_reserved_and_is_subtracted(emptied: Cloud) -> None:
    emptied.stack()
    functions = emptied.client("lambda")
    functions.put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=900)
    limits = functions.get_account_settings()["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 100)


def test_deleting_apis_too_fast_returns_429(cloud: Cloud) -> None:
    gateway = cloud.client("apigateway")
    made = [gateway.create_rest_api(name=f"api-{number}")["id"] for number in range(3)]
    cloud.control("PUT", "timing", {"timing": "realistic"})
    gateway.delete_rest_api(restApiId=made[0])
    with pytest.raises(gateway.exceptions.TooManyRequestsException) as caught:
        gateway.delete_rest_api(restApiId=made[1])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert 25 <= int(caught.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) <= 30
    other = cloud.client("apigateway", "eu-west-1")
    refused(lambda: other.delete_rest_api(restApiId="absent"))  # another region has its own rate limit
    cloud.control("PUT", "timing", {"timing": "fast", "scale": 0.01})
    eventually(lambda: _deleted(gateway, made[1]))
    eventually(lambda: _deleted(gateway, made[2]))


def _deleted(gateway: Any, api: str) -> bool:
    try:
        gateway.delete_rest_api(restApiId=api)
    except gateway.exceptions.TooManyRequestsException:
        return False
    return True


def test_creating_apis_and_deployments_is_rate_limited_too(cloud: Cloud) -> None:
    gateway = cloud.client("apigateway")
    cloud.control("PUT", "timing", {"timing": "realistic"})
    api = gateway.create_rest_api(name="one")["id"]
    assert refused(lambda: gateway.create_rest_api(name="two"))[0] == "TooManyRequestsException"
    gateway.create_deployment(restApiId=api)
    assert refused(lambda: gateway.create_deployment(restApiId=api))[0] == "TooManyRequestsException"


def openapi(cloud: Cloud, path: str) -> bytes:
    """An API of one path on the function `web`, with the preflight response that deployment tools write."""
    function = cloud.client("lambda").get_function(FunctionName="web")["Configuration"]["FunctionArn"]
    uri = f"arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/{function}/invocations"
    proxy = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "responses": {"default": {"statusCode": "200"}}}
    cors = {"method.response.header.Access-Control-Allow-Origin": "'*'"}
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseParameters": cors}},
    }
    key = "x-amazon-apigateway-integration"
    responses = {"responses": {"200": {"description": "fine"}}}
    item = {"get": {**responses, key: proxy}, "options": {**responses, key: mock}}
    return json.dumps({"swagger": "2.0", "info": {"title": "imported", "version": "1"}, "paths": {path: item}}).encode()


def test_an_api_may_be_imported_and_replaced_as_one_document(emptied: Cloud) -> None:
    emptied.stack()
    gateway = emptied.client("apigateway")
    api = gateway.import_rest_api(body=openapi(emptied, "/first/{name}"))["id"]
    gateway.create_deployment(restApiId=api, stageName="api")
    assert emptied.http(f"/_aws/execute-api/{api}/api/first/x")[0] == 200
    status, headers, _ = emptied.http(f"/_aws/execute-api/{api}/api/first/x", method="OPTIONS")
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    gateway.put_rest_api(restApiId=api, mode="overwrite", body=openapi(emptied, "/second"))
    gateway.create_deployment(restApiId=api, stageName="api")
    assert emptied.http(f"/_aws/execute-api/{api}/api/second")[0] == 200
    assert emptied.http(f"/_aws/execute-api/{api}/api/first/x")[0] == 403
    assert refused(lambda: gateway.put_rest_api(restApiId=api, mode="overwrite", body=b"{}"))[0] == "BadRequestException"


def role_template(name: str) -> str:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust}}
    return json.dumps({"Resources": {"Role": role}})


def settled(cloudformation: Any, stack: str) -> str:
    found: list[str] = []

    def done() -> bool:
        found[:] = [cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]]
        return not found[0].endswith("_IN_PROGRESS")

    eventually(done)
    return found[0]


class TestStacks:
    """docs/aws-behaviours.md, section 3."""

    def test_two_stacks_with_one_role_name_collide_across_regions(self, emptied: Cloud) -> None:
        first, second = emptied.client("cloudformation"), emptied.client("cloudformation", "eu-west-1")
        made = {"TemplateBody": role_template("one-name"), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        first.create_stack(StackName="first", **made)
        assert settled(first, "first") == "CREATE_COMPLETE"
        stack = second.create_stack(StackName="second", **made)["StackId"]
        assert settled(second, stack) == "ROLLBACK_COMPLETE"
        events = second.describe_stack_events(StackName=stack)["StackEvents"]
        reason = next(e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED")
        assert "already exists" in reason and "one-name" in reason
        assert [role["RoleName"] for role in emptied.client("iam").list_roles()["Roles"]].count("one-name") == 1

    def test_a_stack_that_was_rolled_back_can_only_be_deleted(self, emptied: Cloud) -> None:
        cloudformation = emptied.client("cloudformation")
        emptied.client("iam").create_role(RoleName="taken", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
        made = {"TemplateBody": role_template("taken"), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        stack = cloudformation.create_stack(StackName="rolled", **made)["StackId"]
        assert settled(cloudformation, stack) == "ROLLBACK_COMPLETE"
        code, message = refused(lambda: cloudformation.update_stack(StackName="rolled", **made))
        assert code == "ValidationError"
        assert message == f"Stack:{stack} is in ROLLBACK_COMPLETE state and can not be updated."
        cloudformation.delete_stack(StackName="rolled")
        assert settled(cloudformation, stack) == "DELETE_COMPLETE"
        assert emptied.client("iam").get_role(RoleName="taken")["Role"]["RoleName"] == "taken"

    def test_an_update_that_changes_nothing_is_an_error(self, emptied: Cloud) -> None:
        cloudformation = emptied.client("cloudformation")
        made = {"TemplateBody": role_template("same"), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        cloudformation.create_stack(StackName="same", **made)
        settled(cloudformation, "same")
        error = refused(lambda: cloudformation.update_stack(StackName="same", **made))
        assert error == ("ValidationError", "No updates are to be performed.")
        cloudformation.create_change_set(StackName="same", ChangeSetName="none", **made)
        described = cloudformation.describe_change_set(StackName="same", ChangeSetName="none")
        assert described["Status"] == "FAILED"
        assert described["StatusReason"] == (
            "The submitted information didn't contain changes. Submit different information to create a change set."
        )

    def test_a_missing_stack_is_a_validation_error_and_deleting_it_is_no_error(self, emptied: Cloud) -> None:
        cloudformation = emptied.client("cloudformation")
        error = refused(lambda: cloudformation.describe_stacks(StackName="absent"))
        assert error == ("ValidationError", "Stack with id absent does not exist")
        cloudformation.delete_stack(StackName="absent")

    def test_a_named_role_needs_its_capability(self, emptied: Cloud) -> None:
        cloudformation = emptied.client("cloudformation")
        code, message = refused(lambda: cloudformation.create_stack(StackName="named", TemplateBody=role_template("named")))
        assert code == "InsufficientCapabilitiesException"
        assert "CAPABILITY_NAMED_IAM" in message

    def test_a_stack_shows_its_work_while_it_takes_its_time(self, emptied: Cloud) -> None:
        emptied.control("PUT", "timing", {"timing": "fast"})
        cloudformation = emptied.client("cloudformation")
        text = json.dumps({"Resources": {f"Log{n}": {"Type": "AWS::Logs::LogGroup"} for n in range(5)}})
        cloudformation.create_stack(StackName="slowly", TemplateBody=text)
        seen = set()

        def complete() -> bool:
            rows = cloudformation.describe_stack_events(StackName="slowly")["StackEvents"]
            seen.add(sum(row["ResourceStatus"] == "CREATE_COMPLETE" for row in rows))
            return bool(cloudformation.describe_stacks(StackName="slowly")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

        eventually(complete)
        assert len(seen) > 2

    def test_stacks_that_delete_their_apis_wait_for_their_turn(self, emptied: Cloud) -> None:
        cloudformation = emptied.client("cloudformation")
        text = json.dumps({"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "a"}}}})
        for name in ("one", "two"):
            cloudformation.create_stack(StackName=name, TemplateBody=text)
            settled(cloudformation, name)
        emptied.control("PUT", "timing", {"timing": "fast", "scale": 2.0})
        stacks = [cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"] for name in ("one", "two")]
        for name in ("one", "two"):
            cloudformation.delete_stack(StackName=name)
        assert [settled(cloudformation, stack) for stack in stacks] == ["DELETE_COMPLETE"] * 2
        ends = []
        for stack in stacks:
            rows = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            gone = [
                row["Timestamp"]
                for row in rows
                if (row["LogicalResourceId"], row["ResourceStatus"]) == ("Api", "DELETE_COMPLETE")
            ]
            ends.append(gone[0].timestamp())
        assert abs(ends[1] - ends[0]) > 1

    def test_a_stack_cannot_delete_a_table_that_is_the_source_of_a_replica(self, emptied: Cloud) -> None:
        cloudformation, dynamodb = emptied.client("cloudformation"), emptied.client("dynamodb")
        properties = {
            "TableName": "things",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        }
        text = json.dumps({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}})
        cloudformation.create_stack(StackName="tables", TemplateBody=text)
        assert settled(cloudformation, "tables") == "CREATE_COMPLETE"
        emptied.replica()
        cloudformation.delete_stack(StackName="tables")
        assert settled(cloudformation, "tables") == "DELETE_FAILED"
        dynamodb.update_table(TableName="things", ReplicaUpdates=[{"Delete": {"RegionName": "eu-west-1"}}])
        eventually(lambda: "Replicas" not in dynamodb.describe_table(TableName="things")["Table"])
        stack = cloudformation.describe_stacks(StackName="tables")["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName="tables")
        assert settled(cloudformation, stack) == "DELETE_COMPLETE"
        assert dynamodb.list_tables()["TableNames"] == []
