"""One workshop in three accounts: each in its own regions, folder and run, and one that cannot go on stops no other."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.fakes.aws import FakeClient, refusal
from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import CredentialsError
from workshop.aws.target import Target
from workshop.definition.loader import load
from workshop.definition.parameters import Settings, resolve
from workshop.engine.events import Event, NodeProgressed, NodeWaits, Noticed, StopAsked
from workshop.engine.execute import StopSignal
from workshop.engine.journal import Journal
from workshop.engine.observe import observe_all
from workshop.engine.plan import NodeKey
from workshop.engine.receipt import make_receipt
from workshop.engine.results import NodeResult
from workshop.engine.setup import check_files, set_up
from workshop.engine.teardown import sweep, tear_down
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.base import Resource, State

FILMS = """\
name: films
title: Films
regions: [us-west-2, eu-west-1]
apis: {step: api, output: ApiId, stage: api}
modules:
  - name: backend
    title: The backend
    steps:
      - {id: table, kind: dynamodb.table, in: home, with: {name: films, keys: {PK: S}}}
      - {id: data, kind: dynamodb.items, in: home, needs: [table], with: {table: films, file: data.json}}
      - {id: api, kind: cloudformation.stack, in: each, needs: [table], with: {name: films-api, template: api.yaml}}
      - {id: web, kind: web.site, in: global, needs: [api], with: {source: web}}
"""
ANA, BEA, CLEO = "111111111111", "222222222222", "333333333333"


class ThreeAccounts:
    """A workshop in three fake accounts, the third with a home of its own, with one journal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, VirtualClock()
        self.clients = {account: FakeClient(self.clock, account) for account in (ANA, BEA, CLEO)}
        self.journal = Journal(folder / "runs.db")
        self.events: list[Event] = []
        self.stop = StopSignal()
        self.runs = 0

    def workspace(self) -> Workspace:
        self.runs, self.stop = self.runs + 1, StopSignal()
        workshop = load(str(self.folder / "films"))
        return Workspace(
            workshop=workshop,
            settings=resolve(workshop, {}, ()),
            target=Target("aws", self.folder / "sites" / "aws"),
            clients=self.clients,
            journal=self.journal,
            clock=self.clock,
            run=f"run-{self.runs}",
            granted=True,
            account_settings={CLEO: Settings({}, ("ap-south-1",))},
        )

    async def setup(self) -> list[NodeResult]:
        workspace = self.workspace()
        for account in self.clients:
            self.journal.begin_run(workspace.of_account(account).run, "setup", workspace.scope(account), f"arn:of:{account}")
            self.journal.record_installed(workspace.installation(account))
        plan = workspace.plan()
        await check_files(workspace, plan)
        return await set_up(workspace, plan, Contexts(workspace, self.events.append), self.events.append, self.stop)

    async def teardown(self) -> tuple[Workspace, list[NodeResult], dict[str, list[Resource]]]:
        workspace = self.workspace()
        plan, contexts = workspace.plan(), Contexts(workspace, self.events.append)
        results = await tear_down(workspace, plan, contexts, self.events.append, self.stop)
        return workspace, results, await sweep(plan, contexts, self.events.append, results)

    def expire(self, account: str, after: float = 0.0) -> None:
        """From that second on, the account takes no credentials."""

        def refuse(call) -> None:
            if call.at >= after:
                raise refusal("ExpiredTokenException", "The security token included in the request is expired")

        self.clients[account].watch = refuse


@pytest.fixture
def three(tmp_path: Path) -> Iterator[ThreeAccounts]:
    films = tmp_path / "films"
    (films / "web").mkdir(parents=True)
    (films / "workshop.yaml").write_text(FILMS)
    (films / "data.json").write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}}}}]}')
    (films / "api.yaml").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    (films / "web" / "config.json.j2").write_text('{"account": "{{ account }}", "apis": {{ apis | tojson }}}')
    made = ThreeAccounts(tmp_path)
    with contextlib.closing(made.journal):
        yield made


def by_account(results: list[NodeResult]) -> dict[str, set[str]]:
    return {a: {r.outcome.value for r in results if r.node.key.account == a} for a in (ANA, BEA, CLEO)}


def config(folder: Path, account: str) -> dict:
    return json.loads((folder / "sites" / f"aws-{account}" / "films" / "config.json").read_text())


async def test_every_account_gets_all_of_it_in_its_own_regions_and_a_site_of_its_own(three):
    results = await three.setup()
    assert by_account(results) == {ANA: {"created"}, BEA: {"created"}, CLEO: {"created"}}
    for account, regions in ((ANA, {HOME, EU}), (BEA, {HOME, EU}), (CLEO, {"ap-south-1"})):
        assert {call.region for call in three.clients[account].made("create_stack")} == regions
        page = config(three.folder, account)
        assert page["account"] == account and set(page["apis"]) == regions
    assert [found.regions for found in three.journal.installations("films")] == [("ap-south-1",), (HOME, EU), (HOME, EU)]


