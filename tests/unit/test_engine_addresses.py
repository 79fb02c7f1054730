"""The addresses of a workshop: its APIs, made by one step or by several, and the names that DNS routes to them."""

from __future__ import annotations

import json

import pytest

from tests.unit.definition_builders import KINDS, steps, write
from tests.unit.fakes.aws import ACCOUNT
from tests.unit.fakes.workspaces import AWS, LOCAL, workspace
from workshop.console.report import SetupReport
from workshop.console.results import show_setup
from workshop.definition.lint import lint
from workshop.definition.templating import MissingOutputError
from workshop.engine.workspace import Contexts
from workshop.errors import ExitCode

HOME, FAR = "us-west-2", "eu-west-1"
PARTS = (
    "{id: primary, kind: cloudformation.stack, in: home, with: {name: one, template: api.yaml.j2}}",
    "{id: secondary, kind: cloudformation.stack, in: replicas, with: {name: two, template: api.yaml.j2}}",
    "{id: records, kind: http.check, in: global, needs: [primary, secondary], with: {url: 'http://{{ apis[home].host }}/'}}",
    "{id: call, kind: http.check, in: global, needs: [records], with: {url: '{{ names.api.url }}health'}}",
)
TAIL = "apis: {steps: [primary, secondary], output: ApiId, stage: prod}\nnames: {api: {step: records, output: Name}}\n"
DOMAIN = "parameters:\n  domain: {default: ''}\n"


def text(tail=TAIL):
    return steps(*PARTS).replace("parameters:\n", DOMAIN) + tail


def built(found):
    """The contexts of a workshop whose steps have made what their outputs would be on AWS."""
    contexts = Contexts(found, lambda _: None)
    for node in found.plan().nodes:
        if node.key.step in ("primary", "secondary"):
            contexts.outputs[node.key] = {"ApiId": f"id{node.key.region[:2]}"}
        if node.key.step == "records":
            contexts.outputs[node.key] = {"Name": "api.films.localhost."}
    return contexts


def problems(folder, definition):
    path = write(folder, definition, api__yaml__j2="A: 1\n")
    return [(problem.line, problem.field, f"{problem.what} {problem.fix}") for problem in lint(str(path), KINDS)]


def test_each_region_has_the_api_of_the_step_that_ran_there_with_its_host_id_and_stage(tmp_path):
    with workspace(tmp_path, text()) as found:
        assert built(found).apis(ACCOUNT) == {
            region: {
                "url": f"https://{host}/prod/",
                "path_url": f"https://{host}/prod/",
                "host": host,
                "id": f"id{region[:2]}",
                "stage": "prod",
            }
            for region, host in ((r, f"id{r[:2]}.execute-api.{r}.amazonaws.com") for r in (HOME, FAR))
        }


def test_on_the_local_cloud_the_host_is_one_that_browsers_resolve(tmp_path):
    with workspace(tmp_path, text(), target=LOCAL) as found:
        api = built(found).apis(ACCOUNT)[FAR]
    assert api["host"] == "ideu.execute-api.eu-west-1.localhost" and api["url"] == f"http://{api['host']}:4567/prod/"


@pytest.mark.parametrize(
    ("target", "domain", "url"),
    [
        (LOCAL, "", "http://api.films.localhost:4567/"),
        (AWS, "event.example.com", "https://api.films.localhost/"),
        (AWS, "", ""),
    ],
)
def test_a_name_has_an_address_where_a_browser_can_use_it(tmp_path, target, domain, url):
    with workspace(tmp_path, text(), target=target, parameters={"domain": domain}) as found:
        contexts = built(found)
        assert contexts.names(ACCOUNT) == {"api": {"host": "api.films.localhost", "url": url}}
        _, ctx = contexts.context(found.plan().nodes[-1])
    assert ctx.params.url == f"{url}health"


