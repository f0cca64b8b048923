"""The lab over real HTTP: what it answers, and all that it refuses."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.routing import Route

import seq2seq_cases
from explanation_cases import TEXT, made
from gatewise.explanation import explain
from gatewise.lab.app import MOST_CHARACTERS, lab_app, routes
from gatewise.lab.models import AT_ONCE, Shown
from gatewise.lab.rows import Rows
from gatewise.serve.questions import MOST_BYTES
from lab_server import Address, listening

MODELS = [made(), made(("a", "b", "c"), cell="gru", seed=3)]
ROWS = Rows("file.csv", [TEXT, "", "film and film"] * 9, ["positive", "negative", "positive"] * 9)
PRIVATE = "zx9 secret words of somebody"
PATHS = ("/api/reading", "/api/units", "/api/unit", "/api/test")


@pytest.fixture(scope="module")
def lab() -> Iterator[Address]:
    shown = [Shown(f"model {number}", model, ROWS) for number, model in enumerate(MODELS)]
    with listening(lab_app(shown, ROWS)) as address:
        yield address


def test_the_addresses_are_these_and_no_others() -> None:
    found = [
        (route.path, sorted((route.methods or set()) - {"HEAD"}))
        if isinstance(route, Route)
        else ""
        for route in routes([], None)
    ]
    assert found == [("/api/lab", ["GET"]), *((path, ["POST"]) for path in PATHS), ""]


def test_a_reading_is_the_explanation(lab: Address) -> None:
    for number, model in enumerate(MODELS):
        for layer in range(2):
            told = lab.ask("/api/reading", {"model": number, "text": TEXT, "layer": layer}).json
            wanted = explain(model, TEXT)
            np.testing.assert_allclose(
                told["probabilities"], wanted.arrays["probabilities"], atol=6e-5
            )
            assert told["given"] == model.predict([TEXT])
            words = TEXT.split()
            beginnings = [" ".join(words[:count]) for count in range(1, len(words) + 1)]
            wanted_so_far = model.predict_proba(beginnings)
            np.testing.assert_allclose(told["so_far"], wanted_so_far, atol=6e-5)
            assert told["tables"] == []
            assert [word["text"] for word in told["words"]] == TEXT.split()
            parts = wanted.layers[layer].parts
            assert list(told["parts"]) == list(parts)
            for name, values in parts.items():
                np.testing.assert_allclose(told["parts"][name], values, atol=6e-5)
            for one, measure in zip(told["measures"], wanted.measures, strict=True):
                assert (one["name"], one["signed"]) == (measure.name, measure.signed)
                np.testing.assert_allclose(one["values"], measure.values, atol=6e-5)


@pytest.mark.filterwarnings("ignore:.*came to max_tokens:UserWarning")
def test_of_text_to_text_the_alignment_is_told_too() -> None:
    model = seq2seq_cases.made()
    with listening(lab_app([Shown("mt", model, None)], None)) as lab:
        text = seq2seq_cases.SOURCES[0]
        told = lab.ask("/api/reading", {"model": 0, "text": text, "layer": 1}).json
        ((answer,),) = model.answer([text])
        assert (told["answer"], told["given"], told["so_far"]) == (answer.text, [], None)
        table, aligned = told["tables"][0], model.align(text)
        assert len(table["rows"]) == len(aligned.target)
        assert len(table["columns"]) == len(aligned.source) == len(told["words"])
        np.testing.assert_allclose(table["values"], aligned.weights, atol=1e-5)
        parts = explain(model, text).layers[1].parts
        np.testing.assert_allclose(told["parts"]["cell"], parts["cell"], atol=1e-5)


def test_facts_are_told_once(lab: Address) -> None:
    told = lab.request("GET", "/api/lab").json
    assert told["file"] == {"name": "file.csv", "texts": 27, "labelled": True, "at_once": AT_ONCE}
    assert [model["cell"] for model in told["models"]] == ["lstm", "gru"]
    assert told["models"][0]["labels"] == ["negative", "positive"]
    assert [layer["backward"] for layer in told["models"][1]["layers"]] == [False, True]
    assert "forget" in told["models"][0]["layers"][0]["parts"]
    assert told["models"][0]["training"] is None


def test_a_unit_is_shown_page_by_page(lab: Address) -> None:
    asked = {"model": 0, "layer": 1, "unit": 4, "start": 0}
    first = lab.ask("/api/unit", asked).json
    assert [one["number"] for one in first["texts"]] == list(range(AT_ONCE))
    last = lab.ask("/api/unit", asked | {"start": AT_ONCE}).json
    assert [one["number"] for one in last["texts"]] == list(range(AT_ONCE, 27))
    assert lab.ask("/api/unit", asked | {"start": 1000}).json["texts"] == []
    values = explain(MODELS[0], TEXT).layers[1].cell
    assert values is not None
    np.testing.assert_allclose(first["texts"][0]["values"], values[:, 4], atol=6e-4)
    units = lab.ask("/api/units", {"model": 0, "layer": 1}).json
    assert sorted(one["unit"] for one in units) == list(range(5))


def test_answers_on_the_file_are_tested(lab: Address) -> None:
    told = lab.ask("/api/test", {"model": 0}).json
    wanted = MODELS[0].evaluate(ROWS.texts, ROWS.labels)
    assert told["evaluation"]["accuracy"] == wanted.accuracy
    refused = lab.ask("/api/test", {"model": 1})
    assert refused.status == 400
    assert "which the model does not know" in refused.json["error"]


REFUSED: list[tuple[str, Any, int, str]] = [
    ("/api/reading", {"model": 2, "text": "a", "layer": 0}, 400, "shows 2 models. Got number 2."),
    ("/api/reading", {"model": -1, "text": "a", "layer": 0}, 400, ">= 0"),
    ("/api/reading", {"model": 0, "text": "a", "layer": 2}, 400, "2 layers and directions"),
    ("/api/reading", {"model": 0, "text": "a" * (MOST_CHARACTERS + 1), "layer": 0}, 400, "length"),
    ("/api/reading", {"model": 0, "text": None, "layer": 0}, 400, "Expected `str`"),
    ("/api/reading", {"model": True, "text": "a", "layer": 0}, 400, "Expected `int`"),
    ("/api/reading", {"model": 0, "layer": 0}, 400, "missing required field `text`"),
    ("/api/reading", {"model": 0, "text": "a", "layer": 0, "path": "/etc"}, 400, "unknown field"),
    ("/api/reading", ["model"], 400, "Expected `object`"),
    ("/api/reading", b"", 400, "not of the kind"),
    ("/api/reading", b"{", 400, "not of the kind"),
    ("/api/reading", b"\xff\xfe", 400, "not of the kind"),
    ("/api/reading", b'{"model":0,"text":"\\ud800","layer":0}', 400, "not of the kind"),
    ("/api/reading", b'{"model":NaN,"text":"a","layer":0}', 400, "not of the kind"),
    ("/api/reading", b'{"model":1e999,"text":"a","layer":0}', 400, "not of the kind"),
    ("/api/reading", b"[" * 60_000, 400, "not of the kind"),
    ("/api/reading", b'{"model":' + b"9" * 5000 + b"}", 400, "not of the kind"),
    ("/api/reading", b" " * (MOST_BYTES + 1), 413, "at most 65,536 bytes"),
    ("/api/units", {"model": 0, "layer": 5}, 400, "2 layers and directions. Got number 5."),
    ("/api/unit", {"model": 0, "layer": 0, "unit": 5, "start": 0}, 400, "5 units, counted from 0"),
    ("/api/unit", {"model": 0, "layer": 0, "unit": 0, "start": 10**9}, 400, "<= 1000000"),
]


@pytest.mark.parametrize(("path", "question", "status", "sentence"), REFUSED)
def test_what_is_no_good_question(
    lab: Address, path: str, question: Any, status: int, sentence: str
) -> None:
    refused = lab.ask(path, question)
    assert refused.status == status
    assert sentence in refused.json["error"]
    assert set(refused.json) == {"error"}


def test_texts_of_all_sorts_are_answered(lab: Address) -> None:
    for text in (
        "",
        " ",
        "\u202e<script>",
        "a" * MOST_CHARACTERS,
        "\x00",
        "😀" * 9,
        "\u0627 \u0628",
        "\n",
    ):
        reply = lab.ask("/api/reading", {"model": 0, "text": text, "layer": 0})
        assert reply.status == 200, text
        assert len(reply.json["words"]) == len(explain(MODELS[0], text).words)
    assert lab.ask("/api/reading", {"model": 0, "text": "", "layer": 0}).json["words"] == []


def test_errors_repeat_at_most_80_characters_of_what_was_sent(lab: Address) -> None:
    long = "y" * 5000
    for question in ({long: 1}, {"model": 0, "text": [long], "layer": 0}, {"model": long}):
        told = lab.ask("/api/reading", question).json["error"]
        assert "y" * 81 not in told


@pytest.mark.parametrize("path", ["/", "/main.js", "/page.css", "/api/lab", *PATHS, "/nothing"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_every_answer_is_fenced(lab: Address, path: str, method: str) -> None:
    reply = lab.request(method, path, b"{}", {"origin": "http://evil.example"})
    assert reply.status < 500
    assert reply.headers["content-security-policy"].startswith("default-src 'self';")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert "server" not in reply.headers
    assert not [name for name in reply.headers if name.startswith("access-control-")]
    assert b"Traceback" not in reply.body
    if method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert reply.status in (404, 405, 415), (reply.status, path)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
@pytest.mark.parametrize("path", PATHS)
def test_questions_must_say_that_they_are_json(lab: Address, path: str, kind: str) -> None:
    body = json.dumps({"model": 0, "text": "a", "layer": 0}).encode()
    reply = lab.request("POST", path, body, {"content-type": kind} if kind else {})
    assert reply.status == 415


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "10.0.0.1",
        "[::1]",
        "a b",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/lab", "/main.js"])
def test_other_host_names_are_refused(lab: Address, path: str, host: str) -> None:
    reply = lab.request("GET", path, headers={"host": host})
    assert reply.status == 400
    assert b"models" not in reply.body
    assert b"import" not in reply.body
    for good in ("127.0.0.1", "localhost", f"localhost:{lab.port}"):
        assert lab.request("GET", path, headers={"host": good}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../app.py",
        "/..%2fapp.py",
        "/%2e%2e/app.py",
        "/page/../../app.py",
        "//etc/passwd",
        "/%00",
        "/" + "a" * 5000,
    ],
)
def test_no_other_file_is_handed_out(lab: Address, path: str) -> None:
    reply = lab.request("GET", path)
    assert reply.status in (400, 404)
    assert b"Starlette" not in reply.body
    assert b"root:" not in reply.body


def test_a_body_that_does_not_end_is_not_waited_for_in_memory(lab: Address) -> None:
    with socket.create_connection(("127.0.0.1", lab.port), timeout=20) as line:
        line.sendall(
            b"POST /api/reading HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 1073741824\r\n\r\n" + b" " * (MOST_BYTES + 1)
        )
        reply = http.client.HTTPResponse(line)
        reply.begin()
        assert reply.status == 413
        reply.read()
        assert line.recv(1) == b""  # the line is closed


def test_the_page_comes_from_here_alone(lab: Address) -> None:
    page = Path(lab_app.__code__.co_filename).parent / "page"
    names = sorted(path.name for path in page.iterdir())
    assert {"index.html", "main.js", "page.css"} <= set(names)
    for name in names:
        reply = lab.request("GET", f"/{name}")
        assert reply.status == 200
        text = reply.body.decode()
        assert text == (page / name).read_text("utf-8")
        assert len(text.splitlines()) < 260
        outside = text.replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in outside
        assert "https:" not in outside
        assert "//" not in outside.replace("// ", "")
        for never in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "style=",
        ):
            assert never not in text, (name, never)


def test_without_a_file_the_lab_says_how_to_get_one() -> None:
    with listening(lab_app([Shown("m", MODELS[0], None)], None)) as address:
        assert address.request("GET", "/api/lab").json["file"] is None
        for path, question in (
            ("/api/units", {"model": 0, "layer": 0}),
            ("/api/unit", {"model": 0, "layer": 0, "unit": 0, "start": 0}),
            ("/api/test", {"model": 0}),
        ):
            refused = address.ask(path, question)
            assert refused.status == 400
            assert "start it with --test FILE" in refused.json["error"]


def test_our_own_bugs_tell_nothing_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = Shown("m", MODELS[0], None)

    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    with listening(lab_app([shown], None)) as address:
        monkeypatch.setattr(shown, "reading", broken)
        reply = address.ask("/api/reading", {"model": 0, "text": PRIVATE, "layer": 0})
    assert reply.status == 500
    assert reply.json["error"] == "Something failed here that should not have: a bug of Gatewise."
    assert "content-security-policy" in reply.headers
    told = capfd.readouterr().err
    assert "a bug" in told
    assert PRIVATE not in told


def test_nothing_that_is_read_is_logged(lab: Address, capfd: pytest.CaptureFixture[str]) -> None:
    lab.ask("/api/reading", {"model": 0, "text": PRIVATE, "layer": 0})
    lab.ask("/api/reading", {"model": 0, "text": [PRIVATE], "layer": 0})
    lab.request("GET", "/api/nothing?" + PRIVATE.replace(" ", "+"))
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")
