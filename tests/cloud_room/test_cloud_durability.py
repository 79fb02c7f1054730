"""An acknowledged write to an item survives kill -9, whichever operation made it and whenever the kill comes."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.amount import long
from tests.cloud_room.conftest import Cloud, eventually
from tests.virtual_cloud import item, where
from tests.warm import clouds
from workshop.cloud import daemon

REGIONS = ("us-west-2", "eu-west-1")
Value = str | None


def kill(cloud: Cloud) -> None:
    pid = daemon.status(cloud.home).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not daemon.status(cloud.home).running)


def restarted(cloud: Cloud) -> Cloud:
    return Cloud(cloud.home, clouds.start(cloud.home, timing="instant"))


def content(cloud: Cloud, region: str = "us-west-2") -> dict[str, str]:
    pages = cloud.client("dynamodb", region).get_paginator("scan").paginate(TableName="things")
    return {row["SK"]["S"]: row["v"]["S"] for page in pages for row in page["Items"]}


def put(client: Any, name: str, value: Value) -> None:
    client.put_item(TableName="things", Item=item(name, str(value)))


def update(client: Any, name: str, value: Value) -> None:
    client.update_item(
        TableName="things", Key=where(name), UpdateExpression="SET v = :v", ExpressionAttributeValues={":v": {"S": value}}
    )


def delete(client: Any, name: str, _: Value) -> None:
    client.delete_item(TableName="things", Key=where(name))


def batch(client: Any, name: str, value: Value) -> None:
    client.batch_write_item(RequestItems={"things": [_request(name, value)]})


def transact(client: Any, name: str, value: Value) -> None:
    change = {"Put": {"TableName": "things", "Item": item(name, value)}} if value else {"Delete": _deletion(name)}
    client.transact_write_items(TransactItems=[change])


def statement(client: Any, name: str, value: Value) -> None:
    client.execute_statement(**_partiql(name, value))


def statements(client: Any, name: str, value: Value) -> None:
    (response,) = client.batch_execute_statement(Statements=[_partiql(name, value)])["Responses"]
    if "Error" in response:
        raise ClientError({"Error": response["Error"]}, "BatchExecuteStatement")


def transaction(client: Any, name: str, value: Value) -> None:
    client.execute_transaction(TransactStatements=[_partiql(name, value)])


def _request(name: str, value: Value) -> dict[str, Any]:
    return {"PutRequest": {"Item": item(name, value)}} if value else {"DeleteRequest": {"Key": where(name)}}


def _deletion(name: str) -> dict[str, Any]:
    return {"TableName": "things", "Key": where(name)}


def _partiql(name: str, value: Value) -> dict[str, Any]:
    key = where(name)
    parameters = [key["PK"], key["SK"]]
    if value is None:
        return {"Statement": 'DELETE FROM "things" WHERE PK = ? AND SK = ?', "Parameters": parameters}
    change = 'UPDATE "things" SET v = ? WHERE PK = ? AND SK = ?'
    return {"Statement": change, "Parameters": [{"S": value}, *parameters]}


Write = Callable[[Any, str, Value], None]
SETTING: tuple[Write, ...] = (put, update, batch, transact, statement, statements, transaction)
REMOVING: tuple[Write, ...] = (delete, batch, transact, statement, statements, transaction)


@pytest.mark.parametrize(("writes", "value"), [(SETTING, "after"), (REMOVING, None)], ids=["set", "remove"])
def test_every_operation_on_an_item_survives_a_kill_right_after_it(cloud: Cloud, writes: tuple[Write, ...], value: Value) -> None:
    cloud.table()
    expected: dict[str, str] = {}
    for write in writes:
        name, client = write.__name__, cloud.client("dynamodb")
        put(client, name, "before")
        write(client, name, value)
        kill(cloud)
        cloud = restarted(cloud)
        expected |= {name: value} if value else {}
        assert content(cloud) == expected


def test_a_partiql_transaction_that_was_cancelled_does_not_come_back_after_a_kill(cloud: Cloud) -> None:
    cloud.table()
    client = cloud.client("dynamodb")
    put(client, "a", "kept")
    with pytest.raises(ClientError, match="TransactionCanceled"):
        client.execute_transaction(
            TransactStatements=[
                _partiql("a", "cancelled"),
                {"Statement": "INSERT INTO \"things\" VALUE {'PK': 'p', 'SK': 'a', 'v': 'exists already'}"},
            ]
        )
    put(client, "b", "later")
    kill(cloud)
    assert content(restarted(cloud)) == {"a": "kept", "b": "later"}


def test_a_write_by_a_function_survives_a_kill_right_after_its_response(cloud: Cloud) -> None:
    cloud.table()
    api = cloud.stack()
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    key = {'PK': {'S': 'p'}, 'SK': {'S': 'function'}, 'v': {'S': 'it wrote'}}\n"
        "    boto3.client('dynamodb').put_item(TableName='things', Item=key)\n"
        "    return {'statusCode': 200, 'body': 'written'}\n"
    )
    functions = cloud.client("lambda")
    handler = functions.get_function_configuration(FunctionName="web")["Handler"]
    functions.update_function_code(FunctionName="web", ZipFile=_zipped(handler, code))
    eventually(lambda: cloud.http(f"/_aws/execute-api/{api}/api/")[2] == b"written")
    kill(cloud)
    assert content(restarted(cloud)) == {"function": "it wrote"}


def _zipped(handler: str, code: str) -> bytes:
    import io
    import zipfile

    module, function = handler.rsplit(".", 1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{module}.py", code.replace("def handler", f"def {function}"))
    return packed.getvalue()


def test_a_table_that_was_made_again_does_not_get_the_writes_of_the_one_before(cloud: Cloud) -> None:
    cloud.table()
    client = cloud.client("dynamodb")
    put(client, "old", "1")
    client.delete_table(TableName="things")
    cloud.table()
    put(client, "new", "2")
    kill(cloud)
    assert content(restarted(cloud)) == {"new": "2"}


@dataclass
class Worker:
    """Writes to items of its own, from one region; knows what was acknowledged, and what the one open call may have done."""

    cloud: Cloud
    number: int
    chance: random.Random
    known: dict[str, Value] = field(default_factory=dict)
    open: dict[str, Value] = field(default_factory=dict)

    def run(self, killing: threading.Event) -> None:
        """Write until the cloud is gone."""
        client = self.cloud.client("dynamodb", REGIONS[self.number % 2])
        for count in range(100_000):
            name, value = f"{self.number}-{self.chance.randrange(5)}", f"{self.number}.{count}.{self.chance.random()}"
            removes = self.known.get(name) is not None and self.chance.random() < 0.3
            exists = self.known.get(name) is not None
            write = self.chance.choice(REMOVING if removes else SETTING if exists else (put, update, batch, transact))
            self.open = {name: None if removes else value}
            try:
                write(client, name, self.open[name])
            except (BotoCoreError, ClientError):
                assert killing.is_set(), "refused although the cloud was not killed"
                return
            self.known |= self.open
            self.open = {}


def assert_kept(found: dict[str, str], workers: list[Worker]) -> None:
    """Every acknowledged write is there, and nothing else but what a call that was open may have done."""
    allowed: dict[str, set[Value]] = {}
    for worker in workers:
        for name, value in {**worker.known, **worker.open}.items():
            allowed.setdefault(name, set()).update({value, worker.known.get(name)})
    assert {name: found.get(name) for name in allowed if found.get(name) not in allowed[name]} == {}
    assert set(found) <= set(allowed)


def test_whatever_eight_clients_write_before_a_kill_at_a_random_moment_is_there_after_it(cloud: Cloud) -> None:
    chance = random.Random(20)
    cloud.table()
    cloud.replica()
    workers = [Worker(cloud, number, random.Random(number)) for number in range(8)]
    for _ in range(20 if long() else 4):
        clouds.start(cloud.home, timing="fast", scale=0.05)
        killing = threading.Event()
        with ThreadPoolExecutor(8) as pool:
            running = [pool.submit(worker.run, killing) for worker in workers]
            time.sleep(chance.uniform(0.05, 1.2))  # the random moment of the kill
            killing.set()
            kill(cloud)
        for one in running:
            one.result()
        again = restarted(cloud)
        eventually(lambda: content(again, REGIONS[0]) == content(again, REGIONS[1]))  # noqa: B023 - at once
        found = content(again)
        assert_kept(found, workers)
        for worker in workers:
            worker.known = {name: found.get(name) for name in {**worker.known, **worker.open}}
            worker.open = {}
