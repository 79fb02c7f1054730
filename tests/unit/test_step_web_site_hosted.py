"""`web.site` in a bucket: only what changed is uploaded and renewed, only what is ours is touched, a killed run is finished."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import HOME, OURS, Notes, StepSandbox
from tests.unit.fakes.hosting import FakeBucket, FakeDistribution
from tests.unit.fakes.kills import Killed, KillingClient
from workshop.aws.target import Target
from workshop.errors import WorkshopError
from workshop.steps.base import Phase, State
from workshop.steps.web_site.pages import configuration
from workshop.steps.web_site.params import SiteParams
from workshop.steps.web_site.step import WebSite

STEP = WebSite()
BUCKET, DISTRIBUTION, HOST = "films-hosting-bucket-1a2b", "E1", "d111.cloudfront.net"
PARAMS = SiteParams(source="web", bucket=BUCKET, distribution=DISTRIBUTION, host=HOST)
ALL = ["config.js", "config.json", "index.html", "scripts/app.js"]


@pytest.fixture
def sandbox() -> StepSandbox:
    """An account in which the stack that hosts pages exists."""
    found = StepSandbox()
    found.aws.hosting.buckets[BUCKET] = FakeBucket(HOME, dict(OURS))
    found.aws.hosting.distributions[DISTRIBUTION] = FakeDistribution(HOST, dict(OURS))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    web = tmp_path / "web"
    (web / "scripts").mkdir(parents=True)
    (web / "index.html").write_text("<p>films</p>")
    (web / "scripts" / "app.js").write_text("run()")
    (web / "config.json.j2").write_text('{"title": {{ title | tojson }}}')
    (tmp_path / "hosting.yaml.j2").write_text("Resources: {Bucket: {Type: AWS::S3::Bucket}}")
    return tmp_path


@pytest.fixture
def make(sandbox, folder):
    """The step's context, of a later run each time it is asked for one."""

    def context(params: SiteParams = PARAMS, run: str = "run-2", **more):
        return sandbox.context(params, folder=folder, variables={"title": "Films"}, run=run, **more)

    return context


def uploaded(sandbox) -> list[str]:
    return [call.parameters["Key"] for call in sandbox.aws.made("put_object")]


def invalidated(sandbox) -> list[list[str]]:
    return [paths for paths, _ in sandbox.aws.hosting.distributions[DISTRIBUTION].invalidations.values()]


async def test_everything_is_uploaded_with_its_type_and_for_how_long_it_may_be_kept(sandbox, make):
    assert (await STEP.observe(make())).state is State.ABSENT
    outputs = await STEP.create(make())
    assert outputs == {"Url": f"https://{HOST}/", "Bucket": BUCKET}
    stored = sandbox.aws.hosting.buckets[BUCKET].current()
    assert {key: (v.content_type, v.cache_control) for key, v in stored.items()} == {
        "config.js": ("text/javascript; charset=utf-8", "no-cache"),
        "config.json": ("application/json; charset=utf-8", "no-cache"),
        "index.html": ("text/html; charset=utf-8", "no-cache"),
        "scripts/app.js": ("text/javascript; charset=utf-8", "max-age=300"),
    }
    assert uploaded(sandbox)[-1] == "index.html", "a page comes after what it loads"
    assert invalidated(sandbox) == [], "nothing was there that an edge could hold"
    observed = await STEP.observe(make())
    assert observed.state is State.READY and observed.outputs == outputs
    await STEP.create(make())
    assert len(uploaded(sandbox)) == len(ALL), "a second setup uploads nothing"


async def test_the_address_on_the_local_cloud_is_one_that_browsers_resolve(sandbox, make):
    local = Target("local", Path("/nonexistent"), gateway="127.0.0.1:4566", serves_sites=True)
    assert (await STEP.create(make(target=local)))["Url"] == "http://d111.cloudfront.localhost:4566/"


@pytest.mark.parametrize(
    ("change", "keys", "paths"),
    [
        ("page", ["index.html"], ["/index.html", "/"]),
        ("script", ["scripts/app.js"], ["/scripts/app.js"]),
        ("new", ["new page.html"], []),
        ("gone", [], ["/scripts/app.js"]),
        ("foreign", [], ["/old.html"]),
    ],
)
async def test_only_what_changed_is_uploaded_deleted_and_renewed(sandbox, folder, make, change, keys, paths):
    await STEP.create(make())
    before = len(uploaded(sandbox))
    match change:
        case "page":
            (folder / "web" / "index.html").write_text("<p>filmz</p>")
        case "script":
            (folder / "web" / "scripts" / "app.js").write_text("run(2)")
        case "new":
            (folder / "web" / "new page.html").write_text("new")
        case "gone":
            (folder / "web" / "scripts" / "app.js").unlink()
        case "foreign":
            sandbox.aws.hosting.put(BUCKET, "old.html")
    assert (await STEP.observe(make())).state is State.PARTIAL
    await STEP.create(make())
    assert uploaded(sandbox)[before:] == keys
    assert invalidated(sandbox) == ([paths] if paths else [])
    assert (await STEP.observe(make())).state is State.READY
    if paths:
        assert any("CloudFront to drop its copies" in wait for wait in sandbox.notes.waits)


