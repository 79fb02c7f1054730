"""The pages keep their promises wherever they are served: light, from their own folder alone, and under a strict policy."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SHARED, WEB
from fake_regions import FakeRegions
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from polling import until
from served_site import Site

from workshop.definition.renderer import Renderer

pytestmark = pytest.mark.browser

PAGES = ["index.html", "harness.html", "globalflix.html", "player.html"]
PLAYING = "document.getElementById('video')?.paused === false && document.getElementById('video').currentTime > 0.3"


SITES = {
    WEB: PAGES,
    ROOT / "templates" / "multi-region-backend" / "web": ["index.html", "arithmetic.html"],
    ROOT / "templates" / "wild-rydes" / "web": ["index.html", "tickets.html", "signed-out.html"],
}
every_site = pytest.mark.parametrize("web", SITES, ids=lambda web: web.parent.name)


def sources(web: Path, *suffixes: str) -> dict[Path, str]:
    """A site's texts, without its media."""
    return {
        p: p.read_text()
        for folder in (web, SHARED)
        for p in folder.rglob("*")
        if p.suffix in suffixes and "media" not in p.parts[len(folder.parts) :]
    }


def test_a_downloaded_folder_works_when_opened_from_the_disk(
    new_page: Callable[..., Page], config: dict[str, Any], regions: FakeRegions, tmp_path: Path
) -> None:
    folder = tmp_path / "my download #1"
    shutil.copytree(SHARED, folder)
    shutil.copytree(WEB, folder, dirs_exist_ok=True)
    (folder / "config.js").write_text(f"window.WORKSHOP_CONFIG = {json.dumps(config)};\n")
    page = new_page()
    page.goto((folder / "index.html").as_uri())
    expect(page.locator("#regions li").first).to_contain_text("answers in")
    page.get_by_role("link", name="Test harness").first.click()
    page.click("[data-region='us-west-2'] [data-action=plus]")
    expect(page.locator("[data-region='us-west-2'] .value")).to_have_text("1")
    page.get_by_role("link", name="Globalflix").click()
    page.get_by_role("button", name="Ireland").click()
    page.locator(".film", has_text="Monsoon Parade").click()
    until(page, PLAYING)
    expect(page.locator("#log .tag").first).to_have_text("Ireland")
    until(page, lambda: regions.table.item("eu-west-1", "user10", "MonsoonParade") is not None)


def test_every_page_survives_without_a_configuration(new_page: Callable[..., Page], serve: Callable[..., Site]) -> None:
    site = serve(None)
    page = new_page()
    for name in PAGES:
        page.goto(site.url + name)
        expect(page.locator("body")).to_contain_text("Run workshop setup")


@given(st.text() | st.sampled_from(['A "title" with </script>', "<!--<script>", "\\", "\u2028", "{{ table }}", "'", "&lt;"]))
@settings(max_examples=50, deadline=None)
def test_the_configuration_of_setup_is_valid_json_for_any_text(title: str) -> None:
    values: dict[str, Any] = {
        "workshop": "global-serverless",
        "title": title,
        "table": "t-1",
        "target": "local",
        "home": "us-west-2",
        "regions": ["us-west-2"],
        "apis": {"us-west-2": {"url": "https://x/api/", "path_url": "https://x/api/"}},
    }
    template = WEB / "config.json.j2"
    rendered = Renderer(lambda name: (WEB / name).read_text()).render(template.read_text(), values, template.name)
    assert json.loads(rendered) == values
    assert "<" not in rendered


@every_site
def test_all_pages_weigh_less_than_150_kilobytes_without_media(web: Path) -> None:
    total = sum(len(text.encode()) for text in sources(web, ".html", ".css", ".js", ".svg", ".j2").values())
    assert total < 150 * 1024, f"all pages together: {total // 1024} KB"


def test_a_page_loads_less_than_80_kilobytes_without_media(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    for name in PAGES:
        site.requested.clear()
        page.goto(site.url + name, wait_until="networkidle" if name == "index.html" else "load")
        own = [path for path in site.requested if not path.startswith("media/") and path != "config.js"]
        files = [(WEB if (WEB / path).is_file() else SHARED) / path for path in own]
        assert sum(file.stat().st_size for file in files) < 80 * 1024, f"{name}: {own}"


@every_site
def test_every_page_has_the_same_strict_policy(web: Path) -> None:
    policies = [re.search(r'Content-Security-Policy" content="([^"]+)"', (web / name).read_text()) for name in SITES[web]]
    assert len({found and found[1] for found in policies}) == 1 and policies[0]
    policy = policies[0][1]
    assert "default-src 'none'" in policy and "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy and "*" not in policy


def test_an_inline_script_would_not_run(
    new_page: Callable[..., Page], serve: Callable[..., Site], config: dict[str, Any]
) -> None:
    text = (WEB / "index.html").read_text().replace("</main>", "</main><script>window.hacked = 1</script>")
    context = new_page().context
    page = context.new_page()  # not watched: the violation is the point
    page.goto(serve(config, {"index.html": text}).url)
    expect(page.locator("#regions li").first).to_contain_text("answers in")
    assert page.evaluate("window.hacked") is None


@every_site
def test_no_script_builds_markup_from_text_and_no_page_has_inline_code(web: Path) -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|\beval\(|new Function"
    )
    for path, text in sources(web, ".js", ".html").items():
        assert not forbidden.search(text), path
    for path, text in sources(web, ".html").items():
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|(?:src|href)=.?https?:", text), path


def loaded(web: Path) -> set[str]:
    """What the pages of a site load and link."""
    return {src for text in sources(web, ".html").values() for src in re.findall(r'(?:src|href)="([^"#]+)"', text)}


@every_site
def test_each_script_is_loaded_by_a_page_and_each_address_is_relative(web: Path) -> None:
    assert all(not address.startswith(("/", "http")) and ".." not in address for address in loaded(web))
    present = {p.relative_to(web).as_posix() for p in sources(web, ".js", ".css") if p.is_relative_to(web)}
    shared = {p.relative_to(SHARED).as_posix() for p in sources(web, ".js", ".css") if p.is_relative_to(SHARED)}
    assert present == {a for a in loaded(web) if a.endswith((".js", ".css"))} - shared - {"config.js"}


def test_what_the_sites_share_is_used_by_two_of_them() -> None:
    for path in sources(WEB, ".js", ".css"):
        if path.is_relative_to(SHARED):
            users = [web for web in SITES if path.relative_to(SHARED).as_posix() in loaded(web)]
            assert len(users) >= 2, path


def test_the_media_are_small_and_complete(items: list[dict[str, Any]]) -> None:
    clips = sorted((WEB / "media" / "clips").glob("*.webm"))
    assert len(clips) == 12 and sum(clip.stat().st_size for clip in clips) < 5 * 2**20
    for item in items:
        for name in ("thumb", "video"):
            assert name not in item or (WEB / item[name]["S"]).is_file()


def test_every_clip_lasts_between_a_minute_and_a_minute_and_a_half(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    page.goto(site.url + "index.html")
    durations = page.evaluate(
        """Promise.all(Array.from({ length: 12 }, (_, i) => new Promise((resolve, reject) => {
            const video = document.createElement("video");
            video.preload = "metadata";
            video.onloadedmetadata = () => resolve([video.duration, video.videoWidth]);
            video.onerror = () => reject(new Error(`clip ${i + 1} does not load`));
            video.src = `media/clips/${String(i + 1).padStart(2, "0")}.webm`;
        })))"""
    )
    assert all(60 <= seconds <= 90.5 and width >= 320 for seconds, width in durations)
