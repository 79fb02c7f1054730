"""Rendered pages over HTTP: types, ranges, caching, and nothing outside their folder."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.cloud_room.conftest import Cloud
from workshop.site_files import serve_site


@pytest.fixture
def root(tmp_path: Path) -> Path:
    site = tmp_path / "sites" / "show"
    (site / "player").mkdir(parents=True)
    (site / "index.html").write_text("<h1>home</h1>")
    (site / "player" / "index.html").write_text("player")
    (site / "app.js").write_text("1")
    (site / "clip.webm").write_bytes(bytes(range(100)))
    (site / "a b.txt").write_text("space")
    (site / "empty").write_text("")
    (tmp_path / "secret").write_text("secret")
    (site / "leak").symlink_to(tmp_path / "secret")
    (site / "leaks").symlink_to(tmp_path)
    (site / "inner").symlink_to(site / "app.js")
    return tmp_path / "sites"


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("show/", "text/html; charset=utf-8", b"<h1>home</h1>"),
        ("show/index.html", "text/html; charset=utf-8", b"<h1>home</h1>"),
        ("show/player/", "text/html; charset=utf-8", b"player"),
        ("show/app.js", "text/javascript; charset=utf-8", b"1"),
        ("show/a%20b.txt", "text/plain; charset=utf-8", b"space"),
        ("show/inner", "text/javascript; charset=utf-8", b"1"),
        ("show/empty", "application/octet-stream", b""),
    ],
)
def test_a_file_has_its_type_and_content(root: Path, path: str, kind: str, body: bytes) -> None:
    status, headers, content = serve_site(root, "GET", path, {})
    assert (status, headers["Content-Type"], content) == (200, kind, body)
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "show/../../secret",
        "show/%2e%2e/%2e%2e/secret",
        "show/..%2f..%2fsecret",
        "/etc/passwd",
        "//etc/passwd",
        "show/leak",
        "show/leaks/secret",
        "show/leaks/",
        "show/no\x00thing",
        "show/..\\..\\secret",
        "missing/",
        "show/" + "x" * 5000,
    ],
)
def test_nothing_outside_the_folder_is_served(root: Path, path: str) -> None:
    status, _, body = serve_site(root, "GET", path, {})
    assert status == 404
    assert b"secret" not in body


def test_a_folder_without_its_slash_is_sent_to_it(root: Path) -> None:
    status, headers, _ = serve_site(root, "GET", "show/player", {})
    assert (status, headers["Location"]) == (301, "player/")


@pytest.mark.parametrize(
    ("asked", "status", "sent", "body"),
    [
        ("bytes=0-9", 206, "bytes 0-9/100", bytes(range(10))),
        ("bytes=90-", 206, "bytes 90-99/100", bytes(range(90, 100))),
        ("bytes=-5", 206, "bytes 95-99/100", bytes(range(95, 100))),
        ("bytes=95-999", 206, "bytes 95-99/100", bytes(range(95, 100))),
        ("bytes=0-", 200, None, bytes(range(100))),
        ("bytes=100-", 416, "bytes */100", b""),
        ("bytes=-0", 416, "bytes */100", b""),
        ("bytes=9-3", 200, None, bytes(range(100))),
        ("bytes=-", 200, None, bytes(range(100))),
        ("items=1-2", 200, None, bytes(range(100))),
        ("bytes=1-2,4-5", 200, None, bytes(range(100))),
    ],
)
def test_a_player_gets_the_range_it_asks_for(root: Path, asked: str, status: int, sent: str | None, body: bytes) -> None:
    answered, headers, content = serve_site(root, "GET", "show/clip.webm", {"range": asked})
    assert (answered, headers.get("Content-Range"), content) == (status, sent, body)
    assert headers["Content-Type"] == "video/webm"


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(root: Path) -> None:
    tag = serve_site(root, "GET", "show/app.js", {})[1]["ETag"]
    assert serve_site(root, "GET", "show/app.js", {"if-none-match": f'"x", {tag}'})[0] == 304
    (root / "show" / "app.js").write_text("12")
    assert serve_site(root, "GET", "show/app.js", {"if-none-match": tag})[0] == 200


def test_a_range_of_a_changed_file_is_the_whole_file(root: Path) -> None:
    assert serve_site(root, "GET", "show/clip.webm", {"range": "bytes=0-9", "if-range": '"old"'})[0] == 200


def test_other_methods_are_refused(root: Path) -> None:
    assert serve_site(root, "POST", "show/", {})[0] == 405


def test_pages_are_served_over_http(cloud: Cloud) -> None:
    folder = cloud.home / "sites" / "local" / "show"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("page")
    status, headers, body = cloud.http("/_workshop/sites/show/")
    assert (status, headers["content-type"], body) == (200, "text/html; charset=utf-8", b"page")
    status, headers, body = cloud.http("/_workshop/sites/show/index.html", method="HEAD")
    assert (status, headers["content-length"], body) == (200, "4", b"")
    connection = http.client.HTTPConnection("127.0.0.1", cloud.state.port or 0, timeout=10)
    try:
        connection.request("GET", "/_workshop/sites/../../cloud/cloud.json")
        assert connection.getresponse().status == 404
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["show/", "show/app.js", "show", "absent", "show/clip.webm"])
def test_every_response_forbids_frames_and_readers_from_elsewhere(root: Path, path: str) -> None:
    _, headers, _ = serve_site(root, "GET", path, {})
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer" and headers["X-Content-Type-Options"] == "nosniff"
