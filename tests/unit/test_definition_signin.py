"""The `signin:` block: the addresses that follow from it, what templates, results and lint make of it, and `| origin`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.definition_builders import steps, workshop, write
from tests.unit.fakes.aws import ACCOUNT
from tests.unit.fakes.workspaces import AWS, LOCAL, workspace
from workshop.console.report import SetupReport
from workshop.console.results import show_setup
from workshop.definition.lint import lint
from workshop.definition.templating import MissingOutputError
from workshop.engine.brings import brought, unlisted
from workshop.engine.plan import NodeKey
from workshop.engine.workspace import Contexts
from workshop.errors import ExitCode

HOME = "us-west-2"
POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbC123"
DOMAIN, SITE = "tickets.auth.eu-central-1.amazoncognito.com", "d111111abcdef8.cloudfront.net"
PARTS = (
    "{id: identity, kind: cloudformation.stack, in: home, with: {name: one, template: api.yaml.j2}}",
    "{id: call, kind: http.check, in: global, needs: [identity], with: {url: '{{ signin.authorize_url }}'}}",
)
BLOCK = f"""\
signin:
  pool: '{{{{ steps.identity.PoolArn }}}}'
  client: '{{{{ steps.identity.ClientId }}}}'
  host: '{{{{ steps.identity.Domain ~ ".auth.eu-central-1.amazoncognito.com" }}}}'
  redirect: '{{{{ "{SITE}" | origin }}}}/tickets.html'
  scope: openid tickets/read