@pytest.mark.parametrize("name", ["logo@2x.png", "a~b.html", "all*.html", "träume.html", "new page.html"])
async def test_a_changed_name_that_is_no_plain_path_is_renewed_as_everything(sandbox, folder, make, name):
    (folder / "web" / name).write_text("old")
    await STEP.create(make())
    (folder / "web" / name).write_text("new")
    await STEP.create(make())
    assert invalidated(sandbox) == [["/*"]]


async def test_an_object_that_s3_does_not_delete_is_named_with_the_line_for_it_alone(sandbox, make):
    await STEP.create(make())
    sandbox.aws.hosting.put(BUCKET, "old.html")
    sandbox.aws.hosting.undeletable.add("old.html")
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(make())
    assert caught.value.what == f"S3 does not delete old.html in the bucket {BUCKET}." and caught.value.why == "Access Denied"
    assert f"--bucket {BUCKET} --key old.html" in caught.value.fix
    with pytest.raises(WorkshopError) as caught:
        await STEP.destroy(make())
    assert "old.html (version v" in caught.value.what and "--version-id v" in caught.value.fix


async def test_very_many_changes_are_renewed_as_everything(sandbox, folder, make):
    for number in range(101):
        sandbox.aws.hosting.put(BUCKET, f"{number}.html")
    await STEP.create(make())
    assert invalidated(sandbox) == [["/*"]]


async def test_an_invalidation_that_takes_too_long_fails_nothing_and_is_reported(sandbox, folder, make, monkeypatch):
    monkeypatch.setattr("tests.unit.fakes.hosting.DONE_AFTER", 10_000.0)
    await STEP.create(make())
    (folder / "web" / "index.html").write_text("new")
    await STEP.create(make())
    assert any("did not finish" in line for line in sandbox.notes.lines)
    assert (await STEP.observe(make())).state is State.READY


async def test_a_bucket_of_anothers_is_neither_read_nor_written_nor_emptied(sandbox, make):
    sandbox.aws.hosting.buckets[BUCKET].tags = {"workshop": "another"}
    sandbox.aws.hosting.put(BUCKET, "theirs.txt", "data")
    observed = await STEP.observe(make())
    assert observed.state is State.FOREIGN and not observed.ours
    with pytest.raises(WorkshopError, match="not made by this workshop"):
        await STEP.create(make())
    await STEP.destroy(make())
    assert sandbox.aws.changes() == [] and list(sandbox.aws.hosting.buckets[BUCKET].current()) == ["theirs.txt"]


async def test_a_bucket_of_another_account_is_not_touched(sandbox, make):
    sandbox.aws.hosting.buckets[BUCKET].owner = "999999999999"
    for use in (STEP.observe, STEP.create, STEP.destroy):
        with pytest.raises(WorkshopError):
            await use(make())
    assert sandbox.aws.changes() == []


async def test_copies_of_a_distribution_of_anothers_are_left_alone(sandbox, folder, make):
    await STEP.create(make())
    sandbox.aws.hosting.distributions[DISTRIBUTION].tags = {"workshop": "another"}
    (folder / "web" / "index.html").write_text("new")
    await STEP.create(make())
    assert invalidated(sandbox) == [] and any("not this workshop's" in line for line in sandbox.notes.lines)


async def test_a_teardown_empties_versions_markers_and_unfinished_uploads(sandbox, folder, make):
    await STEP.create(make())
    (folder / "web" / "index.html").write_text("new")
    (folder / "web" / "scripts" / "app.js").unlink()
    await STEP.create(make())
    bucket = sandbox.aws.hosting.buckets[BUCKET]
    bucket.uploads += [(f"big{number}", f"u{number}") for number in range(5)]
    await STEP.destroy(make())
    assert (bucket.versions, bucket.uploads) == ([], [])
    await STEP.destroy(make())
    assert (await STEP.observe(make())).state is State.ABSENT and await STEP.leftovers(make()) == []


@pytest.mark.parametrize("params", [PARAMS, SiteParams(source="web", bucket="", distribution="", host="")], ids=["gone", "blank"])
async def test_without_its_bucket_there_is_nothing_and_nothing_to_remove(sandbox, make, params):
    del sandbox.aws.hosting.buckets[BUCKET]
    assert (await STEP.observe(make(params))).state is State.ABSENT
    await STEP.destroy(make(params))
    with pytest.raises(WorkshopError, match="is gone"):
        await STEP.create(make(params))


def test_a_bucket_without_a_distribution_is_refused():
    with pytest.raises(ValidationError, match="bucket, distribution and host"):
        SiteParams(source="web", bucket="b")


# Killed anywhere.

