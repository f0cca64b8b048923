"""An explanation as one HTML page that needs nothing else, no address outside."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from gatewise.data.problems import shown
from gatewise.explanation.explanation import Explanation, Passage, plain
from gatewise.explanation.traces import parted

DIGITS = 4
"""Behind the point, of the numbers on the page."""


def page(explanation: Explanation) -> str:
    """The text of the page. What came from a text or a model is data in it, never code."""
    parts = files("gatewise.explanation") / "page"
    found = (parts / "page.html").read_text("utf-8")
    for name in ("page.css", "page.js"):
        found = found.replace(f"/* {name} */", (parts / name).read_text("utf-8"))
    # In a script element "<" alone could end the data or begin a comment.
    data = json.dumps(_data(explanation)).replace("<", "\\u003c")
    return found.replace("/* data */", data)


def _data(explanation: Explanation) -> dict[str, Any]:
    """What the page shows, every text of it visible as a whole."""
    found = explanation.as_json()
    del found["arrays"]
    found |= _passage(explanation.passages["read"])
    if explanation.written:
        found["written"] = _passage(explanation.written)
    safe: dict[str, Any] = _visible(found)
    return safe


def _passage(passage: Passage) -> dict[str, Any]:
    """Words with the gaps between them, and layers with what kind of number each part is."""
    found = passage.as_json()
    found["words"] = [
        {"text": word.visible, "known": word.known, "note": word.note, "gap": gap}
        for word, gap in zip(passage.words, parted(passage.words), strict=True)
    ]
    for layer, trace in zip(found["layers"], passage.layers, strict=True):
        layer["name"] = trace.name
        layer["parts"] = {
            name: {"gate": name in trace.gates and name != "candidate", "values": plain(v, DIGITS)}
            for name, v in trace.parts.items()
        }
    return found


def _visible(value: Any) -> Any:
    """All texts with everything escaped that could hide in them or turn their direction."""
    if isinstance(value, str):
        return shown(value, len(value))
    if isinstance(value, dict):
        return {key: _visible(part) for key, part in value.items()}
    if isinstance(value, list) and not (value and isinstance(value[0], (int, float))):
        return [_visible(part) for part in value]
    return value
