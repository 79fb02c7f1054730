"""The server of `workshop open`: parts of files, and headers that keep other sites out."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from workshop.app.site_server import site_server
from workshop.site_files import SECURITY_HEADERS


@pytest.fixture
def url(tmp_path):
    (tmp_path / "index.html").write_text("<h1>Hello</h1>")
    (tmp_path / "clip.webm").write_bytes(b"0123456789")
    server = site_server(str(tmp_path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_part_of_a_file_is_sent_by_get_and_its_length_by_head(url):
    part = {"Range": "bytes=2-4"}
    with urllib.request.urlopen(urllib.request.Request(url + "clip.webm?again", headers=part)) as response:
        assert (response.read(), response.headers["Content-Type"]) == (b"234", "video/webm")
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD")) as response:
        assert (response.read(), response.headers["Content-Length"]) == (b"", str(len("<h1>Hello</h1>")))


def test_nothing_outside_the_folder_is_sent(url, tmp_path):
    (tmp_path / "leak").symlink_to("/etc/passwd")
    for path in ("leak", "../../../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url + path)


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [("", "", 200), ("clip.webm", "bytes=2-4", 206), ("clip.webm", "bytes=99-", 416), ("nothing", "", 404)],
)
def test_every_response_has_the_headers_that_keep_other_sites_out(url, path, asked, status):
    try:
        response = urllib.request.urlopen(urllib.request.Request(url + path, headers={"Range": asked} if asked else {}))
    except urllib.error.HTTPError as error:
        response = error
    with response:
        assert response.status == status
        assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert (
        SECURITY_HEADERS["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in SECURITY_HEADERS["Content-Security-Policy"]
    )