CALLS = 14
"""More than the calls of one setup that changes a page and deletes one."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, CALLS))
async def test_an_upload_killed_at_any_call_is_finished_by_the_next_run_with_every_copy_renewed(
    sandbox, folder, make, number, after
):
    await STEP.create(make())
    (folder / "web" / "index.html").write_text("new")
    (folder / "web" / "scripts" / "app.js").unlink()
    with contextlib.suppress(Killed):
        await STEP.create(replace(make(), aws=KillingClient(sandbox.aws, number, after)))
    changed = sandbox.aws.hosting.buckets[BUCKET].current()["index.html"].body == b"new"
    renewed = any("/index.html" in paths for paths in invalidated(sandbox))
    state = (await STEP.observe(make(run="run-3"))).state
    assert state is not State.READY or (changed and renewed)
    if state is not State.READY:
        await STEP.create(make(run="run-3"))
    assert (await STEP.observe(make(run="run-4"))).state is State.READY
    paths = [path for each in invalidated(sandbox) for path in each]
    assert "/*" in paths or {"/", "/index.html", "/scripts/app.js"} <= set(paths)


async def test_a_whole_upload_is_among_the_places_that_are_tried(sandbox, folder, make):
    await STEP.create(make())
    (folder / "web" / "index.html").write_text("new")
    (folder / "web" / "scripts" / "app.js").unlink()
    before = len(sandbox.aws.calls)
    await STEP.create(make())
    made = [call.operation for call in sandbox.aws.calls[before:]][: CALLS - 1]
    assert {"put_object", "delete_objects", "create_invalidation", "get_invalidation"} <= set(made)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, CALLS))
async def test_an_emptying_killed_at_any_call_is_finished_by_a_machine_that_knows_nothing(sandbox, make, number, after):
    await STEP.create(make())
    bucket = sandbox.aws.hosting.buckets[BUCKET]
    bucket.uploads += [("big", "u1"), ("big", "u2")]
    with contextlib.suppress(Killed):
        await STEP.destroy(replace(make(), aws=KillingClient(sandbox.aws, number, after)))
    sandbox.notes = Notes(sandbox.clock)
    await STEP.destroy(make(run="run-3"))
    assert (bucket.versions, bucket.uploads) == ([], [])


# By hand, what it takes, and what is left elsewhere.


def test_the_lines_by_hand_upload_what_setup_would(folder, make, tmp_path):
    lines = STEP.commands(make())
    assert lines[0] == "workshop step show step --file > config.json"
    assert f"aws s3 cp --recursive {folder / 'web'} s3://{BUCKET} --exclude '*.j2'" in lines[2]
    assert f"s3://{BUCKET}/config.json --cache-control no-cache" in "".join(lines)
    assert lines[-1] == f"aws cloudfront create-invalidation --distribution-id {DISTRIBUTION} --paths '/*'"
    (tmp_path / "config.json").write_text(STEP.rendered("file", make()) or "")
    subprocess.run(["bash", "-c", lines[1]], cwd=tmp_path, check=True)
    assert (tmp_path / "config.js").read_text() == configuration(make())["config.js"]


def test_the_actions_are_on_this_bucket_alone_or_on_what_its_stack_will_make(make):
    def resources(params: SiteParams) -> set[str]:
        stacks = [{"name": "films-hosting", "template": "hosting.yaml.j2"}]
        needed = STEP.permissions(make(params, others={"cloudformation.stack": stacks}))
        assert not any(p.action.endswith("*") for p in needed)
        assert {p.phase for p in needed} == {Phase.SETUP, Phase.TEARDOWN, Phase.CHECK}
        return {p.resource for p in needed if p.action.startswith("s3:")}

    assert resources(PARAMS) == {f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"}
    unknown = PARAMS.model_copy(update={"bucket": "hosting-BucketName"})
    assert resources(unknown) == {"arn:aws:s3:::films-hosting-*", "arn:aws:s3:::films-hosting-*/*"}
    assert STEP.permissions(make(SiteParams(source="web"))) == []


async def test_what_outlived_its_stack_is_found_by_its_tags(sandbox, make):
    hosting = sandbox.aws.hosting
    hosting.controls["C1"] = ("films-pages", "workshop=films")
    hosting.buckets["films-hosting-theirs"] = FakeBucket(tags={"workshop": "another"})
    stacks = {"cloudformation.stack": [{"name": "films-hosting", "template": "hosting.yaml.j2"}]}
    found = await STEP.tagged(make(others=stacks))
    assert {(r.kind, r.name, r.region) for r in found} == {
        ("distribution", HOST, "global"),
        ("access-control", "films-pages", "global"),
        ("bucket", BUCKET, HOME),
    }


async def test_a_caller_who_may_not_look_is_no_error_for_a_workshop_without_hosted_pages(sandbox, make):
    denied = refusal("AccessDenied", status=403)
    sandbox.aws.refuse("list_distributions", "us-east-1", denied, denied)
    assert await STEP.tagged(make(SiteParams(source="web"))) == []
    with pytest.raises(WorkshopError):
        await STEP.tagged(make(others={"web.site": [{"bucket": BUCKET}]}))
