"""The page is one file that needs nothing else, and what it shows cannot become code."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import language_cases
from explanation_cases import TEXT, made
from gatewise import explain
from gatewise.explanation.html import page

VOID = {"meta", "input", "br", "img", "link", "hr"}
HOSTILE = (
    "</script><script>alert(1)</script> <!-- <img src=x onerror=alert(1)> film \u202egnol\u202c "
    "\u2066x\u2069 \x1b[31mred \u200b not {} /* page.js */ /* data */ $x$ &lt; \ud800 ]]>"
)


class Reader(HTMLParser):
    """Elements with their attributes and texts; complains of tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def data_of(text: str) -> Any:
    data, _ = Reader(text).texts["script"]
    return json.loads(data)


@pytest.mark.parametrize("text", [TEXT, HOSTILE, ""])
@pytest.mark.parametrize("make", [made, language_cases.made])
def test_the_page_parses_and_holds_no_outside_address(make: Any, text: str) -> None:
    found = page(explain(make(), text))
    reader = Reader(found)
    assert [tag for tag, _ in reader.found].count("script") == 2
    for _, attributes in reader.found:
        assert not {"src", "href", "srcset", "action", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    addresses = set(re.findall(r"\w+://[^\s\"'`]+|url\(", found)) - {"http://www.w3.org/2000/svg"}
    assert not addresses
    assert "@import" not in found
    policies = [a["content"] for t, a in reader.found if "http-equiv" in a and t == "meta"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"]


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    model = made(("<script>", "no\u202e"), pooling="attention")
    found = page(explain(model, HOSTILE))
    data = data_of(found)
    shown = " ".join(word["text"] for word in data["words"])
    assert "script" in shown
    assert "\\u202e" in shown
    assert "\\x1b" in shown or "[31mred" in shown.replace(" ", "")
    # Nothing in the whole file hides or turns the direction of what follows.
    assert found.isascii() or not re.search(
        "[\u200b\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", found
    )
    assert "<script>" in data["answer"]
    assert "<script>alert" not in found
    assert "<!-- <img" not in found
    assert "\\u202e" in data["labels"][1]


def test_the_page_holds_the_numbers() -> None:
    found = explain(made(cell="gru", num_layers=2), TEXT)
    data = data_of(page(found))
    assert [word["text"] for word in data["words"]] == TEXT.split()
    assert [word["gap"] for word in data["words"]] == [False] + [True] * 12
    for measure, drawn in zip(found.measures, data["measures"], strict=True):
        np.testing.assert_allclose(drawn["values"], measure.values, atol=1e-6)
    for trace, drawn in zip(found.layers, data["layers"], strict=True):
        assert drawn["name"] == trace.name
        assert drawn["parts"].keys() == {"reset", "update", "candidate", "hidden"}
        for name, part in trace.parts.items():
            np.testing.assert_allclose(drawn["parts"][name]["values"], part, atol=1e-4)
            assert drawn["parts"][name]["gate"] == (name in ("reset", "update"))


@pytest.mark.parametrize("make", [made, language_cases.made])
@pytest.mark.parametrize("text", [TEXT, ""])
def test_json_has_no_number_that_is_none(make: Any, text: str) -> None:
    found = explain(make(), text)
    data = json.loads(json.dumps(found.as_json(), allow_nan=False))
    for measure, values in zip(found.measures, data["measures"], strict=True):
        wanted = [None if np.isnan(v) else pytest.approx(v, abs=1e-6) for v in measure.values]
        assert values["values"] == wanted
    for name, array in found.arrays.items():
        assert np.shape(data["arrays"][name])[:1] == array.shape[:1]
    broken = explain(with_nan(make()), TEXT)
    json.dumps(broken.as_json(), allow_nan=False)
    Reader(page(broken))


def with_nan(model: Any) -> Any:
    """A model whose answers are no numbers."""
    for name, array in model.weights_.items():
        if name in ("head.bias", "output.bias"):
            array[:] = np.nan
    return model
