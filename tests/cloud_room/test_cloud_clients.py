"""Any AWS client: the lines of the published workshop through the AWS CLI, in a shell that was pointed at the cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually
from tests.warm import processes, programs
from workshop.cloud import daemon

AWS = Path(sys.executable).parent / "aws"
pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed in this environment")


def aws(cloud: Cloud, line: str, code: int = 0) -> Any:
    """Run one line as a person types it."""
    environment = {
        **processes.STARTED_WITH, "PATH": os.environ["PATH"], "HOME": str(cloud.home), **daemon.environment(cloud.state)
    }  # fmt: skip
    program = programs.folder() / "aws" if processes.WARM else AWS
    done = subprocess.run(
        [program, *line.split()], env=environment, cwd=cloud.home, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout.strip().startswith("{") else done.stdout + done.stderr


def test_the_published_lines_of_the_first_module_work(emptied: Cloud) -> None:
    items = [
        {"PutRequest": {"Item": {"PK": {"S": "library"}, "SK": {"S": f"{n:02}"}, "title": {"S": "t"}}}} for n in range(1, 13)
    ]
    (emptied.home / "sample-data.json").write_text(json.dumps({"global-serverless": items}))
    made = aws(
        emptied,
        "dynamodb create-table --region us-west-2 --table-name global-serverless"
        " --attribute-definitions AttributeName=PK,AttributeType=S AttributeName=SK,AttributeType=S"
        " --key-schema AttributeName=PK,KeyType=HASH AttributeName=SK,KeyType=RANGE --billing-mode PAY_PER_REQUEST",
    )
    assert made["TableDescription"]["TableStatus"] == "CREATING"
    aws(emptied, "dynamodb wait table-exists --region us-west-2 --table-name global-serverless")
    update = "dynamodb update-table --region us-west-2 --table-name global-serverless --replica-updates"
    aws(emptied, update + ' [{"Create":{"RegionName":"eu-west-1"}}]')
    shown = aws(emptied, "dynamodb describe-table --region us-west-2 --table-name global-serverless")["Table"]
    assert shown["Replicas"] == [{"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"}]
    loaded = aws(emptied, "dynamodb batch-write-item --region us-west-2 --request-items file://sample-data.json")
    assert loaded["UnprocessedItems"] == {}
    key = '{"PK":{"S":"library"},"SK":{"S":"01"}}'
    for region in ("us-west-2", "eu-west-1"):
        found = aws(emptied, f"dynamodb get-item --region {region} --table-name global-serverless --key {key}")
        assert found["Item"]["title"] == {"S": "t"}
    values = '{":p":{"S":"library"}}'
    query = "dynamodb query --region eu-west-1 --table-name global-serverless --key-condition-expression PK=:p"
    assert aws(emptied, f"{query} --expression-attribute-values {values}")["Count"] == 12
    assert "Tables" not in aws(emptied, update + ' [{"Delete":{"RegionName":"eu-west-1"}}]')
    west = emptied.client("dynamodb")
    eventually(lambda: "Replicas" not in west.describe_table(TableName="global-serverless")["Table"])
    aws(emptied, "dynamodb delete-table --region us-west-2 --table-name global-serverless")
    aws(emptied, "dynamodb wait table-not-exists --region us-west-2 --table-name global-serverless")


def test_an_error_reads_as_on_aws(emptied: Cloud) -> None:
    output = aws(emptied, "dynamodb describe-table --table-name absent", code=255)
    assert "(ResourceNotFoundException) when calling the DescribeTable operation" in output


def test_a_stack_can_be_deployed_and_deleted_from_the_command_line(emptied: Cloud) -> None:
    template = (Path(__file__).parent / "stack.json").read_text().replace("@NAME@", "typed")
    (emptied.home / "api.json").write_text(template)
    place = "--region eu-west-1 --stack-name typed"
    aws(emptied, f"cloudformation deploy {place} --template-file api.json --capabilities CAPABILITY_IAM")
    api = aws(emptied, f"cloudformation describe-stacks {place}")["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert emptied.http(f"/_aws/execute-api/{api}/api/")[0] == 200
    aws(emptied, f"cloudformation delete-stack {place}")
    aws(emptied, f"cloudformation wait stack-delete-complete {place}")
    assert emptied.client("lambda", "eu-west-1").list_functions()["Functions"] == []
    assert emptied.client("logs", "eu-west-1").describe_log_groups()["logGroups"] == []
