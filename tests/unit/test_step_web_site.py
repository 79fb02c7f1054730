"""`web.site`: pages copied, the configuration rendered, a reader never sees half a site."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.fakes.context import StepSandbox
from workshop.errors import DefinitionError
from workshop.steps.base import State
from workshop.steps.web_site.params import SiteParams
from workshop.steps.web_site.step import WebSite

STEP = WebSite()
APIS = {"us-west-2": {"url": "https://a/"}, "eu-west-1": {"url": "https://b/"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A definition with a page, a script in a folder and the template of the configuration."""
    web = tmp_path / "web"
    (web / "scripts").mkdir(parents=True)
    (web / "index.html").write_text("<p>films</p>")
    (web / "scripts" / "app.js").write_text("run()")
    (web / "config.json.j2").write_text('{"apis": {{ apis | tojson }}, "title": {{ title | tojson }}}')
    return tmp_path


@pytest.fixture
def make(folder):
    """The step's context."""

    def context(**variables):
        everything = {"apis": APIS, "title": 'Films "é" </script>', **variables}
        return StepSandbox().context(SiteParams(source="web"), folder=folder, variables=everything)

    return context


def site(folder: Path) -> Path:
    return folder / "sites" / "films"


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(site(folder))) for p in site(folder).rglob("*") if p.is_file())


async def test_the_site_holds_the_pages_and_the_configuration_but_no_template(folder, make):
    assert (await STEP.observe(make())).state is State.ABSENT
    outputs = await STEP.create(make())
    assert names(folder) == ["config.js", "config.json", "index.html", "scripts/app.js"]
    assert outputs["Folder"] == str(site(folder)) and outputs["Url"] == site(folder).as_uri() + "/"
    observed = await STEP.observe(make())
    assert observed.state is State.READY and observed.outputs == outputs


