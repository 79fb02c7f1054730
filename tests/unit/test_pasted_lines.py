"""Every line that steps, leftovers and errors offer for pasting, with values that no check has seen before."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes.aws import ACCOUNT
from tests.unit.fakes.context import HOME, StepSandbox, context
from tests.unit.hostile import HOSTILE, hidden, refused
from workshop.app.invocation import Invocation
from workshop.aws.resources.listing import buckets, functions, log_groups, rest_apis, roles, tables
from workshop.aws.resources.tables import Replica, Table
from workshop.aws.target import Target
from workshop.definition.builtins import builtin_names
from workshop.definition.loader import load
from workshop.definition.parameters import resolve
from workshop.definition.renderer import MissingOutputError
from workshop.engine.journal import Journal
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.dynamodb.leftovers import leftover_of, protected, replicated
from workshop.steps.registry import kinds
from workshop.steps.route53.record_sets import RecordTarget

KINDS = kinds()
WITH = {
    "dynamodb.table": lambda a, b: {"name": a, "keys": {a: "S", b: "N"}, "indexes": {b: {b: "N"}}, "stream": True},
    "dynamodb.replica": lambda a, b: {"table": a},
    "dynamodb.items": lambda a, b: {"table": a, "file": b},
    "cloudformation.stack": lambda a, b: {"name": a, "template": b, "parameters": {a: b, b: a}, "capabilities": [a, b]},
    "route53.zone": lambda a, b: {"name": a, "adopt": True},
    "dns.delegation": lambda a, b: {"name": a, "servers": (a, b), "deadline": 1.0},
    "dns.answers": lambda a, b: {"name": a, "zone": b, "expect": "weighted", "queries": 10, "deadline": 1.0},
    "route53.health": lambda a, b: {"host": a, "path": b, "port": 443, "search": b},
    "route53.records": lambda a, b: {
        "zone": a,
        "name": b,
        "policy": "weighted",
        "ttl": 60,
        "targets": (RecordTarget.model_construct(host=f"x{a}", health=b),) * 2,
    },
    "dns.wiring": lambda a, b: {"zone": a, "name": b},
    "cognito.user": lambda a, b: {"pool": a, "name": b, "email": a},
    "web.site": lambda a, b: {"source": a, "shared": b, "config": b},
    "http.check": lambda a, b: {"url": a},
}
few = settings(max_examples=10, deadline=None)
pairs = st.lists(st.tuples(HOSTILE, HOSTILE), min_size=5, max_size=10)


class AnyFiles:
    """Files of any name."""

    root = Path("/films")

    def path(self, name):
        return self.root / name.replace("\0", "")


def hostile_context(kind, one, other):
    """A context of a kind whose every text is one of two; pydantic is passed by."""
    sandbox, settings_of = StepSandbox(), WITH[kind](one, other)
    ctx = context(sandbox.aws, sandbox.notes, KINDS[kind].Params.model_construct(**settings_of), region=one, regions=(one, other))
    return replace(
        ctx, workshop=one, step=other, files=AnyFiles(), given=("--workshop", one, "--param", f"x={other}"),
        defaults=lambda: {**settings_of, "table": "films"}, target=Target("aws", Path("/sites")),
    )  # fmt: skip


def sound(lines):
    """Each is one line that bash reads and that holds nothing a terminal obeys."""
    for line in lines:
        assert len(line.splitlines()) == 1 and not hidden(line), line
    assert refused(lines) == ""
    return lines


def test_every_kind_is_tried():
    assert set(WITH) == set(KINDS)


@pytest.mark.parametrize("kind", list(WITH))
@few
@given(pairs)
def test_the_lines_of_a_kind_hold_their_values_as_words(kind, values):
    every = []
    for one, other in values:
        lines = KINDS[kind].commands(hostile_context(kind, one, other))
        every += lines
        if hidden(one + other):
            continue
        for line in lines:
            if line.startswith("(while"):
                continue  # shell around the words: tests/unit/test_shell.py
            kept = re.fullmatch(r'[A-Z]+="\$\((.*)\)"', line)
            found = shlex.split(kept[1] if kept else line, comments=False)
            assert found[0] in ("aws", "workshop", "curl", "cat", "dig", "#"), line
            for symbol in ("&", "|", ";", "`"):
                assert symbol not in found or symbol in (one, other)
    sound(every)


@few
@given(pairs)
def test_the_lines_of_a_site_in_a_bucket_hold_its_names_as_words(values):
    every = []
    for one, other in values:
        ctx = hostile_context("web.site", one, other)
        hosted = {**ctx.params.model_dump(), "bucket": one, "distribution": other, "host": one}
        lines = KINDS["web.site"].commands(replace(ctx, params=type(ctx.params).model_construct(**hosted)))
        every += lines
        if not hidden(one + other):
            copies = [shlex.split(line) for line in lines if line.startswith("aws s3 cp --recursive")]
            assert len(copies) == 4 and all(f"s3://{one}" in words for words in copies)
    sound(every)


class Answers:
    """A aws where everything has the same name."""

    account = ACCOUNT

    def __init__(self, name):
        self.name = name

    async def call(self, service, region, operation, **parameters):
        name = self.name
        return {
            "get_rest_apis": {"items": [{"name": name, "id": name}]}, "get_function": {}, "get_bucket_tagging": {},
            "describe_log_groups": {"logGroups": [{"logGroupName": name}]}, "list_roles": {"Roles": [{"RoleName": name}]},
            "list_role_tags": {},
            "describe_table": {"Table": {"TableName": name, "TableArn": "arn", "TableStatus": "ACTIVE", "KeySchema": [],
                                         "AttributeDefinitions": []}},
            "list_tags_of_resource": {},
        }[operation]  # fmt: skip


@few
@given(st.lists(HOSTILE, min_size=5, max_size=15))
def test_what_is_left_is_removed_by_a_line_that_names_it_as_one_word(names):
    async def found(name):
        aws = Answers(name)
        looks = (functions, log_groups, roles, buckets, tables)
        return [*await rest_apis(aws, HOME), *[each for look in looks for each in await look(aws, HOME, name)]]

    every = []
    for name in names:
        left = asyncio.run(found(name))
        assert {each.kind for each in left} == {"rest-api", "function", "log-group", "role", "bucket", "table"}
        every += [line for each in left for line in (each.fix, each.show)]
        for each in left:
            if not hidden(name):
                assert any(word in (name, f"s3://{name}") or word.endswith(f"={name}") for word in shlex.split(each.fix))
    sound(every)


@few
@given(pairs)
def test_a_table_that_stays_is_removed_by_lines_that_name_it_as_one_word(values):
    every = []
    for name, region in values:
        table = Table(name, region, "arn", "ACTIVE", (), (Replica(region, "ACTIVE", ""),), True, None)
        ctx = replace(hostile_context("dynamodb.table", name, region), given=("--workshop", name))
        for left in (
            leftover_of(table, ours=True, copies=table.members),
            leftover_of(table, ours=True),
            leftover_of(table, ours=False),
        ):
            every += [left.fix, left.show]
        every += [protected(table, region).fix, *replicated(ctx, table).fix.split("; when they are gone: ")]
    sound(every)


@few
@given(pairs)
def test_a_command_is_typed_again_with_the_options_that_were_given(values):
    lines = []
    for one, other in values:
        invocation = Invocation(one, "local", "", (one, other), {"x": other}, other, yes=False, json=False)
        lines.append(invocation.command_line("setup", "local"))
        if not hidden(one + other):
            assert shlex.split(lines[-1])[:2] == ["workshop", "setup"] and f"x={other}" in shlex.split(lines[-1])
    sound(lines)


def _commands(contexts, node):
    """The lines of a node; none where they need what earlier steps make."""
    try:
        step, ctx = contexts.context(node)
        return step.commands(ctx)
    except MissingOutputError:
        return []


@pytest.mark.parametrize("name", builtin_names())
def test_the_lines_of_a_builtin_workshop_carry_the_options_that_were_given(name, tmp_path):
    workshop, sandbox = load(name), StepSandbox()
    given = ("--workshop", "./it's $(touch x)", "--target", "local", "--region", "us-west-2", "--param", "x=`y`;\n#")
    with contextlib.closing(Journal(tmp_path / "runs.db")) as journal:
        workspace = Workspace(
            workshop=workshop, settings=resolve(workshop, {}, ()), target=Target("aws", tmp_path), clients={ACCOUNT: sandbox.aws},
            journal=journal, clock=sandbox.clock, run="run", given=given,
        )  # fmt: skip
        contexts = Contexts(workspace, lambda _: None)
        lines = [line for node in workspace.plan().nodes for line in _commands(contexts, node)]
    ours = [line for line in sound(lines) if line.startswith("workshop ")]
    assert ours and all("--workshop './it'\"'\"'s $(touch x)' --target local --region us-west-2" in line for line in ours)