"""
OUTPUTS = {"PoolArn": POOL, "ClientId": "c1", "Domain": "tickets"}


def text(block=BLOCK, parts=PARTS):
    return steps(*parts) + block


def built(found, outputs=OUTPUTS):
    contexts = Contexts(found, lambda _: None)
    contexts.outputs[NodeKey(ACCOUNT, "identity", HOME)] = outputs
    return contexts


def problems(folder, definition):
    path = write(folder, definition, api__yaml__j2="A: 1\n")
    return [(problem.field, f"{problem.what} {problem.fix}") for problem in lint(str(path))]


def test_the_address_after_signing_out_is_optional_and_linted_where_it_is_there(tmp_path):
    assert problems(tmp_path, text(BLOCK + "  signed_out: '{{ steps.identity.Site }}/out.html'\n")) == []
    ((field, said),) = problems(tmp_path, text(BLOCK + "  signed_out: '{{ sites }}/out.html'\n"))
    assert field == "signin.signed_out" and "'sites'" in said


@pytest.mark.parametrize(
    ("target", "at", "back"),
    [
        (AWS, f"https://{DOMAIN}", f"https://{SITE}/tickets.html"),
        (
            LOCAL,
            "http://tickets.auth.eu-central-1.localhost:4567",
            "http://d111111abcdef8.cloudfront.localhost:4567/tickets.html",
        ),
    ],
)
def test_every_address_follows_from_the_pool_and_its_host(tmp_path, target, at, back):
    with workspace(tmp_path, text(), target=target) as found:
        contexts = built(found)
        assert contexts.made(ACCOUNT)["signin"] == {
            "pool": POOL,
            "issuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC123",
            "client_id": "c1",
            "authorize_url": f"{at}/oauth2/authorize",
            "token_url": f"{at}/oauth2/token",
            "logout_url": f"{at}/logout",
            "redirect_uri": back,
            "scope": "openid tickets/read",
        }
        _, ctx = contexts.context(found.plan().nodes[-1])
    assert ctx.params.url == f"{at}/oauth2/authorize"


@pytest.mark.parametrize("outputs", [{}, {**OUTPUTS, "Domain": ""}, {**OUTPUTS, "PoolArn": "eu-central-1_AbC123"}])
def test_there_is_nothing_to_read_while_an_output_of_it_does_not_exist(tmp_path, outputs):
    with workspace(tmp_path, text()) as found:
        contexts, node = built(found, outputs), found.plan().nodes[-1]
        assert contexts.made(ACCOUNT)["signin"] == {}
        with pytest.raises(MissingOutputError, match=r"signin\.authorize_url is not there"):
            contexts.context(node)
        assert contexts.context(node, missing="blank")[1].params.url == ""


def shown(found, capsys, *, as_json, outputs=OUTPUTS, user=None):
    contexts = built(found, outputs)
    if user:
        contexts.outputs[NodeKey(ACCOUNT, "user", HOME)] = user
    show_setup(
        SetupReport(
            command="setup", workshop="films", target="local", account=ACCOUNT, regions=(HOME,), results=(),
            code=ExitCode.DONE, resume="", apis={}, names=None, signin=contexts.signin(ACCOUNT), links={},
        ),
        json=as_json,
    )  # fmt: skip
    return capsys.readouterr().out


STACK = "Resources: {A: {Type: AWS::SNS::Topic}}\n"
USER = "{id: user, kind: http.check, in: home, needs: [identity], with: {url: 'http://x/'}}"
WITH_USER = text(f"{BLOCK}  user: user\n", (*PARTS, USER))
MADE = {"Name": "ana", "Password": "word"}


def test_results_show_the_user_on_the_local_cloud_alone(tmp_path, capsys):
    for folder, target, extra in (("a", LOCAL, {"user": "ana", "password": "word"}), ("b", AWS, {})):
        with workspace(tmp_path / folder, WITH_USER, target=target) as found:
            document = json.loads(shown(found, capsys, as_json=True, user=MADE))["signin"]
            line = next(line for line in shown(found, capsys, as_json=False, user=MADE).splitlines() if "sign in" in line)
        expected = {"issuer", "authorize_url", "token_url", "client_id", "redirect_uri", "scope"}
        assert {key: document.pop(key) for key in extra} == extra and set(document) == expected
        assert ("ana with the password word" in line) == bool(extra) and ("tickets.html" in line) != bool(extra)


def test_results_have_an_empty_block_before_it_is_deployed_and_none_without_one(tmp_path, capsys):
    with workspace(tmp_path, text()) as found:
        assert json.loads(shown(found, capsys, as_json=True, outputs={}))["signin"] == {}
        assert "sign in" not in shown(found, capsys, as_json=False, outputs={})
    with workspace(tmp_path / "none", steps(PARTS[0])) as found:
        assert "signin" not in json.loads(shown(found, capsys, as_json=True))


def test_a_sound_block_has_no_problem_and_a_step_that_reads_it_waits_for_what_it_is_made_of(tmp_path):
    assert problems(tmp_path, text()) == []
    ((field, said),) = problems(tmp_path, text().replace(", needs: [identity]", ""))
    assert field == "modules.backend.steps.call.with" and "Add 'identity' to `needs`" in said


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("'{{ steps.identity.PoolArn }}'", "eu-central-1_AbC123", "signin.pool", "is not the ARN of a user pool"),
        ("'{{ steps.identity.ClientId }}'", "'{{ nothing }}'", "signin.client", "'nothing' is not defined"),
        ("{{ steps.identity.ClientId }}", "{{ steps.other.ClientId }}", "signin.client", "there is no such step"),
        ("'{{ steps.identity.ClientId }}'", "'{{ \"\" }}'", "signin.client", "is empty"),
        ("scope: openid", "user: identity\n  scope: openid", "signin.user", "is no step that makes a user"),
        ("scope: openid", "scopes: openid", "signin.scopes", "scope"),
    ],
)
def test_lint_names_what_is_wrong_with_the_block(tmp_path, old, new, field, words):
    found = problems(tmp_path, text(parts=PARTS[:1]).replace(old, new, 1))
    assert [where for where, _ in found] == [field] and words in found[0][1], found


def test_a_host_is_a_name_alone(tmp_path):
    block = BLOCK.replace("'{{ steps.identity.Domain ~ \".auth.eu-central-1.amazoncognito.com\" }}'", "https://a.example/login")
    ((field, said),) = problems(tmp_path, text(block, PARTS[:1]))
    assert field == "signin.host" and "is no host" in said


def test_reading_what_is_not_described_is_a_problem(tmp_path):
    ((_, said),) = problems(tmp_path, text(""))
    assert "the definition has no such block" in said


def test_what_a_workshop_brings_is_the_same_before_and_after_its_outputs_exist(tmp_path):
    check = "{id: page, kind: http.check, in: global, needs: [identity], with: {url: '{{ steps.identity.Site | origin }}/x'}}"
    for target in (AWS, LOCAL):
        with workspace(tmp_path / target.name, text(parts=(*PARTS, check)), target=target, api__yaml__j2=STACK) as found:
            listed, contexts = brought(found), built(found, {**OUTPUTS, "Site": SITE})
            for node in found.plan().nodes[1:]:
                step, ctx = contexts.context(node)
                (own,) = step.brings(ctx)
                assert own.kind == "address" and unlisted(contexts, node, [own], listed) == []


@pytest.mark.parametrize(
    ("host", "local"),
    [
        (SITE, "http://d111111abcdef8.cloudfront.localhost:4567"),
        (DOMAIN, "http://tickets.auth.eu-central-1.localhost:4567"),
        ("abc.execute-api.eu-west-1.amazonaws.com", "http://abc.execute-api.eu-west-1.localhost:4567"),
        ("*.execute-api.eu-west-1.amazonaws.com", "http://*.execute-api.eu-west-1.localhost:4567"),
        ("api.rydes.localhost.", "http://api.rydes.localhost:4567"),
        ("*.rydes.localhost", "http://*.rydes.localhost:4567"),
        ("login.example.com", "https://login.example.com"),
        ("x.cloudfront.net.example.com", "https://x.cloudfront.net.example.com"),
    ],
)
def test_the_origin_of_a_host_is_what_browsers_reach_it_at(tmp_path, host, local):
    assert LOCAL.origin(host) == local
    assert AWS.origin(host) == f"https://{host.rstrip('.')}"
    found = workshop(Path(tmp_path), steps("{id: call, kind: http.check, in: global, with: {url: 'http://x/'}}"))
    variables = {"_origin": LOCAL.origin, "host": host}
    assert found.files.renderer.render("{{ host | origin }}", variables, "here") == local
    assert found.files.renderer.render_leniently("{{ steps.a.Host | origin }}", {**variables, "steps": {}}, "here") == ""