def test_a_name_whose_records_are_not_made_yet_is_a_missing_output(tmp_path):
    with workspace(tmp_path, text()) as found:
        contexts, node = Contexts(found, lambda _: None), found.plan().nodes[-1]
        assert contexts.names(ACCOUNT) == {}
        with pytest.raises(MissingOutputError, match=r"names\.api is not there"):
            contexts.context(node)
        assert contexts.context(node, missing="blank")[1].params.url == "health"


def shown(found, capsys, *, as_json):
    contexts = built(found)
    show_setup(
        SetupReport(
            command="setup", workshop="films", target="local", account=ACCOUNT, regions=(HOME, FAR), results=(),
            code=ExitCode.DONE, resume="", apis=contexts.api_addresses(ACCOUNT), names=contexts.named(ACCOUNT), links={},
        ),
        json=as_json,
    )  # fmt: skip
    return capsys.readouterr().out


def test_results_show_the_addresses_of_apis_and_names(tmp_path, capsys):
    with workspace(tmp_path, text(), target=LOCAL) as found:
        document = json.loads(shown(found, capsys, as_json=True))
        lines = shown(found, capsys, as_json=False).splitlines()
    assert set(document["apis"]) == {HOME, FAR} and {frozenset(api) for api in document["apis"].values()} == {
        frozenset({"url", "path_url"})
    }
    assert document["names"] == {"api": {"host": "api.films.localhost", "url": "http://api.films.localhost:4567/"}}
    assert [line.split() for line in lines if line.startswith("  api ")] == [["api", "http://api.films.localhost:4567/"]]


def test_a_name_that_no_browser_resolves_is_shown_as_such(tmp_path, capsys):
    with workspace(tmp_path, text()) as found:
        (line,) = (line for line in shown(found, capsys, as_json=False).splitlines() if line.startswith("  api "))
    assert "api.films.localhost" in line and "not delegated" in line


def test_a_workshop_without_names_has_none_in_its_results(tmp_path, capsys):
    definition = steps(*PARTS[:2]) + "apis: {step: primary, stage: prod}\n"
    with workspace(tmp_path, definition, target=LOCAL) as found:
        document = json.loads(shown(found, capsys, as_json=True))
    assert "names" not in document and set(document["apis"]) == {HOME}


def test_lint_takes_the_host_of_every_api_and_the_address_of_every_name(tmp_path):
    assert problems(tmp_path, text()) == []


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("steps: [primary, secondary],", "", "apis", "'step' is missing"),
        ("steps: [primary,", "step: primary, steps: [primary,", "apis", "Both 'step' and 'steps' are there"),
        ("[primary, secondary]", "[primary, secondry]", "apis.steps.1", "'secondry' is not a step. Did you mean 'secondary'"),
        ("api: {step: records,", "api: {step: record,", "names.api.step", "'record' is not a step. Did you mean 'records'"),
        ("api: {step: records,", "api: {step: secondary,", "names.api.step", "runs in several regions, and a name has one"),
        ("names: {api:", "names: {Api:", "names.Api", "'Api' cannot be a name here"),
    ],
)
def test_addresses_that_come_from_no_step_are_found(tmp_path, old, new, field, said):
    found = problems(tmp_path, text().replace(old, new))
    assert [what for _, at, what in found if at == field and said in what], found


def test_reading_a_name_without_waiting_for_its_records_is_found(tmp_path):
    ((line, field, said),) = problems(tmp_path, text().replace("needs: [records], ", ""))
    assert (line, field) == (14, "modules.backend.steps.call.with") and "reads an output of 'records' (global)" in said


def test_reading_a_name_that_is_not_listed_is_found(tmp_path):
    ((_, field, said),) = problems(tmp_path, text().replace("names: {api:", "names: {other:"))
    assert field == "modules.backend.steps.call.with.url" and "names.api is not there" in said
    ((_, _, said),) = problems(tmp_path, text().replace("names: {api: {step: records, output: Name}}\n", ""))
    assert "reads names, and the definition lists none" in said