async def test_accounts_do_not_wait_for_each_other(three):
    await three.setup()
    begun = {client.made("create_table")[0].at for client in three.clients.values()}
    assert len(begun) == 1


async def test_a_setup_in_three_accounts_of_which_one_has_expired_credentials_finishes_the_other_two(three):
    three.expire(BEA, after=20)
    results = await three.setup()
    assert by_account(results) == {ANA: {"created"}, BEA: {"created", "failed", "cancelled"}, CLEO: {"created"}}
    errors = [result.error for result in results if result.error]
    assert errors and all(isinstance(error, CredentialsError) for error in errors)
    assert not three.stop.asked and StopAsked() not in three.events
    assert any(f"Account {BEA} stops here" in event.text for event in three.events if isinstance(event, Noticed))
    three.clients[BEA].watch = lambda call: None
    again = by_account(await three.setup())
    assert again == {ANA: {"unchanged"}, BEA: {"unchanged", "created"}, CLEO: {"unchanged"}}


async def test_when_no_account_is_left_the_run_ends_with_the_first_error(three):
    for number, account in enumerate((ANA, BEA, CLEO)):
        three.expire(account, after=number)
    results = await three.setup()
    first = min((r for r in results if r.error), key=lambda r: r.at)
    assert three.stop.asked and three.stop.fatal is first.error and first.node.key.account == ANA
    assert "created" not in by_account(results)[ANA]


async def test_a_teardown_of_three_accounts_of_which_one_has_expired_credentials_empties_the_other_two(three):
    await three.setup()
    three.expire(BEA)
    workspace, results, left = await three.teardown()
    assert by_account(results)[ANA] == by_account(results)[CLEO] == {"removed"}
    assert left[ANA] == left[CLEO] == [] and {resource.kind for resource in left[BEA]} == {"unknown"}
    assert three.clients[ANA].dynamodb.tables() == three.clients[CLEO].dynamodb.tables() == []
    assert three.clients[BEA].dynamodb.tables() != []
    receipts = {
        account: make_receipt(workspace, account, results, left[account], since="", by="", again="workshop teardown")
        for account in three.clients
    }
    assert {account: receipt.clean for account, receipt in receipts.items()} == {ANA: True, BEA: False, CLEO: True}
    assert receipts[CLEO].regions == ("ap-south-1",) and {step["account"] for step in receipts[ANA].steps} == {ANA}
    assert [entry.by for entry in receipts[ANA].made] == [f"arn:of:{ANA}"] * len(receipts[ANA].made)


async def test_things_of_one_name_that_are_left_in_two_accounts_are_both_named(three):
    await three.setup()
    for account in (ANA, BEA):
        three.clients[account].refuse("delete_table", HOME, refusal("AccessDeniedException"), refusal("AccessDeniedException"))
    _, _, left = await three.teardown()
    assert [[r.name for r in left[account] if r.kind == "table"] for account in (ANA, BEA, CLEO)] == [["films"], ["films"], []]
    lines = [event.text for event in three.events if isinstance(event, Noticed) and "Left: table" in event.text]
    assert lines == [f"Left: table films in {HOME}, account {account}" for account in (ANA, BEA)]


async def test_an_account_without_credentials_spoils_no_look_at_the_others(three):
    await three.setup()
    three.expire(BEA)
    workspace = three.workspace()
    points = await observe_all(workspace, workspace.plan(), Contexts(workspace, three.events.append))
    ready = {account: {p.observed.state for p in points if p.node.key.account == account} for account in three.clients}
    assert ready[ANA] == ready[CLEO] == {State.READY} and State.BROKEN in ready[BEA]
    for account in (ANA, CLEO):
        three.expire(account)
    with pytest.raises(CredentialsError):
        await observe_all(workspace, workspace.plan(), Contexts(workspace, three.events.append))


async def test_lines_about_nodes_of_several_accounts_show_the_account(three):
    await three.setup()
    nodes = [event.node for event in three.events if isinstance(event, NodeWaits | NodeProgressed)]
    assert {node.key.account for node in nodes} == {ANA, BEA, CLEO}
    assert all(node.key.account in str(node.key) for node in nodes)
    names = [str(node.key) for node in three.workspace().plan().nodes]
    assert len(set(names)) == len(names) and f"table (us-west-2, {ANA})" in names


async def test_a_node_of_the_only_account_is_named_without_it(three):
    workspace = three.workspace().of_account(BEA)
    assert {key.account for key in (node.key for node in workspace.plan().nodes)} == {BEA}
    assert f"table ({HOME})" in [str(node.key) for node in workspace.plan().nodes]
    assert NodeKey(BEA, "table", HOME, several=True) == NodeKey(BEA, "table", HOME)
    assert workspace.of_account(BEA) is workspace and asyncio.get_running_loop().time() == 0
