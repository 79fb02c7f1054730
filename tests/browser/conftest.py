"""Real Chromium for the browser tests: one browser, one fresh context per page, a pair of fake regions per test.

A test fails when its page throws, when it talks to a host that is not this machine, or when the page breaks its own
Content-Security-Policy.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from fake_regions import FakeRegions
from served_site import Site

__all__ = ["ROOT", "SHARED", "WEB"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WEB = ROOT / "templates" / "global-serverless" / "web"
SHARED = ROOT / "templates" / "_shared" / "web"
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is what Playwright uses too where no window is shown: the same engine for a third of the processor time."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, so that `-m 'not browser'` leaves these tests out."""
    config.addinivalue_line("markers", "browser: needs Chromium")
    expect.set_options(timeout=20_000)  # an upper bound for busy machines; a passing test never waits for it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that tests measured in the browser."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "failover":
                terminalreporter.write_line(f"measured: {name} {value}")


class _Chromium:
    """The Chromium on the PATH; else the one that Playwright brings. Started when first needed, ended after this folder."""

    def __init__(self) -> None:
        self._ending = contextlib.ExitStack()
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        if self._browser is None:
            path = next(filter(None, map(shutil.which, NAMES)), None)
            playwright = self._ending.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
            )
            self._ending.callback(self._browser.close)
        return self._browser

    def end(self) -> None:
        self._browser = None
        self._ending.close()


CHROMIUM = _Chromium()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Playwright keeps an event loop running, beside which no other can run, and the process goes on with other folders."""
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        CHROMIUM.end()


@pytest.fixture
def chromium() -> Browser:
    """One for all tests of this folder."""
    return CHROMIUM.browser()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a context of its own or in a given one, and watches what they do."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(f"the page threw: {error}"))
        page.on(
            "console",
            lambda message: (
                wrong.append(message.text) if "Content Security Policy" in message.text or "TrustedHTML" in message.text else None
            ),
        )
        page.on("request", lambda request: wrong.append(f"asked {request.url}") if not _local(request.url) else None)

    def make(context: BrowserContext | None = None, **options: Any) -> Page:
        if context is None:
            context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        watch(page)
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


def _local(url: str) -> bool:
    host = url.split("/")[2].rsplit(":", 1)[0] if "://" in url else ""
    return host in ("", "127.0.0.1") or host.endswith(".localhost") or not url.startswith("http")


@pytest.fixture
def items() -> list[dict[str, Any]]:
    """The sample data."""
    requests = json.loads((ROOT / "sample-data.json").read_text())["global-serverless"]
    return [request["PutRequest"]["Item"] for request in requests]


@pytest.fixture
def regions(items: list[dict[str, Any]]) -> Iterator[FakeRegions]:
    """us-west-2 and eu-west-1 with the sample data, 0.6 s apart."""
    fake = FakeRegions(["us-west-2", "eu-west-1"], items)
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Serves the site with a configuration."""
    sites: list[Site] = []

    def make(config: dict[str, Any] | None, replace: dict[str, str] | None = None) -> Site:
        site = Site((WEB, SHARED), config, replace)
        site.start()
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.stop()


@pytest.fixture
def config(regions: FakeRegions) -> dict[str, Any]:
    """What setup would render for the fake regions."""
    return {
        "workshop": "global-serverless",
        "title": "Build and deploy a global serverless application",
        "table": "global-serverless",
        "target": "local",
        "home": "us-west-2",
        "regions": list(regions.regions),
        "apis": {name: {"url": r.url, "path_url": r.path_url} for name, r in regions.regions.items()},
    }


@pytest.fixture
def site(serve: Callable[..., Site], config: dict[str, Any]) -> Site:
    """The site as setup leaves it."""
    return serve(config)


@pytest.fixture
def quick_failover() -> dict[str, str]:
    """The failover's figures made smaller, to be served instead of the real ones. The real ones are used end to end."""
    text = (WEB / "failover-settings.js").read_text()
    head, _, rest = text.partition("=")
    settings = json.loads(rest.rpartition(";")[0])
    settings |= {
        "countdownMs": 1500,
        "writeEveryMs": 150,
        "writeTimeoutMs": 1200,
        "probeEveryMs": 250,
        "probeTimeoutMs": 1200,
        "readEveryMs": 250,
    }
    return {"failover-settings.js": f"{head}= {json.dumps(settings)};"}