async def test_the_configuration_holds_the_addresses_for_served_pages_and_for_opened_files(folder, make):
    await STEP.create(make())
    text = (site(folder) / "config.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert document == {"apis": APIS, "title": 'Films "é" </script>'}
    script = (site(folder) / "config.js").read_text(encoding="utf-8")
    assert json.loads(script.removeprefix("window.WORKSHOP_CONFIG = ").rstrip().removesuffix(";")) == document


@pytest.mark.parametrize("change", ["page", "missing", "extra", "configuration"])
async def test_whatever_differs_is_found_and_put_right(folder, make, change):
    await STEP.create(make())
    match change:
        case "page":
            (folder / "web" / "index.html").write_text("<p>new</p>")
        case "missing":
            (site(folder) / "scripts" / "app.js").unlink()
        case "extra":
            (site(folder) / "old.html").write_text("old")
        case "configuration":
            (site(folder) / "config.js").write_text("window.WORKSHOP_CONFIG = {};")
    observed = await STEP.observe(make())
    assert observed.state is State.PARTIAL and "differs" in observed.detail
    await STEP.create(make())
    assert (await STEP.observe(make())).state is State.READY
    assert names(folder) == ["config.js", "config.json", "index.html", "scripts/app.js"]


async def test_another_address_is_another_configuration(make):
    await STEP.create(make())
    observed = await STEP.observe(make(apis={}))
    assert observed.state is State.PARTIAL and observed.detail == "config.json differs, and 1 more"


async def test_a_configuration_that_does_not_render_leaves_the_old_site(folder, make):
    await STEP.create(make())
    (folder / "web" / "config.json.j2").write_text("{ {{ title }} }")
    with pytest.raises(DefinitionError, match="does not render to JSON"):
        await STEP.create(make())
    assert "apis" in json.loads((site(folder) / "config.json").read_text())
    assert [p.name for p in site(folder).parent.iterdir()] == ["films"], "nothing is left beside it"


async def test_a_site_of_a_configuration_alone_is_made(folder, make):
    for path in ("index.html", "scripts/app.js"):
        (folder / "web" / path).unlink()
    await STEP.create(make())
    assert names(folder) == ["config.js", "config.json"]


async def test_removing_it_takes_everything_and_may_be_repeated(folder, make):
    await STEP.create(make())
    (left,) = await STEP.leftovers(make())
    assert left.kind == "site" and left.name == str(site(folder)) and left.fix == f"rm -r {site(folder)}"
    await STEP.destroy(make())
    await STEP.destroy(make())
    assert not site(folder).exists() and await STEP.leftovers(make()) == []


def test_a_source_that_is_no_folder_is_found_before_anything_is_made(folder):
    ctx = StepSandbox().context(SiteParams(source="web/index.html"), folder=folder)
    with pytest.raises(DefinitionError, match="not a folder"):
        STEP.check_files(ctx)


def test_a_configuration_that_is_missing_is_found_before_anything_is_made(folder, make):
    STEP.check_files(make())
    with pytest.raises(DefinitionError, match=r"other\.j2"):
        STEP.check_files(StepSandbox().context(SiteParams(source="web", config="other.j2"), folder=folder))


async def test_the_configuration_may_lie_beside_the_pages(folder, make):
    (folder / "web" / "config.json.j2").rename(folder / "config.json.j2")
    await STEP.create(make())
    assert "config.json" in names(folder)


def test_it_makes_no_call(make):
    assert STEP.permissions(make()) == []
    assert "no AWS call" in STEP.commands(make())[0]


@pytest.fixture
def sharing(folder):
    """The step's context, with a folder that several workshops share."""
    shared = folder / "shared"
    (shared / "scripts").mkdir(parents=True)
    (shared / "scripts" / "dom.js").write_text("dom()")
    (shared / "scripts" / "app.js").write_text("not this one")
    (shared / "notes.j2").write_text("no page")
    params = SiteParams(source="web", shared="shared")
    return lambda: StepSandbox().context(params, folder=folder, variables={"apis": APIS, "title": "Films"})


async def test_the_site_gets_shared_files_where_it_has_none_of_that_name(folder, sharing):
    await STEP.create(sharing())
    assert names(folder) == ["config.js", "config.json", "index.html", "scripts/app.js", "scripts/dom.js"]
    assert (site(folder) / "scripts" / "app.js").read_text() == "run()"
    assert (await STEP.observe(sharing())).state is State.READY
    assert "web and shared" in STEP.commands(sharing())[0]


async def test_a_changed_shared_file_is_found(folder, sharing):
    await STEP.create(sharing())
    (folder / "shared" / "scripts" / "dom.js").write_text("dom(2)")
    observed = await STEP.observe(sharing())
    assert observed.state is State.PARTIAL and observed.detail == "scripts/dom.js differs"


def test_a_shared_folder_that_is_none_is_found_before_anything_is_made(folder):
    ctx = StepSandbox().context(SiteParams(source="web", shared="web/index.html"), folder=folder)
    with pytest.raises(DefinitionError, match="not a folder"):
        STEP.check_files(ctx)


@pytest.fixture
def two_steps(folder):
    """Contexts of two steps of one site: the first is published before the second region is known."""
    config = '{"title": "Films", "apis": {"home": {"url": "https://a/"}, "far": {"url": "FAR"}}, "ttl": "{{ ttl }}"}'
    (folder / "web" / "first.json.j2").write_text(config.replace("FAR", ""))
    (folder / "web" / "config.json.j2").write_text(config.replace("FAR", "https://b/"))

    def contexts(ttl="60"):
        first = SiteParams(source="web", config="first.json.j2", provisional=True)
        both = (first, SiteParams(source="web"))
        return [StepSandbox().context(each, folder=folder, variables={"ttl": ttl}) for each in both]

    return contexts


async def test_a_configuration_that_a_later_step_completed_is_taken_back_by_no_setup(folder, two_steps):
    first, second = two_steps()
    await STEP.create(first)
    assert (await STEP.observe(first)).state is State.READY and (await STEP.observe(second)).state is State.PARTIAL
    await STEP.create(second)
    whole = (site(folder) / "config.js").read_text()
    assert "https://b/" in whole
    assert [(await STEP.observe(each)).state for each in (first, second)] == [State.READY, State.READY]
    (folder / "web" / "index.html").write_text("<p>more films</p>")
    await STEP.create(first)
    assert (site(folder) / "config.js").read_text() == whole and "more" in (site(folder) / "index.html").read_text()


async def test_a_provisional_configuration_that_changed_is_written_and_completed_again(folder, two_steps):
    for each in two_steps():
        await STEP.create(each)
    first, second = two_steps(ttl="30")
    assert (await STEP.observe(first)).state is State.PARTIAL
    await STEP.create(first)
    between = json.loads((site(folder) / "config.json").read_text())
    assert (between["ttl"], between["apis"]["far"]["url"]) == ("30", "https://b/"), (
        "the pages keep the address of the other region"
    )
    assert (await STEP.observe(second)).state is State.READY


@pytest.mark.parametrize("damaged", ["", "no json", "[]", '{"title": "Films"}', "[" * 100_000])
async def test_a_configuration_that_was_damaged_is_no_completed_one(folder, two_steps, damaged):
    first, _ = two_steps()
    await STEP.create(first)
    (site(folder) / "config.json").write_text(damaged)
    assert (await STEP.observe(first)).state is State.PARTIAL
    await STEP.create(first)
    assert json.loads((site(folder) / "config.json").read_text())["apis"]["far"] == {"url": ""}
