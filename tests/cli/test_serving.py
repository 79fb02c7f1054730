"""The server of `workshop open`: every answer forbids frames, foreign use and referrers."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from workshop.cli.serving import site_server
from workshop.web_headers import SECURITY_HEADERS


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


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [("", "", 200), ("clip.webm", "bytes=2-4", 206), ("clip.webm", "bytes=99-", 416), ("nothing", "", 404)],
)
def test_every_answer_has_the_headers_that_keep_other_sites_out(url, path, asked, status):
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url + path, headers={"Range": asked} if asked else {}))
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert answer.status == status
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert (
        SECURITY_HEADERS["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in SECURITY_HEADERS["Content-Security-Policy"]
    )
