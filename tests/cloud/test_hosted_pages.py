"""Pages in a bucket behind a distribution, on the local cloud: set up, changed, read, and taken down with nothing left."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cloud.shell import ROOT, Shell

pytestmark = pytest.mark.cloud

DEFINITION = """
name: pages
title: Pages behind a distribution
regions: [us-west-2]
parameters:
  stack: {default: pages}
  identity_region: {default: eu-central-1}
  signin_prefix: {default: ''}
  signin_host: {default: ''}
modules:
  - name: ui
    title: Pages
    steps:
      - {id: hosting, kind: cloudformation.stack, in: home, minutes: 6,
         with: {name: '{{ stack }}-hosting', template: hosting.yaml.j2}}
      - id: web
        kind: web.site
        in: global
        needs: [hosting]
        with:
          source: web
          bucket: '{{ steps.hosting.BucketName }}'
          distribution: '{{ steps.hosting.DistributionId }}'
          host: '{{ steps.hosting.DistributionHost }}'
      - {id: page, kind: http.check, in: global, needs: [web],
         with: {url: '{{ steps.web.Url }}config.json', expect: {workshop: pages}}}
links: {home: {step: web, page: index.html}}
"""
WHERE = ("--workshop", "./pages", "--yes")


@pytest.fixture
def pages(clean: Shell) -> Shell:
    folder = clean.work / "pages"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "web").mkdir(parents=True)
    (folder / "workshop.yaml").write_text(DEFINITION)
    shutil.copy(ROOT / "templates" / "wild-rydes" / "hosting.yaml.j2", folder)
    (folder / "web" / "config.json.j2").write_text('{"workshop": {{ workshop | tojson }}}')
    page(clean).write_text("<p>first</p>")
    return clean


def page(shell: Shell) -> Path:
    return shell.work / "pages" / "web" / "index.html"


def read(url: str) -> str:
    """As a browser reads it, which resolves the name by itself."""
    parts = urlsplit(url)
    request = urllib.request.Request(f"http://127.0.0.1:{parts.port}{parts.path}", headers={"Host": parts.netloc})
    with urllib.request.urlopen(request, timeout=20) as response:
        return str(response.read().decode())


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {step["id"]: step["outcome"] for step in document["steps"]}


def remains(shell: Shell) -> list[Any]:
    cloudfront = shell.client("cloudfront")
    return [
        *shell.client("s3").list_buckets()["Buckets"],
        *cloudfront.list_distributions()["DistributionList"].get("Items", []),
        *cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", []),
        *cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"].get("Items", []),
    ]


def test_pages_are_uploaded_changed_opened_and_removed(pages: Shell) -> None:
    setup = pages.document("setup", *WHERE)
    assert set(outcomes(setup).values()) == {"created"}
    address = setup["web"]["home"]
    assert ".cloudfront.localhost:" in address and read(address) == "<p>first</p>"
    assert pages.run("open", "--print", *WHERE).out.strip() == address
    assert pages.document("open", *WHERE)["folder"] == ""
    assert set(outcomes(pages.document("setup", *WHERE)).values()) == {"unchanged"}

    page(pages).write_text("<p>second</p>")
    assert outcomes(pages.document("setup", *WHERE)) == {"hosting": "unchanged", "web": "updated", "page": "unchanged"}
    assert read(address) == "<p>second</p>"
    assert {step["state"] for step in pages.document("status", *WHERE)["steps"]} == {"ready"}

    assert pages.document("teardown", *WHERE)["leftovers"] == [] and remains(pages) == []


def test_a_machine_that_knows_nothing_finds_the_pages_and_removes_them(pages: Shell) -> None:
    pages.run("setup", *WHERE)
    (pages.state / "runs.db").unlink()
    assert pages.document("teardown", "--sweep", *WHERE)["leftovers"] == [] and remains(pages) == []


def test_a_plan_names_the_minutes_that_a_distribution_takes(pages: Shell) -> None:
    plan = pages.document("setup", "--plan", *WHERE)
    assert {step["id"]: step["minutes"] for step in plan["steps"]}["hosting"] == 6
