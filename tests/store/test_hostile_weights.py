"""Weights files that are damaged or mean harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_weights import WEIGHTS
from saved_models import refuse, replace


@pytest.mark.parametrize("content", WEIGHTS.values(), ids=WEIGHTS.keys())
def test_hostile_weights_are_refused_in_one_sentence(model: Path, content: bytes) -> None:
    replace(model, "weights.safetensors", content)
    refuse(model, "weights.safetensors")


def test_weights_cut_anywhere_are_refused(model: Path) -> None:
    content = (model / "weights.safetensors").read_bytes()
    for size in range(0, len(content), 7):
        replace(model, "weights.safetensors", content[:size])
        refuse(model, "weights.safetensors")
